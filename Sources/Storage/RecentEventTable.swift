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
    var row = RecentEventChunk.empty
    var addedBytes = 0
    for (index, chunk) in chunks.enumerated() {
      if row.events == 0 { row = chunk } else { row += chunk }
      guard row.bytes.count >= rowBytesMax || index == chunks.count - 1 else { continue }
      try insert(row, atMs: atMs, db)
      addedBytes += row.bytes.count
      row = .empty
    }
    return try evict(bytesMax: bytesMax, most: addedBytes + evictionBytes, db)
  }

  static func total(_ db: Database) throws -> RecentEventTotal {
    let statement = try db.cachedStatement(sql: "SELECT events, bytes, sampled, sampled_of FROM recent_event_total")
    let row = try Row.fetchOne(statement)
    return RecentEventTotal(
      events: row?["events"] ?? 0, bytes: row?["bytes"] ?? 0, sampled: row?["sampled"] ?? 0,
      sampledOf: row?["sampled_of"] ?? 0)
  }

  private static func insert(_ row: RecentEventChunk, atMs: Int64, _ db: Database) throws {
    try db.cachedStatement(
      sql: "INSERT INTO recent_event (at_ms, events, sampled, sampled_of, data) VALUES (?, ?, ?, ?, ?)"
    ).execute(arguments: [atMs, row.events, row.sampled, row.sampledOf, Data(row.bytes)])
  }

  /// Deletes the oldest, until the rest is within the bound or `most` bytes are gone.
  private static func evict(bytesMax: Int, most: Int, _ db: Database) throws -> Int64 {
    let total = try total(db).bytes
    guard total > bytesMax else { return 0 }
    let sizes = try Row.fetchCursor(
      try db.cachedStatement(sql: "SELECT id, events, length(data) AS size FROM recent_event ORDER BY id"))
    var lastID: Int64 = 0
    var events: Int64 = 0
    var bytes = 0
    while total - bytes > bytesMax, bytes < most, let row = try sizes.next() {
      lastID = row["id"]
      events += row["events"] as Int64
      bytes += row["size"] as Int
    }
    try db.cachedStatement(sql: "DELETE FROM recent_event WHERE id <= ?").execute(arguments: [lastID])
    return events
  }
}
