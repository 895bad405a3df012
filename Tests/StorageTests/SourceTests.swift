// SPDX-License-Identifier: Apache-2.0

// What queries see of windows: the series that Prometheus would have scraped.

import Storage
import Testing
import TimeSeries

private let second: Int64 = 1_000
private let hour: Int64 = 3_600_000
private let day: Int64 = 24 * hour

extension Store {
  /// Samples of every matching series as `labels: time=value …`, times in seconds.
  fileprivate func samples(
    _ name: String, _ more: [Matcher] = [], from fromMs: Int64, through throughMs: Int64, now: Int64 = 1_000 * day
  ) throws -> [String] {
    let matchers = [try Matcher(Labels.metricLabel, .equal, name)] + more
    return try reading("test") { snapshot in
      let source = StoreSource(snapshot, asOfMs: now, widthMs: 10 * second)
      return try source.series(matching: matchers, fromMs: fromMs, throughMs: throughMs).map { series in
        var buffer = SampleBuffer()
        try source.appendSamples(of: series, fromMs: fromMs, throughMs: throughMs, to: &buffer)
        let texts = zip(buffer.timesMs, buffer.values).map { time, value in
          "\(Exposition.number(Double(time) / 1000))=\(StaleMarker.isStale(value) ? "stale" : Exposition.number(value))"
        }
        return "\(source.labels(of: series)): \(texts.joined(separator: " "))"
      }
    }
  }
}

@Test func aCounterIsItsTotalAtEachWindowsEndWithAZeroBeforeTheFirst() throws {
  let store = try Folder().open()
  try store.commit(nothing.counting("hits_total", at: 100_000, 5).counting("hits_total", at: 110_000, 7))
  #expect(try store.samples("hits_total", from: 0, through: 130_000) == ["hits_total: 100=0 110=5 120=12 130=12"])
  #expect(try store.samples("hits_total", from: 105_000, through: 115_000) == ["hits_total: 110=5"])
}

@Test func betweenEventsTheTotalIsSaidAgain() throws {
  let store = try Folder().open()
  try store.commit(nothing.counting("hits_total", at: 0, 1).counting("hits_total", at: 40_000, 2))
  #expect(try store.samples("hits_total", from: 0, through: 60_000) == ["hits_total: 0=0 10=1 20=1 30=1 40=1 50=3 60=3"])
}

@Test func aWindowThatHasNotEndedStandsAtTheTimeOfTheQuery() throws {
  let store = try Folder().open()
  try store.commit(nothing.counting("hits_total", at: 100_000, 5).counting("hits_total", at: 110_000, 7))
  let now: Int64 = 113_500
  #expect(try store.samples("hits_total", from: 0, through: 200_000, now: now) == ["hits_total: 100=0 110=5 113.5=12"])
  #expect(
    try store.samples("hits_total", from: 0, through: 200_000, now: 104_000) == ["hits_total: 100=0 104=5"],
    "what is dated ahead is not seen yet")
}

@Test func aLateEventIsInEverySampleAfterIt() throws {
  let folder = Folder()
  let store = try folder.open()
  try store.commit(nothing.counting("hits_total", at: 100_000, 5).counting("hits_total", at: 120_000, 1))
  try store.compact(nowMs: 200_000)
  try store.commit(nothing.counting("hits_total", at: 110_000, 100).counting("hits_total", at: 100_000, 1_000))
  let expected = ["hits_total: 100=0 110=1005 120=1105 130=1106"]
  #expect(try store.samples("hits_total", from: 0, through: 130_000) == expected)
  try store.compact(nowMs: 200_000)
  #expect(try store.samples("hits_total", from: 0, through: 130_000) == expected)
  let reopened = try folder.reopen(store)
  #expect(try reopened.samples("hits_total", from: 0, through: 130_000) == expected)
}

@Test func aDayWithoutEventsEndsASeriesAndItsOldTotalComesBackFirst() throws {
  let store = try Folder().open()
  try store.commit(nothing.counting("hits_total", at: 0, 3).counting("hits_total", at: 2 * day, 4))
  let end = 10 * second + day
  #expect(
    try store.samples("hits_total", from: end - 10 * second, through: end + 20 * second)
      == ["hits_total: 86400=3 86410=3 86420=stale"])
  #expect(try store.samples("hits_total", from: end + 20 * second, through: 2 * day - 1) == ["hits_total: "])
  #expect(
    try store.samples("hits_total", from: 2 * day - second, through: 2 * day + 10 * second)
      == ["hits_total: 172800=3 172810=7"])
}

