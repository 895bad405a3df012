// SPDX-License-Identifier: Apache-2.0

internal import Alerting
internal import Assets
internal import Platform

// Where rules come from: the files of the settings, or the bundled ones.

/// A server's rule files.
struct RuleFiles: Sendable {
  /// In the order of the files, each in the order of its groups.
  let groups: [RuleGroup]
  /// Of one pattern.
  private static let filesMax = 1_000

  /// How many files they are from.
  let fileCount: Int

  /// - Throws: what is wrong with a file, with line and column; nothing of the others is used then.
  init(_ settings: Configuration.Rules) throws(ConfigurationError) {
    do {
      let files = try settings.files.map { try RuleFiles.read($0) } ?? Asset.ruleFiles().map { ($0.path, $0.bytes) }
      fileCount = files.count
      groups = try files.flatMap { try RuleFile(utf8: $0.bytes, file: $0.path).groups }
    } catch let error as FileError {
      throw ConfigurationError(place: "rules.files", key: "", message: "\(error.path): \(error.reason)")
    } catch {
      throw ConfigurationError(place: "rules.files", key: "", message: "\(error)")
    }
  }

  private static func read(_ patterns: [String]) throws(FileError) -> [(path: String, bytes: [UInt8])] {
    var files: [(path: String, bytes: [UInt8])] = []
    for pattern in patterns {
      let paths = Files.matching(pattern, countMax: RuleFiles.filesMax)
      // A pattern may match nothing yet; a name is a promise.
      if paths.isEmpty, !pattern.contains(where: { "*?[".contains($0) }) {
        throw FileError(operation: "read", path: pattern, reason: "no such file")
      }
      for path in paths where !files.contains(where: { $0.path == path }) {
        files.append((path, try Files.readRegular(path, bytesMax: RuleFile.bytesMax)))
      }
    }
    return files
  }
}
