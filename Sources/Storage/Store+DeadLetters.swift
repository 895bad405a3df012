// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB

// Reading and purging the records that could not be counted. The committer writes them with the body they came in, and
// deletes those that are replayed with what they add.

/// A dead letter as it is kept.
package struct StoredDeadLetter: Sendable {
  package let id: Int64
  package let atMs: Int64
  package let letter: DeadLetter
  /// Of the record as it is kept, whose beginning alone may have been asked for.
  package let sizeBytes: Int
}

/// Which dead letters are meant: those that fit everything that is given.
package struct DeadLetterSelection: Sendable, Equatable {
  package var source: String?
  /// At most `rangesMax`; none stands for every id.
  package var ids: [ClosedRange<Int64>]

  package static let rangesMax = 100
  package static let all = DeadLetterSelection(source: nil, ids: [])

  package init(source: String?, ids: [ClosedRange<Int64>]) {
    self.source = source
    self.ids = ids
  }

  fileprivate var condition: String {
    let ranges = ids.map { _ in "id BETWEEN ? AND ?" }.joined(separator: " OR ")
    return "(? IS NULL OR source = ?)" + (ids.isEmpty ? "" : " AND (\(ranges))")
  }

  fileprivate var arguments: StatementArguments {
    StatementArguments([source, source]) + StatementArguments(ids.flatMap { [$0.lowerBound, $0.upperBound] })
  }
}

extension Store {
  private static let columns = "id, at_ms, source, line, reason, length(body) AS size, is_whole, time_ms, service, cache"

  /// - Parameters:
  ///   - before: an id that is above all that are meant; nil for none.
  ///   - excerptBytesMax: how much of each record is read.
  /// - Returns: newest first.
  package func deadLetters(
    _ selection: DeadLetterSelection, before: Int64?, limit: Int, excerptBytesMax: Int = Int(Int32.max)
  ) throws(StoreError) -> [StoredDeadLetter] {
    // SQLite's substr makes NULL of a blob without bytes, and a record may be empty.
    let sql = """
      SELECT \(Store.columns), coalesce(substr(body, 1, ?), x'') AS body FROM dead_letter
      WHERE id < ? AND \(selection.condition) ORDER BY id DESC LIMIT ?
      """
    return try StoreError.wrapping("read dead letters") {
      try pool.read { db in
        let arguments = StatementArguments([Int64(excerptBytesMax), before ?? .max]) + selection.arguments + [limit]
        return try Row.fetchAll(db, sql: sql, arguments: arguments).map { Store.letter($0) }
      }
    }
  }

  /// The next dead letters to be replayed.
  ///
  /// - Parameters:
  ///   - range: of ids.
  ///   - limit, bytesMax: most letters, and most bytes of their records, one letter excepted.
  /// - Returns: oldest first.
  package func deadLetters(
    _ selection: DeadLetterSelection, within range: ClosedRange<Int64>, limit: Int, bytesMax: Int
  ) throws(StoreError) -> [StoredDeadLetter] {
    let sql = """
      SELECT \(Store.columns), body FROM dead_letter
      WHERE id BETWEEN ? AND ? AND \(selection.condition) ORDER BY id LIMIT ?
      """
    return try StoreError.wrapping("read dead letters") {
      try pool.read { db in
        let arguments = StatementArguments([range.lowerBound, range.upperBound]) + selection.arguments + [limit]
        let rows = try Row.fetchCursor(db, sql: sql, arguments: arguments)
        var letters: [StoredDeadLetter] = []
        var bytes = 0
        while bytes < bytesMax, let row = try rows.next() {
          letters.append(Store.letter(row))
          bytes += letters[letters.count - 1].sizeBytes
        }
        return letters
      }
    }
  }

  /// How many there are.
  package func deadLetterTotal() throws(StoreError) -> DeadLetterTotal {
    try StoreError.wrapping("count dead letters") { try pool.read { try DeadLetterTable.total($0) } }
  }

  /// The newest id; 0 where there is none.
  package func newestDeadLetterID() throws(StoreError) -> Int64 {
    try StoreError.wrapping("read dead letters") {
      try pool.read { try Int64.fetchOne($0, sql: "SELECT max(id) FROM dead_letter") ?? 0 }
    }
  }

  /// Deletes dead letters and writes the audit row in one transaction that is on disk when this returns.
  ///
  /// - Parameter audit: makes the row of how many are deleted; none is written for none.
  /// - Returns: how many were deleted.
  package func purgeDeadLetters(
    _ selection: DeadLetterSelection, audit: (Int) -> AuditEntry
  ) throws(StoreError) -> Int {
    let count = try StoreError.wrapping("purge dead letters") {
      try pool.write { db in
        try db.execute(sql: "DELETE FROM dead_letter WHERE \(selection.condition)", arguments: selection.arguments)
        let count = db.changesCount
        if count > 0 { try AuditTable.insert(audit(count), db) }
        return count
      }
    }
    var counts = DeadLetterCounts()
    counts.purged = Int64(count)
    committer.count(counts)
    return count
  }

  private static func letter(_ row: Row) -> StoredDeadLetter {
    var letter = DeadLetter(
      source: row["source"], line: row["line"], reason: row["reason"], body: Array(row["body"] as Data))
    letter.isWhole = row["is_whole"]
    letter.timeMs = row["time_ms"]
    letter.service = row["service"]
    letter.cache = row["cache"]
    return StoredDeadLetter(id: row["id"], atMs: row["at_ms"], letter: letter, sizeBytes: row["size"])
  }
}
