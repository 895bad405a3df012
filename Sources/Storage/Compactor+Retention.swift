// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB
internal import TimeSeries

// What age and size do to blocks: windows become hours, hours go. A block ages whole, when all its span is past the
// limit. The plain table `cache_hour` stays.

extension Compactor {
  /// Above this share of the greatest size the oldest blocks age early, so that there is room for new events.
  private static let fullShare = 0.9

  func applyRetention(nowMs: Int64) throws {
    while try rollUpOldest(untilMs: nowMs - retention.rawMs) {}
    while try dropOldestHours(untilMs: nowMs - retention.hourMs) {}
    while try usedShare() > Compactor.fullShare {
      // The newest span is never given up for room: then the store is full and says so.
      if try rollUpOldest(untilMs: nowMs - widthMs * BlockPlace.windowsMax) { continue }
      guard try dropOldestHours(untilMs: nowMs - Hour.widthMs) else { return }
    }
  }

  private func usedShare() throws -> Double {
    try pool.read { db in
      func pragma(_ name: String) throws -> Int64 { try Int64.fetchOne(db, sql: "PRAGMA \(name)") ?? 0 }
      let used = try pragma("page_count") - pragma("freelist_count")
      return Double(used * (try pragma("page_size"))) / Double(sizeBytesMax)
    }
  }

  /// Turns some of the oldest raw blocks that end by `untilMs` into hours.
  ///
  /// - Returns: false when there was none.
  private func rollUpOldest(untilMs: Int64) throws -> Bool {
    let (raw, hours) = try pool.read { db in
      let raw = try Row.fetchAll(
        db,
        sql: """
          SELECT id, series_id, start_ms, width_ms FROM block
          WHERE width_ms < \(Hour.widthMs) AND start_ms <= ? - width_ms * \(BlockPlace.windowsMax) ORDER BY start_ms LIMIT ?
          """, arguments: [untilMs, Compactor.blocksPerTransaction])
      return (raw.map { $0["id"] as Int64 }, try hourBlocks(of: raw.map { BlockPlace($0) }, db))
    }
    guard !raw.isEmpty else { return false }
    try write { db in
      // First: in a full store there is no other room for the hours.
      try delete(raw, db)
      for block in hours { try block.write(to: db) }
    }
    return true
  }

  /// The hour blocks with what raw blocks hold merged in.
  private func hourBlocks(of raw: [BlockPlace], _ db: Database) throws -> [EncodedBlock] {
    var hours: [BlockPlace: SeriesHead] = [:]
    for place in raw {
      guard let head = try BlockTable.head(at: place, kind: catalog.state(place.series).key.kind, db) else { continue }
      for (place, part) in head.widened(to: Hour.widthMs).split(series: place.series, widthMs: Hour.widthMs) {
        let old = try hours[place] ?? BlockTable.head(at: place, kind: catalog.state(place.series).key.kind, db)
        hours[place] = Compactor.merged(old, part, at: place)
      }
    }
    return hours.compactMap { EncodedBlock($1, kind: catalog.state($0.series).key.kind, at: $0) }
  }

  private func dropOldestHours(untilMs: Int64) throws -> Bool {
    let ids = try pool.read { db in
      try Int64.fetchAll(
        db, sql: "SELECT id FROM block WHERE width_ms >= \(Hour.widthMs) AND last_ms < ? ORDER BY start_ms LIMIT ?",
        arguments: [untilMs, Compactor.blocksPerTransaction])
    }
    guard !ids.isEmpty else { return false }
    try write { try delete(ids, $0) }
    return true
  }

  private func delete(_ ids: [Int64], _ db: Database) throws {
    let statement = try db.cachedStatement(sql: "DELETE FROM block WHERE id = ?")
    for id in ids { try statement.execute(arguments: [id]) }
  }
}
