// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB

// Rows of `dead_letter` within a transaction. Reading and purging them is Store+DeadLetters.

/// Bounds of the table.
struct DeadLetterLimits {
  let lettersMax: Int
  /// Of the records together.
  let bytesMax: Int
}

/// What became of dead letters since the store was opened.
package struct DeadLetterCounts: Sendable, Equatable {
  package var stored: Int64 = 0
  /// Forgotten, because there were too many.
  package var evicted: Int64 = 0
  /// Counted after all.
  package var replayed: Int64 = 0
  /// Deleted by somebody.
  package var purged: Int64 = 0

  package init() {}

  static func += (left: inout DeadLetterCounts, right: DeadLetterCounts) {
    left.stored += right.stored
    left.evicted += right.evicted
    left.replayed += right.replayed
    left.purged += right.purged
  }
}

enum DeadLetterTable {
  static func insert(_ letter: DeadLetter, atMs: Int64, _ db: Database) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO dead_letter (at_ms, source, line, reason, body, is_whole, time_ms, service, cache)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      atMs, letter.source, letter.line, letter.reason, Data(letter.body), letter.isWhole, letter.timeMs, letter.service,
      letter.cache,
    ])
  }

  /// The indexes of those ids that have no row.
  static func missing(_ ids: [Int64], _ db: Database) throws -> [Int] {
    guard !ids.isEmpty else { return [] }
    let statement = try db.cachedStatement(sql: "SELECT 1 FROM dead_letter WHERE id = ?")
    return try ids.indices.filter { try Int.fetchOne(statement, arguments: [ids[$0]]) == nil }
  }

  static func delete(_ ids: [Int64], _ db: Database) throws {
    guard !ids.isEmpty else { return }
    let statement = try db.cachedStatement(sql: "DELETE FROM dead_letter WHERE id = ?")
    for id in ids { try statement.execute(arguments: [id]) }
  }

  /// Deletes the oldest, until the rest is within the bounds.
  ///
  /// - Returns: how many went.
  static func evict(_ limits: DeadLetterLimits, _ db: Database) throws -> Int64 {
    var total = try total(db)
    guard total.letters > limits.lettersMax || total.bytes > limits.bytesMax else { return 0 }
    let sizes = try Row.fetchCursor(
      try db.cachedStatement(sql: "SELECT id, length(body) AS size FROM dead_letter ORDER BY id"))
    var lastID: Int64 = 0
    var count: Int64 = 0
    while total.letters > limits.lettersMax || total.bytes > limits.bytesMax, let row = try sizes.next() {
      lastID = row["id"]
      total.letters -= 1
      total.bytes -= row["size"] as Int
      count += 1
    }
    try db.cachedStatement(sql: "DELETE FROM dead_letter WHERE id <= ?").execute(arguments: [lastID])
    return count
  }

  static func total(_ db: Database) throws -> DeadLetterTotal {
    let statement = try db.cachedStatement(sql: "SELECT letters, bytes FROM dead_letter_total")
    let row = try Row.fetchOne(statement)
    return DeadLetterTotal(letters: row?["letters"] ?? 0, bytes: row?["bytes"] ?? 0)
  }
}

/// How many dead letters there are, and the size of their records.
package struct DeadLetterTotal: Sendable, Equatable {
  package var letters: Int
  package var bytes: Int
}
