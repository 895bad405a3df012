// SPDX-License-Identifier: Apache-2.0

// The arrows between modules. A module imports what its row may, the package says the same, and `unsafe` stays where C is.

import Foundation
import Testing

/// What a module may import. `own` and `packages` are the arrows of Package.swift; `toolchain` comes with the compiler.
private struct Room {
  let row: Int
  let own: Set<String>
  var packages: Set<String> = []
  var toolchain: Set<String> = []
  /// What single files of the module may import beside.
  var exceptions: [String: Set<String>] = [:]

  func allows(_ module: String, in file: String) -> Bool {
    own.union(packages).union(toolchain).contains(module) || exceptions[file]?.contains(module) == true
  }
}

// Row 0 touches C and the system. Rows 1 and 2 are pure: no system, no lock, no Foundation; Simulation needs log, exp
// and pow. Foundation is welcome from row 3 up.
private let rooms: [String: Room] = [
  "HTTP": Room(row: 0, own: ["CMicroHTTPD"], toolchain: ["Glibc", "Synchronization"]),
  "Compression": Room(row: 0, own: ["CZlib", "CZstd", "CSnappy"], toolchain: ["Glibc"]),
  "HTTPClient": Room(row: 0, own: ["CCurl"], toolchain: ["Glibc"]),
  "RegularExpressions": Room(row: 0, own: ["CRE2"], toolchain: ["Glibc"]),
  "Platform": Room(row: 0, own: [], toolchain: ["Glibc", "Synchronization"]),
  "Assets": Room(row: 0, own: ["CAssets"]),
  "TimeSeries": Room(row: 1, own: ["RegularExpressions"]),
  "JSON": Room(row: 1, own: []),
  "Assignment": Room(row: 1, own: []),
  // Counting is an atomic addition, not a lock.
  "Flags": Room(
    row: 2, own: ["Assignment", "JSON", "RegularExpressions"], toolchain: ["Glibc"],
    exceptions: ["EvaluationCounts.swift": ["Synchronization"]]),
  "Ingest": Room(row: 2, own: ["Assignment", "JSON", "TimeSeries"]),
  "PromQL": Room(row: 2, own: ["TimeSeries", "RegularExpressions"], toolchain: ["Glibc"]),
  "Templates": Room(row: 2, own: ["TimeSeries", "RegularExpressions"]),
  "Simulation": Room(row: 2, own: ["JSON"], toolchain: ["Glibc"]),
  "Alerting": Room(row: 3, own: ["PromQL", "Templates", "TimeSeries"], packages: ["Yams"], toolchain: ["Foundation"]),
  "Sources": Room(row: 3, own: ["Compression", "Ingest", "Platform"]),
  "Notification": Room(
    row: 3, own: ["HTTPClient", "JSON", "TimeSeries", "RegularExpressions", "Platform"], toolchain: ["Foundation"]),
  "Storage": Room(
    row: 3, own: ["TimeSeries", "JSON", "Platform"], packages: ["Crypto", "GRDB"], toolchain: ["Foundation", "Synchronization"]),
  "Server": Room(
    row: 4,
    own: [
      "Alerting", "HTTP", "Compression", "Platform", "Assets", "TimeSeries", "JSON", "Assignment", "Flags", "Ingest", "PromQL",
      "Sources", "Notification", "Storage",
    ],
    packages: ["Crypto", "Logging", "Yams"], toolchain: ["Foundation", "Synchronization"]),
  "CLI": Room(
    row: 5, own: ["Alerting", "Server", "HTTPClient", "Platform", "JSON", "Flags", "Ingest", "PromQL", "Simulation"],
    packages: ["ArgumentParser", "Logging"], toolchain: ["Foundation", "Synchronization"], exceptions: ["ExitStatus.swift": ["Glibc"]]),
  "rampart": Room(row: 5, own: ["CLI"]),
]

/// Folders with C or C++ alone.
private let wrapped: Set<String> = ["CMicroHTTPD", "CZlib", "CZstd", "CSnappy", "CCurl", "CAssets", "CRE2"]

@Test func everyImportIsAnArrowOfTheHouse() throws {
  let words = #/
    ^\s*(?:@\w+(?:\([^)]*\))?\s+)*
    (?:(?:public|package|internal|fileprivate|private)\s+)?import\s+
    (?:(?:struct|class|enum|func|var|let|protocol|typealias)\s+)?(\w+)
    /#
  var read = 0
  for file in Project.sources {
    guard let room = rooms[file.module] else {
      Issue.record("\(file.path): \(file.module) is in no row: add it to the table")
      continue
    }
    for (number, line) in Project.numbered(SwiftCode.only(in: file.text)) {
      guard let match = try words.firstMatch(in: line) else { continue }
      read += 1
      let module = String(match.1)
      #expect(room.allows(module, in: file.name), "\(file.path):\(number): \(file.module) (row \(room.row)) may not import \(module)")
    }
  }
  #expect(read > 100, "only \(read) imports were found: the test reads them wrongly")
}

