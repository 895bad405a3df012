// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB
internal import TimeSeries

// `cache_hour`: hits, misses and durations by hour, cache and tier, for people who ask in SQL. It is written in the
// commit of the events, so it agrees with every other number at any time and outlives all retention.

/// Windows of an hour: what older windows are merged into, and what `cache_hour` has rows of.
enum Hour {
  static let widthMs: Int64 = 3_600_000
}

/// The rows of `cache_hour` that commits touch. Only the committer uses it.
struct HourTable {
  /// Rows kept in memory: the current hour of a few thousand caches. Beyond that they are read again.
  static let rowsMax = 4_096

  /// Service, cache and tier of rows.
  private struct Place: Hashable {
    var service: String
    var cache: String
    var tier: String
  }

  private struct RowKey: Hashable {
    var hourMs: Int64
    /// Index into `places`: an integer, because a commit looks up a row for each of its windows.
    var place: Int
  }

  private struct Row {
    var hits: Int64 = 0
    var misses: Int64 = 0
    var bypasses: Int64 = 0
    var errors: Int64 = 0
    var durations = Histogram()
  }

  /// What a series counts here.
  private struct Role {
    enum Column { case hits, misses, bypasses, errors, durations }

    var column: Column
    var place: Int
  }

  private var rows: [RowKey: Row] = [:]
  private var places: [Place] = []
  private var placeIndexes: [Place: Int] = [:]
  /// By index of the series; nil for one that is no part of the table.
  private var roles: [Role?] = []

  /// Adds what a transaction counts and writes the rows it touches.
  ///
  /// - Parameter key: the key of a series by its index.
  mutating func write(_ entries: JournalEntries, to db: Database, key: (Int) -> SeriesKey) throws {
    var touched: Set<RowKey> = []
    for entry in entries.counts {
      guard let role = role(entry.series, key) else { continue }
      let row = try load(role.place, entry.window.timeMs, &touched, db)
      HourTable.add(entry.window.increment, role.column, to: &rows[row]!)
    }
    for entry in entries.distributions {
      guard let role = role(entry.series, key), role.column == .durations else { continue }
      let row = try load(role.place, entry.window.timeMs, &touched, db)
      rows[row]!.durations.add(entry.window.buckets, sum: entry.window.sum)
    }
    for row in touched { try write(row, rows[row]!, db) }
    if rows.count > HourTable.rowsMax { rows = [:] }
  }

  /// Forgets what is in memory, after a transaction that was rolled back.
  mutating func forget() {
    rows = [:]
    roles = []
  }

  private static func add(_ increment: Int64, _ column: Role.Column, to row: inout Row) {
    switch column {
    case .hits: row.hits += increment
    case .misses: row.misses += increment
    case .bypasses: row.bypasses += increment
    case .errors: row.errors += increment
    case .durations: break
    }
  }

  private mutating func role(_ series: Int, _ key: (Int) -> SeriesKey) -> Role? {
    while roles.count <= series { roles.append(makeRole(key(roles.count))) }
    return roles[series]
  }

  private mutating func makeRole(_ key: SeriesKey) -> Role? {
    let labels = key.labels
    let column: Role.Column
    switch labels.metricName {
    case "cache_hits_total": column = .hits
    case "cache_misses_total": column = .misses
    case "cache_bypasses_total": column = .bypasses
    case "cache_errors_total": column = .errors
    // Durations of lookups: those of invalidations and bulk fetches would answer another question.
    case "cache_operation_duration_seconds" where labels["operation"] == "hit" || labels["operation"] == "miss":
      column = .durations
    default: return nil
    }
    // Misses, bypasses and errors have no tier.
    let tier = labels["operation"] == "miss" ? "" : labels["tier"] ?? ""
    let place = Place(service: labels["service"] ?? "", cache: labels["cache"] ?? "", tier: tier)
    if placeIndexes[place] == nil {
      placeIndexes[place] = places.count
      places.append(place)
    }
    return Role(column: column, place: placeIndexes[place]!)
  }

  /// Brings a row into memory and marks it as touched.
  private mutating func load(_ place: Int, _ timeMs: Int64, _ touched: inout Set<RowKey>, _ db: Database) throws -> RowKey {
    let key = RowKey(hourMs: floor(timeMs, to: Hour.widthMs), place: place)
    if touched.insert(key).inserted, rows[key] == nil { rows[key] = try read(key, db) ?? Row() }
    return key
  }

  private func read(_ key: RowKey, _ db: Database) throws -> Row? {
    let statement = try db.cachedStatement(
      sql: """
        SELECT hits, misses, bypasses, errors, duration_sum_ms, durations FROM cache_hour
        WHERE hour_ms = ? AND service = ? AND cache = ? AND tier = ?
        """)
    let place = places[key.place]
    let arguments: StatementArguments = [key.hourMs, place.service, place.cache, place.tier]
    return try GRDB.Row.fetchOne(statement, arguments: arguments).map { stored in
      var row = Row(
        hits: stored["hits"], misses: stored["misses"], bypasses: stored["bypasses"], errors: stored["errors"])
      row.durations.add(
        try Histogram.decode(Array(stored["durations"] as Data)), sum: (stored["duration_sum_ms"] as Double) / 1000)
      return row
    }
  }

  private func write(_ key: RowKey, _ row: Row, _ db: Database) throws {
    let place = places[key.place]
    let count = row.durations.count
    let sumMs = row.durations.sum * 1000
    let statement = try db.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO cache_hour (hour_ms, service, cache, tier, hits, misses, bypasses, errors,
          duration_count, duration_sum_ms, duration_avg_ms, duration_p95_ms, durations)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
    try statement.execute(arguments: [
      key.hourMs, place.service, place.cache, place.tier, row.hits, row.misses, row.bypasses, row.errors,
      count, sumMs, count == 0 ? nil : sumMs / Double(count), row.durations.quantile(0.95).map { $0 * 1000 },
      Data(Histogram.encoded(row.durations.nonEmpty)),
    ])
  }
}
