// SPDX-License-Identifier: Apache-2.0

internal import GRDB
internal import Platform
internal import Synchronization

// The write-ahead log goes into the file here and not in commits: copying its pages and syncing the file takes some
// 20 ms, which a commit would wait for. A connection of its own does it beside them.

/// Folds the write-ahead log into the database file.
final class Checkpointer: Sendable {
  /// A log that holds more than this is worth it.
  private static let worthwhileBytes: Int64 = 4 << 20

  private let queue: DatabaseQueue
  private let indexPath: String
  /// The log's index, kept open as long as this: to close any descriptor of a file gives up all locks of the process on it,
  /// SQLite's among them, and then whoever reads the file from elsewhere cuts the index off under us.
  private let index = Mutex<FileReader?>(nil)

  init(_ path: String) throws {
    indexPath = path + "-shm"
    var settings = Configuration()
    settings.label = "checkpoints"
    settings.busyMode = .timeout(5)
    settings.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    queue = try DatabaseQueue(path: path, configuration: settings)
  }

  /// Copies what the log holds while commits and readers go on, where that is much.
  ///
  /// - Returns: whether it did. The log begins anew only when all of it was copied, so that the little that came
  ///   meanwhile has to follow between two commits.
  func copyLargeLog() throws -> Bool {
    guard try pendingBytes() > Checkpointer.worthwhileBytes else { return false }
    _ = try queue.writeWithoutTransaction { try $0.checkpoint(.passive) }
    return true
  }

  /// What is in the log and not yet in the file. The size of the log's own file says nothing: a log that begins anew
  /// keeps its file. By the header of the log's index, in the byte order of x86-64 and AArch64: size of a page at 14, newest
  /// frame at 16, the last one copied at 96 (https://sqlite.org/walformat.html, 2.1).
  private func pendingBytes() throws -> Int64 {
    let header = try index.withLock { index throws(FileError) in
      let reader = if let open = index { open } else { try FileReader(indexPath) }
      index = reader
      var header: [UInt8] = []
      _ = try reader.read(at: 0, countMax: 100, to: &header)
      return header
    }
    guard header.count == 100 else { return 0 }
    func word(_ offset: Int) -> Int64 { (0..<4).reduce(0) { $0 | Int64(header[offset + $1]) << (8 * Int64($1)) } }
    return max(word(16) - word(96), 0) * (word(14) & 0xffff)
  }

  func close() throws { try queue.close() }
}
