// SPDX-License-Identifier: Apache-2.0

internal import GRDB
internal import Platform

// The write-ahead log goes into the file here and not in commits: copying its pages and syncing the file takes some
// 20 ms, which a commit would wait for. A connection of its own does it beside them.

/// Folds the write-ahead log into the database file.
final class Checkpointer: Sendable {
  /// A log larger than this is worth it.
  static let logBytesMax: Int64 = 4 << 20

  private let queue: DatabaseQueue
  private let logPath: String

  init(_ path: String) throws {
    logPath = path + "-wal"
    var settings = Configuration()
    settings.label = "checkpoints"
    settings.busyMode = .timeout(5)
    settings.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    queue = try DatabaseQueue(path: path, configuration: settings)
  }

  /// Copies what the log holds while commits and readers go on, where it is large.
  ///
  /// - Returns: whether it did. The log begins anew only when all of it was copied, so that the little that came
  ///   meanwhile has to follow between two commits.
  func copyLargeLog() throws -> Bool {
    guard (Files.size(logPath) ?? 0) > Checkpointer.logBytesMax else { return false }
    _ = try queue.writeWithoutTransaction { try $0.checkpoint(.passive) }
    return true
  }

  func close() throws { try queue.close() }
}
