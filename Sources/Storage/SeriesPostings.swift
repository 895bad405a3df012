// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// Which series carry a label, so that a selection by labels does not look at every series. Series are never taken away and
// keep their place, so the lists only grow.

/// For each label, the places of the series that carry it, ascending.
struct SeriesPostings: Sendable {
  /// How many series it knows, from the first on.
  private(set) var count = 0
  private var places: [Label: [Int32]] = [:]

  /// Takes in the series after those it knows.
  ///
  /// - Parameter series: all of them, in the order they were created.
  mutating func extend(to series: [SeriesState]) {
    for place in count..<max(count, series.count) {
      for label in series[place].key.labels.all { places[label, default: []].append(Int32(place)) }
    }
    count = max(count, series.count)
  }

  /// The places of the series that all matchers may match, ascending; more may be among them. Nil where the matchers say
  /// nothing that can be looked up.
  func candidates(for matchers: [Matcher]) -> [Int32]? {
    var best: [Int32]?
    for matcher in matchers where matcher.operation == .equal && !matcher.value.isEmpty && matcher.name != "le" {
      let found = matcher.name == Labels.metricLabel ? named(matcher.value) : places[Label(matcher.name, matcher.value)] ?? []
      if found.count < best?.count ?? .max { best = found }
    }
    return best
  }

  /// The series of a name, and the histogram that it is a part of.
  private func named(_ name: String) -> [Int32] {
    let own = places[Label(Labels.metricLabel, name)] ?? []
    for suffix in ["_bucket", "_sum", "_count"] where name.hasSuffix(suffix) {
      let histogram = places[Label(Labels.metricLabel, String(name.dropLast(suffix.count)))] ?? []
      return own.isEmpty ? histogram : (own + histogram).sorted()
    }
    return own
  }
}
