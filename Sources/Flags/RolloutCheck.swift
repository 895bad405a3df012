// SPDX-License-Identifier: Apache-2.0

// A check of the guard: a measure and what counts as success. Some measures are built in; any other is an expression of
// PromQL, whose values somebody else computes.

internal import JSON

/// What the guard looks at.
package struct RolloutCheck: Equatable, Sendable {
  package enum Measure: Equatable, Sendable {
    case hitRatio
    case errorRatio
    case circuitBreaker
    /// Lookups that got no answer, of the users in the ramp against those outside it.
    case failureRatio
    /// Lookups of users on the wrong side: served from the cache outside the ramp, or sent past it inside.
    case exposure
    /// - Parameters:
    ///   - expr: PromQL; every series of its result must hold.
    ///   - samples: PromQL for how many samples stand behind it; nil where nothing says.
    case expression(expr: String, samples: String?)

    static let builtIn: [(name: String, measure: Measure)] = [
      ("hit_ratio", .hitRatio), ("error_ratio", .errorRatio), ("circuit_breaker", .circuitBreaker),
      ("failure_ratio", .failureRatio), ("exposure", .exposure),
    ]
  }

  package enum Comparison: String, CaseIterable, Sendable {
    // Longer words first: the reader takes the first that fits.
    case greaterOrEqual = ">="
    case lessOrEqual = "<="
    case equal = "=="
    case notEqual = "!="
    case greater = ">"
    case less = "<"
  }

  /// When a value is good, such as `>= 0.5`.
  package struct Success: Equatable, Sendable, CustomStringConvertible {
    package let comparison: Comparison
    package let limit: Double

    package func holds(_ value: Double) -> Bool {
      switch comparison {
      case .greaterOrEqual: value >= limit
      case .lessOrEqual: value <= limit
      case .equal: value == limit
      case .notEqual: value != limit
      case .greater: value > limit
      case .less: value < limit
      }
    }

    package var description: String { "\(comparison.rawValue) \(RatioText.text(limit))" }
  }

  static let minSamplesRange: ClosedRange<Int64> = 1...1_000_000_000
  /// Fewer errors, or failures, are chance rather than harm, whatever their share.
  static let errorsMin: Int64 = 5
  /// A minute with fewer lookups proves no harm.
  static let recentLookupsMin: Int64 = 50
  /// By how much the failure ratio of the users in the ramp may be above the others' and still pass: half a point.
  static let marginDefault = 0.005
  /// The share of lookups on the wrong side that is put down to polls under way.
  static let exposureLimit = 0.05

  /// In the order they are shown: all built-in measures with their defaults.
  static let defaults = Measure.builtIn.map { name, measure in
    RolloutCheck(
      name: name, measure: measure, success: defaultSuccess(measure), minSamples: defaultMinSamples(measure), isMutedWhileCold: false)
  }

  package let name: String
  package let measure: Measure
  /// nil for the circuit breaker, which is good while it is closed. Of the failure ratio: of the difference of the arms.
  package let success: Success?
  /// Fewer samples are inconclusive; 0 where nothing says how many there are.
  package let minSamples: Int64
  /// Of an expression: not judged during the warm-up. The hit ratio never is.
  package let isMutedWhileCold: Bool

  /// Whether somebody has to evaluate its expression.
  package var isExpression: Bool {
    if case .expression = measure { true } else { false }
  }

  private init(name: String, measure: Measure, success: Success?, minSamples: Int64, isMutedWhileCold: Bool) {
    self.name = name
    self.measure = measure
    self.success = success
    self.minSamples = minSamples
    self.isMutedWhileCold = isMutedWhileCold
  }

  init(_ json: JSONValue, path: String) throws(FlagError) {
    let known = Measure.builtIn.map(\.name)
    let reader = try DocumentReader(json, path: path, known: ["name", "expr", "success", "samples", "min_samples", "kind"])
    name = try reader.requiredString(
      "name", bytesMax: Flag.Bounds.nameBytesMax, "one of \(known.joined(separator: ", ")), or any with an `expr`")
    if reader.value("expr") != nil {
      (measure, success, minSamples, isMutedWhileCold) = try RolloutCheck.readExpression(reader)
      return
    }
    guard let measure = Measure.builtIn.first(where: { [name] in $0.name == name })?.measure else {
      throw FlagError(
        field: reader.field("name"), value: name,
        expected: "no built-in measure (\(known.joined(separator: ", "))): give it an `expr` in PromQL and a `success`")
    }
    for name in ["samples", "kind"] where reader.value(name) != nil {
      throw FlagError(field: reader.field(name), message: "only for a check with an `expr`")
    }
    if measure == .circuitBreaker {
      for name in ["success", "min_samples"] where reader.value(name) != nil {
        throw FlagError(field: reader.field(name), message: "circuit_breaker takes none: it is good while no breaker is open")
      }
    }
    self.measure = measure
    isMutedWhileCold = false
    minSamples =
      try reader.integer("min_samples", in: RolloutCheck.minSamplesRange) ?? RolloutCheck.defaultMinSamples(measure)
    success = try RolloutCheck.readRatio(reader) ?? RolloutCheck.defaultSuccess(measure)
  }

  private static func readExpression(
    _ reader: DocumentReader
  ) throws(FlagError) -> (Measure, Success?, Int64, Bool) {
    let bytesMax = RolloutPlan.Bounds.expressionBytesMax
    let expr = try reader.requiredString("expr", bytesMax: bytesMax, "PromQL")
    let samples = try reader.string("samples", bytesMax: bytesMax)
    let minSamples = try reader.integer("min_samples", in: minSamplesRange)
    guard minSamples == nil || samples != nil else {
      throw FlagError(field: reader.field("samples"), message: "missing: min_samples needs PromQL that says how many samples there are")
    }
    guard let success = try readSuccess(reader) else {
      throw FlagError(field: reader.field("success"), message: "missing: a comparison and a number, such as \"> 0.7\"")
    }
    let kind = try reader.string("kind", bytesMax: Flag.Bounds.nameBytesMax)
    guard kind == nil || kind == FiringAlert.kindHitRatio else {
      throw FlagError(
        field: reader.field("kind"), value: kind ?? "", expected: "must be hit_ratio, for a check to be muted while new users are cold")
    }
    return (.expression(expr: expr, samples: samples), success, minSamples ?? (samples == nil ? 0 : 1), kind != nil)
  }

  private static func defaultMinSamples(_ measure: Measure) -> Int64 {
    switch measure {
    case .errorRatio: recentLookupsMin
    default: 100
    }
  }

  private static func defaultSuccess(_ measure: Measure) -> Success? {
    switch measure {
    case .hitRatio: Success(comparison: .greaterOrEqual, limit: 0.5)
    case .errorRatio: Success(comparison: .lessOrEqual, limit: 0.01)
    case .failureRatio: Success(comparison: .less, limit: marginDefault)
    case .exposure: Success(comparison: .lessOrEqual, limit: exposureLimit)
    case .circuitBreaker, .expression: nil
    }
  }

  private static func readSuccess(_ reader: DocumentReader) throws(FlagError) -> Success? {
    guard let text = try reader.string("success", bytesMax: Flag.Bounds.nameBytesMax) else { return nil }
    guard let comparison = Comparison.allCases.first(where: { text.hasPrefix($0.rawValue) }),
      let limit = Double(text.dropFirst(comparison.rawValue.count).drop { $0 == " " }), limit.isFinite
    else {
      throw FlagError(
        field: reader.field("success"), value: text,
        expected: "must be >, >=, <, <=, == or != and a number, such as \">= 0.5\"")
    }
    return Success(comparison: comparison, limit: limit)
  }

  private static func readRatio(_ reader: DocumentReader) throws(FlagError) -> Success? {
    guard let success = try readSuccess(reader) else { return nil }
    guard (0...1).contains(success.limit) else {
      throw FlagError(
        field: reader.field("success"), value: success.description, expected: "a ratio is from 0 to 1, so 50 % is 0.5")
    }
    return success
  }

  var json: JSONValue {
    var members = [JSONMember(name: "name", value: .string(name))]
    if case .expression(let expr, let samples) = measure {
      members.append(JSONMember(name: "expr", value: .string(expr)))
      if let samples { members.append(JSONMember(name: "samples", value: .string(samples))) }
    }
    if let success { members.append(JSONMember(name: "success", value: .string(success.description))) }
    if minSamples > 0, measure != .circuitBreaker { members.append(JSONMember(name: "min_samples", value: .integer(minSamples))) }
    if isMutedWhileCold { members.append(JSONMember(name: "kind", value: .string(FiringAlert.kindHitRatio))) }
    return .object(members)
  }
}
