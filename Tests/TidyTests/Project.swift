// SPDX-License-Identifier: Apache-2.0

import Foundation

// The project's files as text, found from where this file stands.

/// A file with its path from the project's root.
struct ProjectFile {
  let path: String
  let text: String

  var name: String { String(path.split(separator: "/").last ?? "") }
  /// The folder below `Sources` or `Tests`.
  var module: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
  /// From 1, with their numbers.
  var lines: [(number: Int, text: String)] { Project.numbered(text) }
}

enum Project {
  static let root: URL = {
    // Tests/TidyTests/Project.swift
    let file = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    return file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  }()

  static let sources: [ProjectFile] = swiftFiles(under: "Sources")
  static let tests: [ProjectFile] = swiftFiles(under: "Tests")

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  /// Names of the entries of a folder, ascending, hidden ones left out.
  static func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent(folder).path)
      .filter { !$0.hasPrefix(".") }.sorted()
  }

  /// Paths of all files below a folder, ascending.
  static func paths(under folder: String) -> [String] {
    let all = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)?.compactMap { $0 as? String } ?? []
    return all.sorted().map { folder + "/" + $0 }.filter { path in
      let attributes = try? FileManager.default.attributesOfItem(atPath: root.appendingPathComponent(path).path)
      return attributes?[.type] as? FileAttributeType == .typeRegular
    }
  }

  static func numbered(_ text: String) -> [(number: Int, text: String)] {
    text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map { ($0.offset + 1, String($0.element)) }
  }

  private static func swiftFiles(under folder: String) -> [ProjectFile] {
    paths(under: folder).filter { $0.hasSuffix(".swift") }.compactMap { path in
      (try? text(path)).map { ProjectFile(path: path, text: $0) }
    }
  }
}
