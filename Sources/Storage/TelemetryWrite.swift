// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB
internal import TimeSeries

// One transaction's worth of telemetry: submissions are staged into sums first and written once each, so a group of
// bodies that touch the same series costs as much as one of them.

struct TelemetryWrite {
  private struct WindowKey: Hashable {
    let series: Int
    let startMs: Int64
  }

  private let db: Database
  private let catalog: SeriesCatalog
  /// Series touched by this transaction, with the state they will have.
  private var touched: [SeriesState] = []
  private var isNew: [Bool] = []
  private var touchedByKey: [SeriesKey: Int] = [:]
  private var staged = StagedSeries()
  private var counts: [WindowKey: Int64] = [:]
  private var distributions: [WindowKey: Histogram] = [:]
  private var gauges: [WindowKey: Double] = [:]
  private var hasDeadLetters = false

  init(db: Database, catalog: SeriesCatalog) {
    self.db = db
    self.catalog = catalog
  }

  /// Series that this transaction creates, with their state.
  var createdSeries: [SeriesState] { zip(touched, isNew).filter { $1 }.map { $0.0 } }
  /// Series that existed before, with their new state.
  var changedSeries: [SeriesState] { zip(touched, isNew).filter { !$1 }.map { $0.0 } }

  /// Adds a submission, unless it was delivered before.
  mutating func stage(_ submission: Submission) throws -> CommitOutcome {
    if let key = submission.dedupeKey {
      if let answer = try delivered(key, nowMs: submission.receivedMs) { return .duplicate(answer) }
      try remember(key, submission.answer)
    }
    for letter in submission.deadLetters { try insert(letter, atMs: submission.receivedMs) }
    try stage(submission.delta)
    return .committed
  }

  /// Writes the staged sums and forgets what has expired.
  mutating func finish(deadLettersMax: Int) throws {
    try writeCounts()
    try writeDistributions()
    try writeGauges()
    try writeTotals()
    if hasDeadLetters {
      try db.cachedStatement(
        sql: "DELETE FROM dead_letter WHERE id <= (SELECT max(id) FROM dead_letter) - ?"
      ).execute(arguments: [deadLettersMax])
    }
  }

  // MARK: Deliveries and dead letters

  private func delivered(_ key: DedupeKey, nowMs: Int64) throws -> Answer? {
    // Expired rows go a few at a time, so that no commit pays for many.
    try db.cachedStatement(
      sql: "DELETE FROM delivery WHERE digest IN (SELECT digest FROM delivery WHERE expires_ms <= ? ORDER BY expires_ms LIMIT 16)"
    ).execute(arguments: [nowMs])
    let statement = try db.cachedStatement(sql: "SELECT status, answer FROM delivery WHERE digest = ? AND expires_ms > ?")
    return try Row.fetchOne(statement, arguments: [Data(key.digest), nowMs]).map {
      Answer(status: $0["status"], body: Array($0["answer"] as Data))
    }
  }

  private func remember(_ key: DedupeKey, _ answer: Answer) throws {
    try db.cachedStatement(
      sql: "INSERT OR REPLACE INTO delivery (digest, expires_ms, status, answer) VALUES (?, ?, ?, ?)"
    ).execute(arguments: [Data(key.digest), key.expiresMs, answer.status, Data(answer.body)])
  }

  private mutating func insert(_ letter: DeadLetter, atMs: Int64) throws {
    hasDeadLetters = true
    try db.cachedStatement(
      sql: "INSERT INTO dead_letter (at_ms, source, line, reason, body) VALUES (?, ?, ?, ?, ?)"
    ).execute(arguments: [atMs, letter.source, letter.line, letter.reason, Data(letter.body)])
  }

  // MARK: Staging

