// SPDX-License-Identifier: Apache-2.0

// What age and size do to windows, and what outlives both.

import Foundation
import GRDB
import Storage
import Testing
import TimeSeries

private let hourMs: Int64 = 3_600_000
private let dayMs: Int64 = 24 * hourMs
/// The span of a block of 10 s windows.
private let spanMs: Int64 = 10_240_000

private func keeping(rawMs: Int64, hoursMs: Int64) -> (inout StoreConfiguration) -> Void {
  { configuration in
    configuration.retention.rawMs = rawMs
    configuration.retention.hourMs = hoursMs
    // Only the test compacts: by itself it would go by the clock, to which these times are ancient.
    configuration.compaction.intervalMs = dayMs
    configuration.compaction.journalBytesMax = .max
  }
}

private func randomDelta(throughMs: Int64, _ random: inout SeededRandom) -> BatchDelta {
  var delta = nothing
  for _ in 0..<40 {
    let labels = ["cache": "c\(Int.random(in: 0..<3, using: &random))"]
    let startMs = Int64.random(in: 0..<throughMs / 10_000, using: &random) * 10_000
    let bucket = Int32.random(in: 0..<200, using: &random)
    delta = delta.counting("hits_total", labels, at: startMs, Int64.random(in: 1...500, using: &random))
      .measuring("d_seconds", labels, at: startMs, [bucket: 2, bucket + 3: 1], sum: Double(bucket))
      .sampling("entries", labels, at: startMs + 7, Double(startMs))
  }
  return delta
}

@Test func windowsPastTheirAgeBecomeHoursWithTheSameSums() throws {
  let seed = SeededRandom.seed(for: "windowsPastTheirAgeBecomeHoursWithTheSameSums")
  var random = SeededRandom(state: seed)
  let folder = Folder()
  let configure = keeping(rawMs: dayMs, hoursMs: 730 * dayMs)
  var store = try folder.open(with: configure)
  var nowMs = 0 as Int64
  for day in 1...6 as ClosedRange<Int64> {
    nowMs = day * dayMs
    // Also events of the first day, whose neighbours are hours by then.
    for _ in 0..<5 { try store.commit(randomDelta(throughMs: nowMs, &random)) }
    let before = (sums: try store.listing(step: hourMs), states: store.states)
    try store.compact(nowMs: nowMs)
    #expect(try store.listing(step: hourMs) == before.sums, "RAMPART_SEED=\(seed): day \(day)")
    #expect(store.states == before.states, "RAMPART_SEED=\(seed): day \(day)")
    store = try folder.reopen(store, with: configure)
    #expect(try store.listing(step: hourMs) == before.sums, "RAMPART_SEED=\(seed): day \(day), reopened")
    #expect(store.states == before.states, "RAMPART_SEED=\(seed): day \(day), reopened")
  }
  let limitMs = nowMs - dayMs
  #expect(try folder.integers("SELECT count(*) FROM block WHERE width_ms = 10000 AND start_ms + \(spanMs) <= \(limitMs)") == [0])
  #expect(try folder.integers("SELECT count(*) FROM block WHERE width_ms = 10000") != [0])
  #expect(try folder.integers("SELECT count(*) FROM block WHERE width_ms = 3600000") == [9], "one a series")
}

@Test func aBlockAgesWhenAllOfItIsPastTheLimit() throws {
  let folder = Folder()
  let store = try folder.open(with: keeping(rawMs: dayMs, hoursMs: 730 * dayMs))
  try store.commit(nothing.counting("hits_total", at: 10_000, 1))
  try store.compact(nowMs: dayMs + spanMs - 1)
  #expect(try folder.integers("SELECT width_ms FROM block") == [10_000])
  try store.compact(nowMs: dayMs + spanMs)
  #expect(try folder.integers("SELECT width_ms FROM block") == [hourMs])
  #expect(try store.listing() == ["hits_total @0 1"])
}

@Test func ofAGaugeTheLastSampleOfEachHourStays() throws {
  let folder = Folder()
  let store = try folder.open(with: keeping(rawMs: dayMs, hoursMs: 730 * dayMs))
  func kept() throws -> [Double] {
    try [1, 2, 3, 4, 5].filter { value in try store.sampleCount(equalTo: value, sinceMs: 0) { _ in true } == 1 }
  }
  try store.commit(nothing.sampling("entries", at: 5, 1).sampling("entries", at: hourMs - 1, 2).sampling("entries", at: hourMs, 3))
  try store.compact(nowMs: 10 * dayMs)
  #expect(try kept() == [2, 3])
  // Late, to where hours are already: one before the hour's last sample, one after it.
  try store.commit(nothing.sampling("entries", at: hourMs - 2, 4).sampling("entries", at: hourMs + 9, 5))
  try store.compact(nowMs: 10 * dayMs)
  #expect(try kept() == [2, 5])
  #expect(store.states == ["entries = 5.0 latest=\(hourMs + 9)"])
}

