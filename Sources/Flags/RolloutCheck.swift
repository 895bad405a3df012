// SPDX-License-Identifier: Apache-2.0

// A check of the guard: a measure and what counts as success. The measures are the built-in ones; a check with an
// expression of its own would be a further case of `Measure`, judged by the same verdicts.

internal import JSON

/// What the guard looks at.
package struct RolloutCheck: Equatable, Sendable {
  package enum Measure: String, CaseIterable, Sendable {
    case hitRatio = "hit_ratio"
    case errorRatio = "error_ratio"
    case circuitBreaker = "circuit_breaker"
  }

  package enum Comparison: String, CaseIterable, Sendable {
    // Longer words first: the reader takes the first that fits.
    case greaterOrEqual = ">="
    case lessOrEqual = "<="
    case greater = ">"
    case less = "<"
  }

  /// When a ratio is good, such as `>= 0.5`.
  package struct Success: Equatable, Sendable, CustomStringConvertible {
    package let comparison: Comparison
    package let limit: Double

    package func holds(_ value: Double) -> Bool {
      switch comparison {
      case .greaterOrEqual: value >= limit
      case .lessOrEqual: value <= limit
      case .greater: value > limit
      case .less: value < limit
      }
    }

    package var description: String { "\(comparison.rawValue) \(RatioText.text(limit))" }
  }

  static let minSamplesDefault: Int64 = 100
  static let minSamplesRange: ClosedRange<Int64> = 1...1_000_000_000

  /// In the order they are shown: all built-in measures with their defaults.
  static let defaults = Measure.allCases.map {
    RolloutCheck(measure: $0, success: defaultSuccess($0), minSamples: minSamplesDefault)
  }

  package let measure: Measure
  /// nil for the circuit breaker, which is good while it is closed.
  package let success: Success?
  /// Fewer samples in the window are inconclusive. Not used by the circuit breaker.
  package let minSamples: Int64

  package var name: String { measure.rawValue }

  private init(measure: Measure, success: Success?, minSamples: Int64) {
    self.measure = measure
    self.success = success
    self.minSamples = minSamples
  }

  init(_ json: JSONValue, path: String) throws(FlagError) {
    let builtIn = "only the built-in measures hit_ratio, error_ratio and circuit_breaker are supported by this version"
    for name in ["expr", "samples"] where json[name] != nil {
      throw FlagError(
        field: "\(path).\(name)",
        message:
          "\(builtIn): leave `\(name)` out and name one of them, "
          + "such as {\"name\":\"hit_ratio\",\"success\":\">= 0.5\"}"
      )
    }
    let reader = try DocumentReader(json, path: path, known: ["name", "success", "min_samples"])
    let name = try reader.requiredString(
      "name", bytesMax: Flag.Bounds.nameBytesMax, "one of hit_ratio, error_ratio, circuit_breaker")
    guard let measure = Measure(rawValue: name) else {
      throw FlagError(field: reader.field("name"), value: name, expected: "\(builtIn): write one of them")
    }
    self.measure = measure
    if measure == .circuitBreaker {
      for name in ["success", "min_samples"] where reader.value(name) != nil {
        throw FlagError(
          field: reader.field(name), message: "circuit_breaker takes none: it is good while no breaker is open")
      }
    }
    minSamples = try reader.integer("min_samples", in: RolloutCheck.minSamplesRange) ?? RolloutCheck.minSamplesDefault
    success = try RolloutCheck.readSuccess(reader) ?? RolloutCheck.defaultSuccess(measure)
  }

  private static func defaultSuccess(_ measure: Measure) -> Success? {
    switch measure {
    case .hitRatio: Success(comparison: .greaterOrEqual, limit: 0.5)
    case .errorRatio: Success(comparison: .lessOrEqual, limit: 0.01)
    case .circuitBreaker: nil
    }
  }

  private static func readSuccess(_ reader: DocumentReader) throws(FlagError) -> Success? {
    guard let text = try reader.string("success", bytesMax: Flag.Bounds.nameBytesMax) else { return nil }
    guard let comparison = Comparison.allCases.first(where: { text.hasPrefix($0.rawValue) }),
      let limit = Double(text.dropFirst(comparison.rawValue.count).drop { $0 == " " }), limit.isFinite
    else {
      throw FlagError(
        field: reader.field("success"), value: text, expected: "must be >, >=, < or <= and a number, such as \">= 0.5\""
      )
    }
    guard (0...1).contains(limit) else {
      throw FlagError(field: reader.field("success"), value: text, expected: "a ratio is from 0 to 1, so 50 % is 0.5")
    }
    return Success(comparison: comparison, limit: limit)
  }

  var json: JSONValue {
    guard let success else { return .object([JSONMember(name: "name", value: .string(name))]) }
    return .object([
      JSONMember(name: "name", value: .string(name)),
      JSONMember(name: "success", value: .string(success.description)),
      JSONMember(name: "min_samples", value: .integer(minSamples)),
    ])
  }
}
