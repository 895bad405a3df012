// SPDX-License-Identifier: Apache-2.0

// `cache_hour` against the events themselves, added up by a dictionary.

import Foundation
import GRDB
import Storage
import Testing
import TimeSeries

private let hourMs: Int64 = 3_600_000

private struct Place: Hashable {
  var hourMs: Int64
  var service: String
  var cache: String
  var tier: String
}

private struct Counts: Equatable {
  var hits: Int64 = 0
  var misses: Int64 = 0
  var bypasses: Int64 = 0
  var errors: Int64 = 0
  var durationsMs: [Double] = []
}

private struct Events {
  private(set) var counts: [Place: Counts] = [:]

  /// A body of some events, most in the newest hour, some late.
  mutating func body(_ random: inout SeededRandom, hour: Int64, countsIt: Bool = true) -> BatchDelta {
    var delta = nothing
    var counts = counts
    for _ in 0..<25 {
      let isLate = Int.random(in: 0..<5, using: &random) == 0
      let timeMs = (isLate ? Int64.random(in: 0...hour, using: &random) : hour) * hourMs
        + Int64.random(in: 0..<360, using: &random) * 10_000
      let (service, cache) = (["web", "shop"].randomElement(using: &random)!, ["a", "b"].randomElement(using: &random)!)
      let tier = ["L1", "L2"].randomElement(using: &random)!
      let common = ["service": service, "cache": cache]
      let operation = ["hit", "miss", "invalidation"].randomElement(using: &random)!
      let place = Place(hourMs: floor(timeMs, to: hourMs), service: service, cache: cache, tier: operation == "hit" ? tier : "")
      let durationMs = exp(Double.random(in: -3...5, using: &random))
      let bucket = Int32(DurationBuckets.index(ofSeconds: durationMs / 1_000))
      var labels = common
      labels["operation"] = operation
      if operation != "invalidation" { labels["tier"] = tier }
      delta = delta.measuring("cache_operation_duration_seconds", labels, at: timeMs, [bucket: 1], sum: durationMs / 1_000)
      switch operation {
      case "hit":
        delta = delta.counting("cache_hits_total", common.merging(["tier": tier]) { $1 }, at: timeMs, 1)
        counts[place, default: Counts()].hits += 1
        counts[place]!.durationsMs.append(durationMs)
      case "miss":
        delta = delta.counting("cache_misses_total", common, at: timeMs, 1)
          .counting("cache_bypasses_total", common, at: timeMs, 2).counting("cache_errors_total", common, at: timeMs, 3)
        counts[place, default: Counts()].misses += 1
        counts[place]!.bypasses += 2
        counts[place]!.errors += 3
        counts[place]!.durationsMs.append(durationMs)
      default:
        delta = delta.counting("cache_invalidations_total", common, at: timeMs, 1)
      }
    }
    if countsIt { self.counts = counts }
    return delta
  }
}

private func expectEqual(_ folder: Folder, _ events: Events, _ when: String) throws {
  let rows = try folder.sqlite().read { try Row.fetchAll($0, sql: "SELECT * FROM cache_hour") }
  #expect(rows.count == events.counts.count, "\(when)")
  for row in rows {
    let place = Place(hourMs: row["hour_ms"], service: row["service"], cache: row["cache"], tier: row["tier"])
    let expected = events.counts[place] ?? Counts()
    let found = Counts(hits: row["hits"], misses: row["misses"], bypasses: row["bypasses"], errors: row["errors"])
    let durations = expected.durationsMs.sorted()
    var counted = expected
    counted.durationsMs = []
    #expect(found == counted, "\(when): \(place)")
    #expect(row["duration_count"] == Int64(durations.count), "\(when): \(place)")
    let sumMs = durations.reduce(0, +)
    #expect(abs((row["duration_sum_ms"] as Double) - sumMs) <= 1e-9 * sumMs, "\(when): \(place)")
    let averageMs = sumMs / Double(durations.count)
    #expect(abs((row["duration_avg_ms"] as Double? ?? -1) - averageMs) <= 1e-9 * averageMs, "\(when): \(place)")
    // With few observations the quantile lies between two of them, wherever in between a reader likes it.
    guard durations.count >= 200 else { continue }
    let rank = 0.95 * Double(durations.count)
    let (low, high) = (durations[Int(rank.rounded(.up)) - 2], durations[min(Int(rank.rounded(.up)), durations.count - 1)])
    let found95: Double = row["duration_p95_ms"]
    #expect((low * 0.97...high * 1.03).contains(found95), "\(when): p95 of \(place) is \(found95), not \(low)...\(high)")
  }
}