@Test func hoursPastTheirAgeGoAndTotalsStay() throws {
  let folder = Folder()
  let configure = keeping(rawMs: dayMs, hoursMs: 10 * dayMs)
  var store = try folder.open(with: configure)
  try store.commit(nothing.counting("hits_total", at: 0, 1).measuring("d_seconds", at: 0, [1: 2], sum: 3).sampling("entries", at: 5, 5))
  try store.commit(nothing.counting("hits_total", at: 200 * dayMs, 2))
  let states = store.states
  try store.compact(nowMs: 5 * dayMs)
  #expect(try store.listing() == ["hits_total @0 3", #"d_seconds @0 2 ["1:2"] sum=3.0"#])
  try store.compact(nowMs: 10 * dayMs)
  #expect(try store.listing() == ["hits_total @0 3", #"d_seconds @0 2 ["1:2"] sum=3.0"#], "at the limit")
  try store.compact(nowMs: 10 * dayMs + 6)
  #expect(try store.listing() == ["hits_total @0 2"])
  #expect(store.states == states)
  store = try folder.reopen(store, with: configure)
  #expect(try store.listing() == ["hits_total @0 2"])
  #expect(store.states == states)
  // What has come back in between does not count twice.
  try store.commit(nothing.counting("hits_total", at: 0, 4))
  #expect(store.states.first == "hits_total 7 latest=\(200 * dayMs)")
}

// MARK: Size

/// What ten minutes of some histograms add: large enough that days of it fill a store of a few MiB.
private func busyTenMinutes(from startMs: Int64, _ random: inout SeededRandom) -> BatchDelta {
  var delta = nothing
  for window in 0..<60 as Range<Int64> {
    for cache in 0..<10 {
      let labels = ["cache": "c\(cache)"]
      let buckets = (0..<20 as Range<Int32>).map {
        BatchDelta.BucketCount(bucket: $0 * 7, count: Int64.random(in: 1...10_000, using: &random))
      }
      delta = delta.counting("hits_total", labels, at: startMs + window * 10_000, 1)
      if window.isMultiple(of: 3) {
        delta = delta.measuring("d_seconds", labels, at: startMs + window * 10_000, [:], sum: 1)
        delta.distributions[delta.distributions.count - 1].buckets = buckets
      }
    }
  }
  return delta
}

@Test func aStoreNearItsSizeGivesUpOldBlocksAndGoesOnCommitting() throws {
  let seed = SeededRandom.seed(for: "aStoreNearItsSizeGivesUpOldBlocksAndGoesOnCommitting")
  var random = SeededRandom(state: seed)
  let folder = Folder()
  let store = try folder.open(sizeBytesMax: 2 << 20, with: keeping(rawMs: 365 * dayMs, hoursMs: 730 * dayMs))
  var hits: Int64 = 0
  for step in 0..<1_000 as Range<Int64> {
    let startMs = step * 600_000
    let delta = busyTenMinutes(from: startMs, &random)
    try store.commit(delta)
    hits += delta.counts.reduce(0) { $0 + $1.increment }
    if step.isMultiple(of: 5) { try store.compact(nowMs: startMs + 600_000) }
  }
  try store.compact(nowMs: 1_000 * 600_000)
  #expect(try store.sizeBytes() <= 2 << 20)
  let widths = try folder.integers("SELECT DISTINCT width_ms FROM block ORDER BY 1")
  #expect(widths == [10_000, hourMs], "old windows are hours long before their age")
  let total = store.series.filter { $0.key.kind == .counter }.reduce(0) { $0 + $1.count }
  #expect(total == hits, "RAMPART_SEED=\(seed)")
  // A year of hours is far less than the store: nothing had to go.
  let kept = try store.sums(fromMs: 0, untilMs: .max / 4) { $0.kind == .counter }.reduce(0) { $0 + $1.count }
  #expect(kept == hits, "RAMPART_SEED=\(seed)")
}

@Test func aStoreThatIsAboveANewSizeMakesRoomAndCommits() throws {
  let seed = SeededRandom.seed(for: "aStoreThatIsAboveANewSizeMakesRoomAndCommits")
  var random = SeededRandom(state: seed)
  let folder = Folder()
  let configure = keeping(rawMs: 365 * dayMs, hoursMs: 730 * dayMs)
  var store = try folder.open(sizeBytesMax: 64 << 20, with: configure)
  let steps: Int64 = 600
  for step in 0..<steps { try store.commit(busyTenMinutes(from: step * 600_000, &random)) }
  try store.compact(nowMs: steps * 600_000)
  // In the journal, so that blocks are to be written where there is no room for any.
  try store.commit(busyTenMinutes(from: steps * 600_000, &random))
  let states = store.states
  try store.close()
  try folder.sqlite().vacuum()
  try FileManager.default.removeItem(atPath: folder.path + "/lock")
  store = try folder.open(sizeBytesMax: 2 << 20, with: configure)
  let sizeBytes = try store.sizeBytes()
  try #require(sizeBytes > 4 << 20)
  #expect(throws: StoreError.self) { try store.commit(busyTenMinutes(from: steps * 600_000, &random)) }
  #expect(store.states == states)
  for step in steps..<steps + 50 {
    try store.compact(nowMs: step * 600_000)
    try store.commit(busyTenMinutes(from: step * 600_000, &random))
  }
  let usedBytes = try folder.integers("SELECT sum(pgsize) FROM dbstat")
  #expect(usedBytes[0] <= 2 << 20, "RAMPART_SEED=\(seed)")
}