@Test func arrowsPointDown() {
  for (name, room) in rooms {
    for target in room.own where !wrapped.contains(target) {
      let row = rooms[target]?.row ?? .max
      #expect(row < room.row || room.row == 5 && row == 5, "\(name) (row \(room.row)) points at \(target) (row \(row))")
    }
  }
}

@Test func thePackageDrawsTheSameArrows() throws {
  let targets = try PackageFile().targets
  for target in targets where !target.isTest && !wrapped.contains(target.name) {
    let room = rooms[target.name]
    #expect(room.map { $0.own.union($0.packages) } == target.dependencies, "Package.swift: \(target.name)")
  }
  let names = Set(targets.filter { !$0.isTest }.map(\.name))
  #expect(names == Set(rooms.keys).union(wrapped))
}

@Test func everyTargetHasAFolderAndEveryFolderATarget() throws {
  let targets = try PackageFile().targets
  #expect(targets.filter { !$0.isTest }.map(\.name).sorted() == (try Project.names(in: "Sources")))
  let suites = Set(Project.tests.map(\.module))
  let declared = Set(targets.filter(\.isTest).map(\.name))
  #expect(suites == declared, "test folders with Swift files, and test targets of Package.swift")
}

@Test func onlyServerRoutesIsNested() {
  let nested = Project.sources.filter { $0.path.split(separator: "/").count > 3 && !$0.path.hasPrefix("Sources/Server/Routes/") }
  #expect(nested.map(\.path) == [])
}

@Test func unsafeStaysWhereCIs() throws {
  var uses = 0
  for file in Project.sources {
    let mayUse = rooms[file.module]?.row == 0
    for (number, line) in Project.numbered(SwiftCode.only(in: file.text)) where line.contains(/\bunsafe\b/) {
      uses += 1
      #expect(mayUse, "\(file.path):\(number): unsafe outside of row 0: \(line)")
    }
  }
  #expect(uses > 100, "only \(uses) uses were found: the test reads them wrongly")
}

// Runs of spaces are shown as one.
@Test(arguments: [
  ("let a = unsafe b // unsafe c", "let a = unsafe b "),
  (#"print("unsafe \(unsafe x) \"unsafe") + unsafe y"#, "print( unsafe x ) + unsafe y"),
  ("/* unsafe /* unsafe */ unsafe */ unsafe", " unsafe"),
  (##"let t = #"no " \(unsafe) \#(unsafe)"# + z"##, "let t = unsafe + z"),
  ("f(\"\", \"\"\"\nunsafe \"quoted\" \\(g(unsafe))\n\"\"\")", "f( , \n g(unsafe) \n )"),
  ("#if unsafe", "#if unsafe"),
])
func commentsAndStringsAreNoCode(source: String, expected: String) {
  let code = SwiftCode.only(in: source).reduce(into: "") { result, character in
    if character != " " || result.last != " " { result.append(character) }
  }
  #expect(code == expected)
}

/// What Package.swift says of its targets, as far as these tests need it.
private struct PackageFile {
  struct Target {
    let name: String
    let isTest: Bool
    let dependencies: Set<String>
  }

  let targets: [Target]

  init() throws {
    let text = try Project.text("Package.swift")
    var products: [String: String] = [:]
    for match in text.matches(of: /let (\w+): Target\.Dependency = \.product\(name: "(\w+)"/) {
      products[String(match.1)] = String(match.2)
    }
    let list = text.split(separator: "targets: [\n").last.map(String.init) ?? ""
    let declaration = #/
      (module|tests|\.systemLibrary|\.target|\.executableTarget)
      \(\s*(?:name:\s)?"(\w+)"(?:,\s*(?:dependencies:\s)?\[([^\]]*)\])?
      /#
    targets = list.matches(of: declaration).map { match in
      let words = (match.3 ?? "").split { ", \n\t".contains($0) }
      let names = words.map { word in
        word.hasPrefix("\"") ? String(word.dropFirst().dropLast()) : products[String(word)] ?? String(word)
      }
      return Target(name: String(match.2), isTest: match.1 == "tests", dependencies: Set(names))
    }
  }
}
