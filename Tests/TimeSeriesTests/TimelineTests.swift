// SPDX-License-Identifier: Apache-2.0

// Entries in order of time, however they come. A dictionary is the oracle.

import Testing
import TimeSeries

private func counters(_ windows: KeyValuePairs<Int64, Int64>) -> Timeline<CounterWindow> {
  Timeline(sorted: windows.map { CounterWindow(startMs: $0.key, increment: $0.value) })
}

@Test func entriesAddedInAnyOrderAreWhatADictionaryHolds() {
  let seed = SeededRandom.seed(for: "entriesAddedInAnyOrderAreWhatADictionaryHolds")
  var random = SeededRandom(state: seed)
  for _ in 0..<300 {
    var counter = Timeline<CounterWindow>()
    var gauge = Timeline<GaugeSample>()
    var sums: [Int64: Int64] = [:]
    var latest: [Int64: Double] = [:]
    let span = Int64.random(in: 1...60, using: &random)
    for number in 0..<Int.random(in: 0...120, using: &random) {
      let timeMs = Int64.random(in: -span...span, using: &random) * 10
      counter.add(CounterWindow(startMs: timeMs, increment: Int64(number)))
      gauge.add(GaugeSample(timeMs: timeMs, value: Double(number)))
      sums[timeMs, default: 0] += Int64(number)
      latest[timeMs] = Double(number)
    }
    let expectedSums = sums.sorted { $0.key < $1.key }.map { CounterWindow(startMs: $0.key, increment: $0.value) }
    let expectedLatest = latest.sorted { $0.key < $1.key }.map { GaugeSample(timeMs: $0.key, value: $0.value) }
    #expect(counter.entries == expectedSums, "RAMPART_SEED=\(seed)")
    #expect(gauge.entries == expectedLatest, "RAMPART_SEED=\(seed)")
  }
}

@Test func mergingIsAddingTheLaterEntriesOneByOne() {
  let seed = SeededRandom.seed(for: "mergingIsAddingTheLaterEntriesOneByOne")
  var random = SeededRandom(state: seed)
  func timeline() -> Timeline<HistogramWindow> {
    let start = Int64.random(in: -20...20, using: &random)
    var timeline = Timeline<HistogramWindow>()
    for _ in 0..<Int.random(in: 0...20, using: &random) {
      let bucket = Int32.random(in: 0..<5, using: &random)
      let startMs = Int64.random(in: start...start + 20, using: &random)
      timeline.add(HistogramWindow(startMs: startMs, buckets: [.init(bucket: bucket, count: 1)], sum: Double(bucket)))
    }
    return timeline
  }
  for _ in 0..<500 {
    let (old, later) = (timeline(), timeline())
    var expected = old
    for entry in later.entries { expected.add(entry) }
    #expect(old.merging(later) == expected, "RAMPART_SEED=\(seed): \(old) and \(later)")
  }
}

@Test func ofTwoSamplesOfOneTimeTheLaterCounts() {
  let old = Timeline(sorted: [GaugeSample(timeMs: 1, value: 1), GaugeSample(timeMs: 2, value: 2)])
  let later = Timeline(sorted: [GaugeSample(timeMs: 2, value: 20), GaugeSample(timeMs: 3, value: 30)])
  #expect(old.merging(later).entries.map(\.value) == [1, 20, 30])
  #expect(later.merging(old).entries.map(\.value) == [1, 2, 30])
}

@Test func bucketsOfOneWindowAddUp() {
  var window = HistogramWindow(
    startMs: 0, buckets: [.init(bucket: 1, count: 1), .init(bucket: 4, count: 2)], sum: 0.5)
  window.merge(HistogramWindow(
    startMs: 0, buckets: [.init(bucket: 0, count: 8), .init(bucket: 4, count: 1), .init(bucket: 9, count: 3)], sum: 0.25))
  #expect(
    window.buckets == [
      .init(bucket: 0, count: 8), .init(bucket: 1, count: 1), .init(bucket: 4, count: 3), .init(bucket: 9, count: 3),
    ])
  #expect(window.sum == 0.75)
}

@Test func aRangeHoldsItsFirstTimeAndNotItsLast() {
  let timeline = counters([10: 1, 20: 2, 30: 4])
  func sum(_ fromMs: Int64, _ untilMs: Int64) -> Int64 {
    timeline.entries(fromMs: fromMs, untilMs: untilMs).reduce(0) { $0 + $1.increment }
  }
  #expect(sum(10, 30) == 3)
  #expect(sum(11, 31) == 6)
  #expect(sum(10, 10) == 0)
  #expect(sum(30, 10) == 0, "a range that ends before it starts is empty")
  #expect(sum(.min, .max) == 7)
  #expect(sum(31, .max) == 0)
  #expect(sum(.min, 10) == 0)
  #expect(counters([:]).entries(fromMs: .min, untilMs: .max).isEmpty)
  #expect([9, 10, 11, 30, 31].map { timeline.firstIndex(notBefore: $0) } == [0, 0, 1, 2, 3])
}

@Test(arguments: [
  (0, 0), (1, 0), (9_999, 0), (10_000, 10_000), (19_999, 10_000), (-1, -10_000), (-10_000, -10_000), (-10_001, -20_000),
  (.max, 9_223_372_036_854_770_000),
] as [(Int64, Int64)])
func aTimeBelongsToTheWindowThatStartsAtOrBeforeIt(timeMs: Int64, startMs: Int64) {
  #expect(floor(timeMs, to: 10_000) == startMs)
}
