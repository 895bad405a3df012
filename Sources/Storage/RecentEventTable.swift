// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB

// Rows of `recent_event`: the log of events as they were received. What is in a row's bytes is known to whoever submits
// and reads them. The oldest rows go as new ones come.

/// Events to be kept as they were received.
package struct RecentEventChunk: Sendable, Equatable {
  /// In a form in which the bytes of several chunks behind each other are the events of all.
  package var bytes: [UInt8]
  package var events: Int
  /// Of `events`, those kept as a sample, and how many they stand for.
  package var sampled: Int
  package var sampledOf: Int
  /// Events that are not kept.
  package var passedOver: Int

  package static let empty = RecentEventChunk(bytes: [], events: 0, sampled: 0, sampledOf: 0, passedOver: 0)

  package init(bytes: [UInt8], events: Int, sampled: Int, sampledOf: Int, passedOver: Int) {
    self.bytes = bytes
    self.events = events
    self.sampled = sampled
    self.sampledOf = sampledOf
    self.passedOver = passedOver
  }

  fileprivate static func += (left: inout RecentEventChunk, right: RecentEventChunk) {
    left.bytes += right.bytes
    left.events += right.events
    left.sampled += right.sampled
    left.sampledOf += right.sampledOf
  }
}

/// What became of recent events since the store was opened.
package struct RecentEventCounts: Sendable, Equatable {
  package var stored: Int64 = 0
  /// Forgotten, because there were too many.
  package var evicted: Int64 = 0
  /// Never kept.
  package var sampledOut: Int64 = 0

  package init() {}

  static func += (left: inout RecentEventCounts, right: RecentEventCounts) {
    left.stored += right.stored
    left.evicted += right.evicted
    left.sampledOut += right.sampledOut
  }
}

/// What the log holds.
package struct RecentEventTotal: Sendable, Equatable {
  package var events: Int
  package var bytes: Int
  /// Of `events`, those kept as a sample, and how many they stand for.
  package var sampled: Int
  package var sampledOf: Int
}

enum RecentEventTable {
  /// A commit's events are one row, or several of about this size: a search holds some rows in memory.
  private static let rowBytesMax = 1 << 20
  /// How much more than was added goes at once where there is far too much, as after a change of the bound.
  private static let evictionBytes = 4 << 20

  /// - Parameters:
  ///   - atMs: when they were received.
  ///   - bytesMax: of the whole log.
  /// - Returns: how many went for them.
  static func insert(_ chunks: [RecentEventChunk], atMs: Int64, bytesMax: Int, _ db: Database) throws -> Int64 {
    let rowBytesMax = min(rowBytesMax, bytesMax / 8)
    var sums = try sums(db)
    let first = sums.first
    var row = RecentEventChunk.empty
    var addedBytes = 0
    for (index, chunk) in chunks.enumerated() {
      if row.events == 0 { row = chunk } else { row += chunk }
      guard row.bytes.count >= rowBytesMax || index == chunks.count - 1 else { continue }
      try insert(row, after: sums.last, atMs: atMs, db)
      sums.last += row
      addedBytes += row.bytes.count
      row = .empty
    }
    let excess = sums.last.bytes - first.bytes - bytesMax
    return excess > 0 ? try evict(min(excess, addedBytes + evictionBytes), db) : 0
  }

  static func total(_ db: Database) throws -> RecentEventTotal {
    let (first, last) = try sums(db)
    return RecentEventTotal(
      events: last.events - first.events, bytes: last.bytes - first.bytes, sampled: last.sampled - first.sampled,
      sampledOf: last.sampledOf - first.sampledOf)
  }

  /// What came before the first row, and what came with the last one.
  private static func sums(_ db: Database) throws -> (first: RecentEventTotal, last: RecentEventTotal) {
    let columns = "events_before, bytes_before, sampled_before, sampled_of_before"
    let first = try Row.fetchOne(try db.cachedStatement(sql: "SELECT \(columns) FROM recent_event ORDER BY id LIMIT 1"))
    let last = try Row.fetchOne(
      try db.cachedStatement(
        sql: """
          SELECT events_before + events, bytes_before + length(data), sampled_before + sampled,
            sampled_of_before + sampled_of
          FROM recent_event ORDER BY id DESC LIMIT 1
          """))
    return (RecentEventTotal(first), RecentEventTotal(last))
  }

  private static func insert(_ row: RecentEventChunk, after sum: RecentEventTotal, atMs: Int64, _ db: Database) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO recent_event
          (at_ms, events, sampled, sampled_of, events_before, sampled_before, sampled_of_before, bytes_before, data)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      atMs, row.events, row.sampled, row.sampledOf, sum.events, sum.sampled, sum.sampledOf, sum.bytes, Data(row.bytes),
    ])
  }

  /// Deletes the oldest rows, until that many bytes are gone.
  private static func evict(_ excess: Int, _ db: Database) throws -> Int64 {
    let sizes = try Row.fetchCursor(
      try db.cachedStatement(sql: "SELECT id, events, length(data) AS size FROM recent_event ORDER BY id"))
    var lastID: Int64 = 0
    var events: Int64 = 0
    var bytes = 0
    while bytes < excess, let row = try sizes.next() {
      lastID = row["id"]
      events += row["events"] as Int64
      bytes += row["size"] as Int
    }
    try db.cachedStatement(sql: "DELETE FROM recent_event WHERE id <= ?").execute(arguments: [lastID])
    return events
  }
}

extension RecentEventTotal {
  /// - Parameter row: with events, bytes, sampled, and what they stand for; nil for none of each.
  fileprivate init(_ row: Row?) {
    self.init(events: row?[0] ?? 0, bytes: row?[1] ?? 0, sampled: row?[2] ?? 0, sampledOf: row?[3] ?? 0)
  }

  fileprivate static func += (left: inout RecentEventTotal, right: RecentEventChunk) {
    left.events += right.events
    left.bytes += right.bytes.count
    left.sampled += right.sampled
    left.sampledOf += right.sampledOf
  }
}
