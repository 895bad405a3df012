// SPDX-License-Identifier: Apache-2.0

package import TimeSeries

// A series with its points on one line, as tests of expressions and of rules write it.
// https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series

/// `cache_hits_total{tier="L1"} 0+30x10 _ stale`
package struct SeriesNotation: Sendable {
  package enum Point: Sendable {
    /// A stale marker for `stale`.
    case sample(Double)
    case omitted
    /// `{{…}}`: recognised and counted, not read. This engine has floats only.
    case nativeHistogram
  }

  package let labels: Labels
  /// One for each step from the first on.
  package let points: [Point]

  /// `1x1000000000` is a slip of the finger and not a test.
  package static let pointsMax = 10_000_000

  /// Reads a whole line.
  package init(_ line: String) throws(NotationError) {
    var cursor = NotationCursor(line)
    labels = try SeriesNotation.labels(&cursor)
    points = try SeriesNotation.points(&cursor)
  }

  /// Reads points alone, as `values` of promtool's `input_series`.
  package static func points(_ text: String) throws(NotationError) -> [Point] {
    var cursor = NotationCursor(text)
    return try points(&cursor)
  }

  /// Reads the labels alone, as `series` of promtool's `input_series`.
  package static func labels(_ text: String) throws(NotationError) -> Labels {
    var cursor = NotationCursor(text)
    let labels = try labels(&cursor)
    guard cursor.isAtEnd else { throw cursor.error("unexpected text after the labels") }
    return labels
  }

  private static func labels(_ cursor: inout NotationCursor) throws(NotationError) -> Labels {
    cursor.skipSpaces()
    var labels: [Label] = []
    let metric = cursor.run { $0.isNotationLetter || $0.isDigit }
    if !metric.isEmpty { labels.append(Label(Labels.metricLabel, metric)) }
    if cursor.skip("{") {
      try pairs(&cursor, &labels)
    } else if metric.isEmpty {
      throw cursor.error("a metric's name or a brace is missing")
    }
    guard Set(labels.map(\.name)).count == labels.count else { throw cursor.error("a label is given twice") }
    cursor.skipSpaces()
    return Labels(labels)
  }

  private static func pairs(_ cursor: inout NotationCursor, _ labels: inout [Label]) throws(NotationError) {
    while true {
      cursor.skipSpaces()
      if cursor.skip("}") { return }
      labels.append(try pair(&cursor))
      cursor.skipSpaces()
      if cursor.skip(",") { continue }
      guard cursor.skip("}") else { throw cursor.error("a comma or a closing brace is missing") }
      return
    }
  }

  /// `name="value"`, `"any name"="value"`, or the metric's name alone in quotes.
  private static func pair(_ cursor: inout NotationCursor) throws(NotationError) -> Label {
    let isQuoted = cursor.next.map { !$0.isNotationLetter } ?? false
    let name = isQuoted ? try cursor.quoted() : cursor.run { $0.isNotationLetter || $0.isDigit }
    cursor.skipSpaces()
    guard cursor.skip("=") else {
      guard isQuoted else { throw cursor.error("an equals sign is missing") }
      return Label(Labels.metricLabel, name)
    }
    cursor.skipSpaces()
    return Label(name, try cursor.quoted())
  }
}

extension SeriesNotation {
  private static func points(_ cursor: inout NotationCursor) throws(NotationError) -> [Point] {
    var points: [Point] = []
    cursor.skipSpaces()
    while !cursor.isAtEnd {
      try item(&cursor, &points)
      guard points.count <= pointsMax else { throw cursor.error("more than \(pointsMax) points") }
      guard cursor.isAtEnd || cursor.next == 0x20 || cursor.next == 0x09 else {
        throw cursor.error("a space is missing")
      }
      cursor.skipSpaces()
    }
    return points
  }

  private static func item(_ cursor: inout NotationCursor, _ points: inout [Point]) throws(NotationError) {
    if cursor.skip("_") {
      let count = try repetitions(&cursor)
      return points.append(contentsOf: repeatElement(.omitted, count: count ?? 1))
    }
    if cursor.skip("stale") {
      let count = try repetitions(&cursor)
      return points.append(contentsOf: repeatElement(.sample(StaleMarker.value), count: 1 + (count ?? 0)))
    }
    if cursor.next == 0x7b { return try histograms(&cursor, &points) }
    var value = try number(&cursor)
    let increment = cursor.next == 0x2b || cursor.next == 0x2d ? try number(&cursor) : 0
    // `1x3` is the value and three more.
    for _ in 0...(try repetitions(&cursor) ?? 0) {
      points.append(.sample(value))
      value += increment
    }
  }

  /// `{{…}}`, `{{…}}x3` and `{{…}}+{{…}}x3`.
  private static func histograms(_ cursor: inout NotationCursor, _ points: inout [Point]) throws(NotationError) {
    try skipHistogram(&cursor)
    if cursor.skip("+") || cursor.skip("-") { try skipHistogram(&cursor) }
    let count = try repetitions(&cursor)
    points.append(contentsOf: repeatElement(.nativeHistogram, count: 1 + (count ?? 0)))
  }

  private static func skipHistogram(_ cursor: inout NotationCursor) throws(NotationError) {
    guard cursor.skip("{{") else { throw cursor.error("a histogram begins with {{") }
    _ = cursor.run { $0 != 0x7d }
    guard cursor.skip("}}") else { throw cursor.error("a histogram ends with }}") }
  }

  private static func repetitions(_ cursor: inout NotationCursor) throws(NotationError) -> Int? {
    guard cursor.skip("x") else { return nil }
    guard let count = Int(cursor.run { $0.isDigit }), count <= pointsMax else {
      throw cursor.error("a count of at most \(pointsMax) is missing after x")
    }
    return count
  }

  /// A number ends where the next part of `1e-3+2e-3x4` begins. There is no hexadecimal: `0x9` is ten times 0.
  private static func number(_ cursor: inout NotationCursor) throws(NotationError) -> Double {
    let error = cursor.error("a number is missing")
    let sign = cursor.skip("-") ? -1.0 : 1.0
    if sign > 0 { _ = cursor.skip("+") }
    var text = cursor.run { $0.isDigit || $0 == 0x2e }
    if text.isEmpty {
      text = cursor.run { $0.isNotationLetter && $0 != 0x78 }
    } else if cursor.skip("e") || cursor.skip("E") {
      text += "e" + (cursor.skip("-") ? "-" : cursor.skip("+") ? "" : "") + cursor.run { $0.isDigit }
    }
    guard let value = number(text) else { throw error }
    return sign * value
  }

  private static func number(_ text: String) -> Double? {
    switch text.lowercased() {
    case "inf": .infinity
    case "nan": .nan
    // Double reads `5` and `.5` but not `5.`.
    default: Double(text.hasSuffix(".") ? text + "0" : text)
    }
  }
}
