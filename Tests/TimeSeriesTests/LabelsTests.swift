// SPDX-License-Identifier: Apache-2.0

// What makes two series the same, how a series prints, and what the totals of a cache come to.

import Testing
import TimeSeries

@Test func labelsAreTheSameInAnyOrder() {
  let one = Labels(metric: "cache_hits_total", [Label("tier", "L1"), Label("cache", "profile")])
  let other = Labels([Label("cache", "profile"), Label("tier", "L1"), Label("__name__", "cache_hits_total")])
  #expect(one == other)
  #expect(one.hashValue == other.hashValue)
  #expect(one.all.map(\.name) == ["__name__", "cache", "tier"])
}

@Test func anEmptyLabelIsNoLabel() {
  let labels = Labels(metric: "m", [Label("tier", ""), Label("cache", "c")])
  #expect(labels == Labels(metric: "m", [Label("cache", "c")]))
  #expect(labels["tier"] == nil)
  #expect(Labels(metric: "").metricName == "")
  #expect(Labels(metric: "").all.isEmpty)
}

@Test func replacingALabelKeepsTheOthersAndTheOrder() {
  let labels = Labels(metric: "m", [Label("b", "1"), Label("c", "2")])
  #expect(labels.replacing("a", with: "0").description == #"m{a="0",b="1",c="2"}"#)
  #expect(labels.replacing("b", with: "9").description == #"m{b="9",c="2"}"#)
  #expect(labels.replacing("b", with: "").description == #"m{c="2"}"#)
}

@Test func seriesSortByNameThenByLabels() {
  let ascending = [
    Labels(metric: "a"), Labels(metric: "a", [Label("x", "1")]), Labels(metric: "a", [Label("x", "2")]),
    Labels(metric: "a", [Label("y", "0")]), Labels(metric: "b"),
  ]
  #expect(ascending.reversed().sorted() == ascending)
}

@Test(arguments: [
  ("plain", #"m{l="plain"}"#),
  (#"back\slash"#, #"m{l="back\\slash"}"#),
  (#"a "quote""#, #"m{l="a \"quote\""}"#),
  ("two\nlines", #"m{l="two\nlines"}"#),
  ("größe, 大小", #"m{l="größe, 大小"}"#),
])
func aLabelValueIsEscapedAsPrometheusReadsIt(value: String, expected: String) {
  #expect(Labels(metric: "m", [Label("l", value)]).description == expected)
}

// A Swift Character may hold several scalars; the format knows only bytes. A quote that a combining mark hides from
// the escaping ends the value for every reader of the page.
@Test(arguments: [
  ("\"\u{301}", #"m{l="\""# + "\u{301}\"}"),
  ("\\\u{301}", #"m{l="\\"# + "\u{301}\"}"),
  ("a\r\nb", "m{l=\"a\r\\nb\"}"),
])
func aLabelValueIsEscapedWhateverFollowsTheSpecialByte(value: String, expected: String) {
  let description = Labels(metric: "m", [Label("l", value)]).description
  #expect(Array(description.utf8) == Array(expected.utf8), "got \(description.debugDescription)")
}

@Test func aMetricWithoutLabelsPrintsWithoutBraces() {
  #expect(Labels(metric: "up").description == "up")
}

@Test func ratiosOfNothingAreUnknown() {
  #expect(CacheTotals().hitRatio == nil)
  #expect(CacheTotals().errorRatio == nil)
  #expect(CacheTotals().lookups == 0)
}

@Test func ratiosCountWhatTheirNamesSay() {
  var totals = CacheTotals()
  totals.add(metric: "cache_hits_total", count: 60, histogram: nil)
  totals.add(metric: "cache_hits_total", count: 15, histogram: nil)
  totals.add(metric: "cache_stale_hits_total", count: 5, histogram: nil)
  totals.add(metric: "cache_misses_total", count: 25, histogram: nil)
  totals.add(metric: "cache_bypasses_total", count: 100, histogram: nil)
  totals.add(metric: "cache_errors_total", count: 50, histogram: nil)
  totals.add(metric: "something_else_total", count: 1_000, histogram: nil)
  // Stale hits are among the hits; a bypass is a lookup that the ratio does not judge.
  #expect(totals.hitRatio == 0.75)
  #expect(totals.lookups == 200)
  #expect(totals.errorRatio == 0.2)
}

@Test func everyCacheCounterHasItsTotal() {
  let members: [(metric: String, total: KeyPath<CacheTotals, Int64>)] = [
    ("cache_hits_total", \.hits), ("cache_misses_total", \.misses), ("cache_bypasses_total", \.bypasses),
    ("cache_stale_hits_total", \.staleHits), ("cache_sets_total", \.sets),
    ("cache_invalidations_total", \.invalidations), ("cache_invalidation_errors_total", \.invalidationErrors),
    ("cache_invalidated_keys_total", \.invalidatedKeys), ("cache_errors_total", \.errors),
    ("cache_lookup_failures_total", \.lookupFailures),
  ]
  for (metric, total) in members {
    var totals = CacheTotals()
    totals.add(metric: metric, count: 7, histogram: nil)
    #expect(members.map { totals[keyPath: $0.total] }.reduce(0, +) == 7, "\(metric) went to more or less than one total")
    #expect(totals[keyPath: total] == 7, "\(metric)")
    #expect(MetricFamily.cache(named: metric)?.type == .counter, "\(metric)")
  }
}

@Test func durationsAreAddedUp() {
  var one = Histogram()
  one.add([.init(bucket: 40, count: 2)], sum: 0.01)
  var totals = CacheTotals()
  totals.add(metric: "cache_operation_duration_seconds", count: 2, histogram: one)
  totals.add(metric: "cache_operation_duration_seconds", count: 2, histogram: one)
  #expect(totals.durations.count == 4)
  #expect(totals.durations.sum == 0.02)
}

@Test func familiesAreAscendingAndFoundByName() {
  let names = MetricFamily.cache.map(\.name)
  #expect(names == names.sorted())
  #expect(names.allSatisfy { MetricFamily.cache(named: $0)?.name == $0 })
  #expect(MetricFamily.cache(named: "nothing") == nil)
  for family in MetricFamily.cache {
    #expect((family.type == .counter) == family.name.hasSuffix("_total"), "\(family.name)")
  }
}