@Test func aHistogramIsItsBucketsItsSumAndItsCount() throws {
  let store = try Folder().open()
  let of = { (seconds: Double) in Int32(DurationBuckets.index(ofSeconds: seconds)) }
  try store.commit(
    nothing.measuring("d_seconds", ["tier": "L1"], at: 0, [of(0.001): 2, of(0.5): 1], sum: 0.502)
      .measuring("d_seconds", ["tier": "L1"], at: 10_000, [of(0.001): 4], sum: 0.004))
  #expect(try store.samples("d_seconds_count", from: 0, through: 20_000) == [#"d_seconds_count{tier="L1"}: 0=0 10=3 20=7"#])
  #expect(
    try store.samples("d_seconds_sum", from: 0, through: 20_000) == [#"d_seconds_sum{tier="L1"}: 0=0 10=0.502 20=0.506"#])
  let buckets = try store.samples("d_seconds_bucket", from: 0, through: 20_000)
  #expect(buckets.count == DurationBuckets.count)
  let byBound = { (bound: String) in buckets.first { $0.contains("le=\"\(bound)\"") } ?? "none" }
  #expect(byBound("0.00094").hasSuffix("0=0 10=0 20=0"))
  #expect(byBound("0.001").hasSuffix("0=0 10=2 20=6"))
  #expect(byBound("0.475").hasSuffix("0=0 10=2 20=6"))
  #expect(byBound("0.5").hasSuffix("0=0 10=3 20=7"))
  #expect(byBound("+Inf").hasSuffix("0=0 10=3 20=7"))
  let le = try Matcher("le", .matches, "0.5|0.001")
  #expect(try store.samples("d_seconds_bucket", [le], from: 0, through: 0).count == 2)
  #expect(try store.samples("d_seconds", from: 0, through: 20_000) == [])
}

@Test func aBucketReadAloneEqualsOneReadInOrder() throws {
  let store = try Folder().open()
  for window in 0..<5 as Range<Int64> {
    try store.commit(nothing.measuring("d_seconds", at: window * 10_000, [3: window + 1, 90: 2], sum: 1))
  }
  let all = try store.samples("d_seconds_bucket", from: 20_000, through: 40_000)
  for (bucket, bound) in DurationBuckets.boundNames.enumerated().reversed() {
    let alone = try store.samples("d_seconds_bucket", [try Matcher("le", .equal, bound)], from: 20_000, through: 40_000)
    #expect(alone == [all[bucket]])
  }
}

@Test func aCacheGaugeHoldsAndAnotherDoesNot() throws {
  let store = try Folder().open()
  try store.commit(nothing.sampling("cache_entries", at: 12_345, 7).sampling("redis_up", at: 12_345, 1))
  #expect(try store.samples("cache_entries", from: 0, through: 30_000) == ["cache_entries: 12.345=7 20=7 30=7"])
  #expect(try store.samples("redis_up", from: 0, through: 30_000) == ["redis_up: 12.345=1"])
}

@Test func aGaugeHoldsItsNewestValueWhateverTheWidthOfItsBlock() throws {
  let folder = Folder()
  var store = try folder.open()
  try store.commit(nothing.sampling("cache_entries", at: 9_000_000, 200))
  try store.compact(nowMs: 20_000_000)
  store = try folder.reopen(store) { $0.widthMs = 1_000 }
  // Late, in a block of narrow windows that starts after the one of wide windows.
  try store.commit(nothing.sampling("cache_entries", at: 5_000_000, 100))
  try store.compact(nowMs: 20_000_000)
  #expect(
    try store.samples("cache_entries", from: 15_000_000, through: 15_010_000) == ["cache_entries: 15000=200 15010=200"])
}

@Test func hoursKeepTotalsAndSpreadWhatTheyAdd() throws {
  let store = try Folder().open()
  // 24 in the first hour, 12 in the second; both long past raw retention.
  try store.commit(nothing.counting("hits_total", at: 600_000, 24).counting("hits_total", at: hour + 10_000, 12))
  try store.compact(nowMs: 100 * day)
  let hours = try store.samples("hits_total", from: 0, through: 2 * hour, now: 100 * day)
  #expect(hours.count == 1)
  #expect(hours[0].hasPrefix("hits_total: 0=0 300=2 600=4 900=6"))
  #expect(hours[0].contains(" 3600=24 3900=25 4200=26 "))
  #expect(hours[0].hasSuffix(" 7200=36"))
}

@Test func seriesThatEndedLongBeforeAreNotSelected() throws {
  let store = try Folder().open()
  try store.commit(nothing.counting("hits_total", at: 0, 1))
  #expect(try store.samples("hits_total", from: 3 * day, through: 4 * day) == [])
}
