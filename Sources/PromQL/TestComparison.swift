// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// Compares what came with what a test case expects, and words the difference in the notation of the script.

/// A case that does not hold.
struct TestMismatch: Error {
  let message: String
  let variant: String

  init(_ message: String, variant: String = "") {
    self.message = message
    self.variant = variant
  }
}

extension TestExpectation {
  /// Of the sum of two values (Prometheus' test runner).
  private static let epsilon = 1e-6

  private static func areEqual(_ left: Double, _ right: Double) -> Bool { Tolerance.areEqual(left, right, epsilon) }

  func compare(_ annotations: Annotations, query: String) throws(TestMismatch) {
    try compare(annotations.warnings(query: query), with: warnings, isForbidden: forbidsWarnings, "warning")
    try compare(annotations.infos(query: query), with: infos, isForbidden: forbidsInfos, "info")
  }

  private func compare(
    _ found: [String], with expected: [Text], isForbidden: Bool, _ level: String
  ) throws(TestMismatch) {
    if isForbidden, !found.isEmpty { throw TestMismatch("expected no \(level), got \(found)") }
    for text in expected where !found.contains(where: text.matches) {
      throw TestMismatch("expected \(level) \(text.description), got \(found)")
    }
    guard !expected.isEmpty else { return }
    for text in found where !expected.contains(where: { $0.matches(text) }) {
      throw TestMismatch("unexpected \(level) \"\(text)\"")
    }
  }

  func compare(_ value: QueryValue, _ times: TestCase.Times) throws(TestMismatch) {
    switch value {
    case .string(let text, _):
      guard text == string ?? "" else { throw mismatch(value) }
    case .scalar(let number, _):
      guard let scalar, TestExpectation.areEqual(scalar, number) else { throw mismatch(value) }
    case .vector(let samples):
      guard scalar == nil, string == nil else { throw mismatch(value) }
      try compare(samples, value)
    case .matrix(let list):
      guard scalar == nil, string == nil, !isOrdered else { throw mismatch(value) }
      try compare(list, value, rangeVector ?? times)
    }
  }

  private func compare(_ samples: [InstantSample], _ value: QueryValue) throws(TestMismatch) {
    let expected = byLabels
    guard expected.count == samples.count else { throw mismatch(value) }
    for (index, sample) in samples.enumerated() {
      guard let points = expected[sample.labels], points.count == 1, case .sample(let number) = points[0],
        TestExpectation.areEqual(number, sample.value)
      else { throw mismatch(value) }
      if isOrdered, series[index].labels != sample.labels { throw mismatch(value) }
    }
  }

  private func compare(_ list: [SampleSeries], _ value: QueryValue, _ times: TestCase.Times) throws(TestMismatch) {
    guard case .range(let fromMs, let throughMs, let stepMs) = times else { throw mismatch(value) }
    let expected = byLabels
    guard expected.count == list.count else { throw mismatch(value) }
    for (left, right) in zip(list, list.dropFirst()) where Labels.precede(right.labels, left.labels) {
      throw TestMismatch("\(right.labels) comes after \(left.labels)")
    }
    for found in list {
      guard let points = expected[found.labels] else { throw mismatch(value) }
      var index = 0
      for (step, point) in points.enumerated() {
        guard case .sample(let number) = point else { continue }
        let timeMs = fromMs + Int64(step) * stepMs
        guard index < found.values.count, found.timesMs[index] == timeMs, timeMs <= throughMs,
          TestExpectation.areEqual(number, found.values[index])
        else { throw mismatch(value) }
        index += 1
      }
      guard index == found.values.count else { throw mismatch(value) }
    }
  }

  /// A series that is expected twice is expected as the last line says.
  private var byLabels: [Labels: [SeriesNotation.Point]] {
    Dictionary(series.map { ($0.labels, $0.points) }) { $1 }
  }

  private func mismatch(_ value: QueryValue) -> TestMismatch {
    TestMismatch("expected \(notation), got \(value.notation)")
  }

  private var notation: String {
    if let string { return QuotedText.quoted(string) }
    if let scalar { return NumberText.text(scalar) }
    return series.isEmpty ? "nothing" : series.map(\.notation).joined(separator: "; ")
  }
}

extension SeriesNotation {
  fileprivate var notation: String {
    let texts = points.map { point in
      switch point {
      case .sample(let value): isAbsent(value) ? "stale" : NumberText.text(value)
      case .omitted: "_"
      case .nativeHistogram: "{{…}}"
      }
    }
    return "\(labels.notation) \(texts.joined(separator: " "))"
  }
}

extension Labels {
  fileprivate var notation: String { all.isEmpty ? "{}" : description }
}

extension QueryValue {
  /// As a test script writes it; points of a matrix with their seconds, since a result knows no steps.
  var notation: String {
    switch self {
    case .string(let text, _): QuotedText.quoted(text)
    case .scalar(let number, _): NumberText.text(number)
    case .vector(let samples):
      samples.isEmpty
        ? "nothing" : samples.map { "\($0.labels.notation) \(NumberText.text($0.value))" }.joined(separator: "; ")
    case .matrix(let list):
      list.isEmpty ? "nothing" : list.map(\.notation).joined(separator: "; ")
    }
  }
}

extension SampleSeries {
  fileprivate var notation: String {
    let points = zip(timesMs, values).map { "\(NumberText.text($1))@\(NumberText.text(Double($0) / 1000))s" }
    return "\(labels.notation) \(points.joined(separator: " "))"
  }
}
