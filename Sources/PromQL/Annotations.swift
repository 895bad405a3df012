// SPDX-License-Identifier: Apache-2.0

// What a query has to say beside its value: warnings and infos in Prometheus' words (util/annotations).

/// Warnings and infos of one query, each text once.
package struct Annotations: Sendable {
  private enum Level: String {
    case warning = "PromQL warning: "
    case info = "PromQL info: "
  }

  private struct Note: Sendable {
    let level: Level
    /// Of the query, where the cause begins.
    var offset: Int
    var detail: MonotonicityRepair?
  }

  /// Odd labels of many series make many texts, of which the API shows ten.
  private static let countMax = 1000

  private var notes: [String: Note] = [:]
  /// In the order of their first appearance.
  private var texts: [String] = []

  package var isEmpty: Bool { texts.isEmpty }

  /// Ends with the place in the query, as `(1:5)`, and with the detail where there is one.
  ///
  /// - Parameter query: the text that was parsed.
  package func warnings(query: String) -> [String] { rendered(.warning, query) }

  /// As `warnings(query:)`.
  package func infos(query: String) -> [String] { rendered(.info, query) }

  private func rendered(_ level: Level, _ query: String) -> [String] {
    texts.compactMap { text in
      guard let note = notes[text], note.level == level else { return nil }
      return "\(level.rawValue)\(text)\(note.detail?.description ?? "") (\(Annotations.place(note.offset, in: query)))"
    }
  }

  /// Line and column in bytes, both from 1.
  private static func place(_ offset: Int, in query: String) -> String {
    var line = 1
    var column = 1
    for byte in query.utf8.prefix(offset) {
      column += 1
      if byte == 0x0a { (line, column) = (line + 1, 1) }
    }
    return "\(line):\(column)"
  }

  /// A text that comes again keeps the later place, as in Prometheus.
  private mutating func add(_ level: Level, _ text: String, at range: Range<Int>, detail: MonotonicityRepair? = nil) {
    if notes[text] == nil {
      guard texts.count < Annotations.countMax else { return }
      texts.append(text)
    }
    let merged = notes[text]?.detail.flatMap { earlier in detail.map { earlier.merged(with: $0) } } ?? detail
    notes[text] = Note(level: level, offset: range.lowerBound, detail: merged)
  }
}

extension Annotations {
  mutating func invalidQuantile(_ quantile: Double, at range: Range<Int>) {
    add(.warning, "quantile value should be between 0 and 1, got \(GeneralNumber.general(quantile))", at: range)
  }

  mutating func badBucketLabel(_ label: String, metric: String, at range: Range<Int>) {
    let text = "bucket label \"le\" is missing or has a malformed value of \(QuotedText.quoted(label))"
    add(.warning, text + Annotations.ofMetric(metric), at: range)
  }

  mutating func sortInRangeQuery(at range: Range<Int>) {
    add(.warning, "sort is ineffective for range queries since results are always ordered by labels", at: range)
  }

  mutating func possibleNonCounter(metric: String, at range: Range<Int>) {
    let text = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "
    add(.info, text + QuotedText.quoted(metric), at: range)
  }

  mutating func forcedMonotonicity(_ repair: MonotonicityRepair, metric: String, at range: Range<Int>) {
    let text =
      "input to histogram_quantile needed to be fixed for monotonicity "
      + "(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)"
    add(.info, text + Annotations.ofMetric(metric), at: range, detail: repair)
  }

  private static func ofMetric(_ name: String) -> String {
    name.isEmpty ? "" : " for metric name \(QuotedText.quoted(name))"
  }
}

/// What was done to the buckets of a classic histogram whose counts fall, over all steps.
struct MonotonicityRepair: Sendable {
  var fromMs: Int64
  var throughMs: Int64
  var lowestBound: Double
  var highestBound: Double
  var largestDrop: Double
  var sampleCount = 1

  func merged(with other: MonotonicityRepair) -> MonotonicityRepair {
    MonotonicityRepair(
      fromMs: min(fromMs, other.fromMs), throughMs: max(throughMs, other.throughMs),
      lowestBound: min(lowestBound, other.lowestBound), highestBound: max(highestBound, other.highestBound),
      largestDrop: max(largestDrop, other.largestDrop), sampleCount: sampleCount + other.sampleCount)
  }

  var description: String {
    ", from buckets \(GeneralNumber.general(lowestBound)) to \(GeneralNumber.general(highestBound)), "
      + "with a max diff of \(GeneralNumber.general(largestDrop, digitsMax: 2)), over \(sampleCount) samples "
      + "from \(CivilTime(timeMs: fromMs).text) to \(CivilTime(timeMs: throughMs).text)"
  }
}