  private mutating func stage(_ delta: BatchDelta) throws {
    let indexes = try delta.series.map { try touch($0) }
    for count in delta.counts {
      let index = indexes[count.series]
      counts[WindowKey(series: index, startMs: count.windowStartMs), default: 0] += count.increment
      touched[index].count += count.increment
      touched[index].latestMs = max(touched[index].latestMs, count.windowStartMs)
    }
    for distribution in delta.distributions {
      let index = indexes[distribution.series]
      let key = WindowKey(series: index, startMs: distribution.windowStartMs)
      distributions[key, default: Histogram()].add(distribution.buckets, sum: distribution.sum)
      touched[index].histogram?.add(distribution.buckets, sum: distribution.sum)
      touched[index].latestMs = max(touched[index].latestMs, distribution.windowStartMs)
    }
    // SQLite keeps NaN as NULL, which the column refuses: the whole group of bodies would fail for one such sample.
    for gauge in delta.gauges where !gauge.value.isNaN {
      let index = indexes[gauge.series]
      gauges[WindowKey(series: index, startMs: gauge.timestampMs)] = gauge.value
      // A late sample is stored, but the newest one stays the current value.
      guard gauge.timestampMs >= touched[index].latestMs else { continue }
      touched[index].value = gauge.value
      touched[index].latestMs = gauge.timestampMs
    }
  }

  /// The index into `touched` of a series, which is created where it is new.
  private mutating func touch(_ key: SeriesKey) throws -> Int {
    if let index = touchedByKey[key] { return index }
    if let existing = catalog.series(key) { return append(existing, isNew: false, as: key) }
    let bounded = catalog.boundedKey(key, staged: staged)
    if bounded != key {
      let index = try touch(bounded)
      touchedByKey[key] = index
      return index
    }
    try db.cachedStatement(
      sql: "INSERT INTO series (kind, name, labels) VALUES (?, ?, ?)"
    ).execute(arguments: [key.kind.rawValue, key.labels.metricName, key.labelsDocument])
    staged.insert(key)
    return append(SeriesState(id: db.lastInsertedRowID, key: key), isNew: true, as: key)
  }

  private mutating func append(_ series: SeriesState, isNew: Bool, as key: SeriesKey) -> Int {
    touchedByKey[key] = touched.count
    touched.append(series)
    self.isNew.append(isNew)
    return touched.count - 1
  }

  // MARK: Writing

  private func writeCounts() throws {
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO counter_window (series_id, start_ms, value) VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET value = value + excluded.value
        """)
    for (key, value) in counts {
      try statement.execute(arguments: [touched[key.series].id, key.startMs, value])
    }
  }

  private func writeDistributions() throws {
    let read = try db.cachedStatement(sql: "SELECT sum, buckets FROM histogram_window WHERE series_id = ? AND start_ms = ?")
    let write = try db.cachedStatement(
      sql: "INSERT OR REPLACE INTO histogram_window (series_id, start_ms, sum, buckets) VALUES (?, ?, ?, ?)")
    for (key, added) in distributions {
      let id = touched[key.series].id
      var histogram = added
      if let row = try Row.fetchOne(read, arguments: [id, key.startMs]) {
        histogram.add(try Histogram.decode(Array(row["buckets"] as Data)), sum: row["sum"])
      }
      try write.execute(arguments: [id, key.startMs, histogram.sum, Data(Histogram.encoded(histogram.nonEmpty))])
    }
  }

  private func writeGauges() throws {
    let statement = try db.cachedStatement(
      sql: "INSERT OR REPLACE INTO gauge_sample (series_id, time_ms, value) VALUES (?, ?, ?)")
    for (key, value) in gauges {
      try statement.execute(arguments: [touched[key.series].id, key.startMs, value])
    }
  }

  private func writeTotals() throws {
    let statement = try db.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO series_total (series_id, latest_ms, count, sum, buckets, value) VALUES (?, ?, ?, ?, ?, ?)
        """)
    for series in touched where series.latestMs != .min {
      let buckets = series.histogram.map { Data(Histogram.encoded($0.nonEmpty)) }
      try statement.execute(arguments: [
        series.id, series.latestMs, series.key.kind == .counter ? series.count : nil, series.histogram?.sum, buckets,
        series.key.kind == .gauge ? series.value : nil,
      ])
    }
  }
}

extension BatchDelta {
  /// What the delta costs to hold and to write.
  var entryCount: Int { counts.count + distributions.count + gauges.count }
}
