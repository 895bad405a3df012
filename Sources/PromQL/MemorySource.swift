// SPDX-License-Identifier: Apache-2.0

package import TimeSeries

// Series in memory: what tests of expressions and of rules are run against.

/// A source of series that were appended to it.
package struct MemorySource: SeriesSource, Sendable {
  /// Place in the order of the first appearance.
  package typealias Series = Int

  private var contents: [Content] = []
  private var places: [Labels: Int] = [:]
  /// By the metric's name, which most selectors give.
  private var placesByName: [String: [Int]] = [:]
  /// Series that have native histograms, which no query sees.
  private(set) var nativeHistograms: Set<Labels> = []
  /// Series whose samples have start timestamps, which no query sees.
  private(set) var startTimestamps: Set<Labels> = []

  package init() {}

  /// Appends a sample. One at a time that has one already replaces it.
  package mutating func append(_ labels: Labels, timeMs: Int64, value: Double) {
    let place = places[labels] ?? contents.count
    if place == contents.count {
      places[labels] = place
      placesByName[labels.metricName, default: []].append(place)
      contents.append(Content(labels: labels))
    }
    contents[place].set(timeMs: timeMs, value: value)
  }

  /// Appends the points of a line at the times from `fromMs` on.
  package mutating func append(_ notation: SeriesNotation, fromMs: Int64, stepMs: Int64) {
    for (index, point) in notation.points.enumerated() {
      switch point {
      case .sample(let value): append(notation.labels, timeMs: fromMs + Int64(index) * stepMs, value: value)
      case .nativeHistogram:
        noteNativeHistogram(notation.labels)
        // It hides the float before it, as in Prometheus.
        append(notation.labels, timeMs: fromMs + Int64(index) * stepMs, value: StaleMarker.value)
      case .omitted: break
      }
    }
  }

  /// Drops the samples before a time. A series without samples keeps its place.
  package mutating func removeSamples(beforeMs: Int64) {
    for place in contents.indices { contents[place].removeAll(beforeMs: beforeMs) }
  }

  mutating func noteNativeHistogram(_ labels: Labels) { nativeHistograms.insert(labels) }
  mutating func noteStartTimestamps(_ labels: Labels) { startTimestamps.insert(labels) }

  package func series(matching matchers: [Matcher], fromMs: Int64, throughMs: Int64) -> [Int] {
    let name = matchers.first { $0.name == Labels.metricLabel && $0.operation == .equal }?.value
    let candidates = name.map { placesByName[$0] ?? [] } ?? Array(contents.indices)
    return candidates.filter { place in
      let content = contents[place]
      guard let first = content.timesMs.first, let last = content.timesMs.last, first <= throughMs, last >= fromMs
      else { return false }
      return matchers.allMatch(content.labels)
    }
  }

  package func labels(of series: Int) -> Labels { contents[series].labels }

  package func appendSamples(of series: Int, fromMs: Int64, throughMs: Int64, to samples: inout SampleBuffer) {
    let content = contents[series]
    var index = content.firstIndex(notBefore: fromMs)
    while index < content.timesMs.count, content.timesMs[index] <= throughMs {
      samples.append(timeMs: content.timesMs[index], value: content.values[index])
      index += 1
    }
  }
}

/// One series of a `MemorySource`.
private struct Content: Sendable {
  let labels: Labels
  /// Ascending, none twice.
  private(set) var timesMs: [Int64] = []
  private(set) var values: [Double] = []

  init(labels: Labels) {
    self.labels = labels
  }

  mutating func set(timeMs: Int64, value: Double) {
    let index = timesMs.last.map { $0 < timeMs } ?? true ? timesMs.count : firstIndex(notBefore: timeMs)
    if index < timesMs.count, timesMs[index] == timeMs {
      values[index] = value
    } else {
      timesMs.insert(timeMs, at: index)
      values.insert(value, at: index)
    }
  }

  mutating func removeAll(beforeMs: Int64) {
    let count = firstIndex(notBefore: beforeMs)
    timesMs.removeFirst(count)
    values.removeFirst(count)
  }

  func firstIndex(notBefore timeMs: Int64) -> Int {
    var low = 0
    var high = timesMs.count
    while low < high {
      let middle = (low + high) / 2
      if timesMs[middle] < timeMs { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension [Matcher] {
  func allMatch(_ labels: Labels) -> Bool { allSatisfy { $0.matches(labels[$0.name] ?? "") } }
}