@Test func theHourlyTableIsWhatTheEventsSay() throws {
  let seed = SeededRandom.seed(for: "theHourlyTableIsWhatTheEventsSay")
  var random = SeededRandom(state: seed)
  let folder = Folder()
  let keep = { (configuration: inout StoreConfiguration) in
    configuration.compaction.intervalMs = hourMs
    configuration.retention.rawMs = 2 * hourMs
    configuration.retention.hourMs = 3 * hourMs
  }
  var store = try folder.open(with: keep)
  try folder.sqlite().write {
    try $0.execute(
      sql: """
        CREATE TABLE fault (isOn INTEGER NOT NULL);
        INSERT INTO fault VALUES (0);
        CREATE TRIGGER fault_now BEFORE INSERT ON cache_hour WHEN (SELECT isOn FROM fault) AND NEW.service = 'web'
        BEGIN SELECT RAISE(ABORT, 'fault'); END
        """)
  }
  func setFault(_ isOn: Bool) throws {
    try folder.sqlite().write { try $0.execute(sql: "UPDATE fault SET isOn = ?", arguments: [isOn]) }
  }
  var events = Events()
  for hour in 0..<6 as Range<Int64> {
    for round in 0..<40 {
      if round % 10 == 3 {
        // Neither what this body counts nor the series it would have created may stay in memory.
        try setFault(true)
        let refused = events.body(&random, hour: hour, countsIt: false)
          .counting("cache_hits_total", ["service": "web", "cache": "new \(hour) \(round)", "tier": "L1"], at: hour * hourMs, 9)
        #expect(throws: StoreError.self) { try store.commit(refused) }
        try setFault(false)
      }
      try store.commit(events.body(&random, hour: hour))
    }
    try expectEqual(folder, events, "RAMPART_SEED=\(seed): hour \(hour)")
    try store.compact(nowMs: (hour + 1) * hourMs)
    if hour % 2 == 1 { store = try folder.reopen(store, with: keep) }
  }
  try store.compact(nowMs: 40 * 24 * hourMs)
  #expect(try folder.integers("SELECT count(*) FROM block") == [0])
  try expectEqual(folder, events, "RAMPART_SEED=\(seed): after all blocks are gone")
}

@Test func theHourlyViewIsForPeople() throws {
  let folder = Folder()
  let store = try folder.open()
  let labels = ["service": "web", "cache": "a"]
  try store.commit(
    nothing.counting("cache_misses_total", labels, at: 2 * hourMs, 1)
      .counting("cache_hits_total", labels.merging(["tier": "L1"]) { $1 }, at: hourMs, 2)
      .measuring(
        "cache_operation_duration_seconds", labels.merging(["tier": "L1", "operation": "hit"]) { $1 }, at: hourMs, [20: 2],
        sum: 0.000_123_456_7))
  let lines = try folder.sqlite().read { db in
    try Row.fetchAll(db, sql: "SELECT * FROM cache_hourly").map { row in
      row.map { "\($0.0)=\($0.1.isNull ? "" : "\($0.1)")" }.joined(separator: " ")
    }
  }
  #expect(
    lines == [
      #"hour="1970-01-01 01:00:00" service="web" cache="a" tier="L1" hits=2 misses=0 bypasses=0 errors=0 "#
        + "duration_avg_ms=0.062 duration_p95_ms=0.025",
      #"hour="1970-01-01 02:00:00" service="web" cache="a" tier="" hits=0 misses=1 bypasses=0 errors=0 "#
        + "duration_avg_ms= duration_p95_ms=",
    ])
}
