// SPDX-License-Identifier: Apache-2.0

// The page: every file of web/ is embedded and served, and what a file of it asks for is there.

import Foundation
import Testing

/// What Sources/CAssets/assets.c embeds and serves.
private struct AssetTable {
  struct Row {
    let path: String
    let type: String
    let source: String
  }

  private(set) var rows: [Row] = []
  /// Embedded files, as written after `#embed`.
  private(set) var embedded: [String] = []

  init() throws {
    let text = try Project.text("Sources/CAssets/assets.c")
    var sources: [String: String] = [:]
    for match in text.matches(of: /static const unsigned char (\w+)\[\] = \{\n#embed "([^"]+)"\n\};/) {
      sources[String(match.1)] = String(match.2)
      embedded.append(String(match.2))
    }
    var types: [String: String] = [:]
    for match in text.matches(of: /static const char (\w+)\[\] = "([^"]+)";/) { types[String(match.1)] = String(match.2) }
    for match in text.matches(of: /\{"([^"]+)", (\w+), (\w+), sizeof (\w+)\}/) {
      #expect(match.3 == match.4, "\(match.1) is served with the size of \(match.4)")
      rows.append(Row(path: String(match.1), type: types[String(match.2)] ?? "", source: sources[String(match.3)] ?? ""))
    }
  }

  static func type(ofFile name: String) -> String? {
    switch name.split(separator: ".").last {
    case "html": "text/html; charset=utf-8"
    case "css": "text/css; charset=utf-8"
    case "js": "text/javascript; charset=utf-8"
    case "svg": "image/svg+xml"
    case "yml": "application/yaml"
    default: nil
    }
  }
}

@Test func everyFileOfThePageIsServed() throws {
  let table = try AssetTable()
  for path in Project.paths(under: "web") {
    let name = String(path.dropFirst("web/".count))
    let row = table.rows.first { $0.source == "../../" + path }
    let expected = name == "index.html" ? "/" : "/assets/" + name
    #expect(row?.path == expected, "\(path) is to be served as \(expected) by Sources/CAssets/assets.c")
    #expect(row?.type == AssetTable.type(ofFile: name), "\(path)")
  }
}

@Test func everyBundledRuleFileIsEmbedded() throws {
  let table = try AssetTable()
  let files = Project.paths(under: "alerts").filter { $0.hasSuffix(".yml") && !$0.hasPrefix("alerts/tests/") }
  #expect(files.count >= 7)
  for path in files { #expect(table.rows.contains { $0.source == "../../" + path && $0.path == path }, "\(path)") }
}

@Test func everyEmbeddedFileExistsAndIsServedOnce() throws {
  let table = try AssetTable()
  #expect(!table.rows.isEmpty)
  #expect(table.rows.map(\.source).sorted() == table.embedded.sorted())
  #expect(Set(table.rows.map(\.path)).count == table.rows.count, "a path is served twice")
  for row in table.rows {
    #expect(row.type == AssetTable.type(ofFile: row.path == "/" ? "index.html" : row.path), "\(row.path)")
    let file = row.source.hasPrefix("/") ? row.source : Project.root.path + "/Sources/CAssets/" + row.source
    #expect(FileManager.default.fileExists(atPath: file), "\(row.path): \(row.source) does not exist")
    if row.source.hasPrefix("/") {
      #expect(row.source.hasPrefix("/usr/share/"), "\(row.source) is of no Debian package")
    }
  }
}

@Test func whatThePageAsksForIsServed() throws {
  let served = Set(try AssetTable().rows.map(\.path))
  for path in Project.paths(under: "web") {
    let text = try Project.text(path)
    for match in text.matches(of: /["'(](\/assets\/[\w.\-]+)["')]/) {
      #expect(served.contains(String(match.1)), "\(path) asks for \(match.1)")
    }
    for match in text.matches(of: /(?:from|import)\s*\(?\s*["']\.\/([\w.\-]+)["']/) {
      #expect(served.contains("/assets/\(match.1)"), "\(path) imports \(match.1)")
    }
  }
}

@Test func nothingOfOthersIsCommitted() {
  for path in Project.paths(under: "web") + Project.paths(under: "Sources") {
    let name = path.lowercased()
    let isForeign = name.contains("dygraph") || name.contains(".min.") || name.contains("node_modules") || name.contains("vendor")
    #expect(!isForeign, "\(path)")
  }
}

@Test func thePageLoadsNothingFromElsewhere() throws {
  for path in Project.paths(under: "web") {
    for (number, line) in Project.numbered(try Project.text(path)) {
      let loads = line.contains(/(?:src|href)\s*=\s*["'](?:https?:)?\/\//) || line.contains(/(?:from|import|@import)\s*\(?\s*["']https?:/)
      #expect(!loads, "\(path):\(number): \(line)")
    }
  }
}
