// SPDX-License-Identifier: Apache-2.0

// The signatures of PromQL's functions. What they compute is in Functions+*.swift.

/// A function's name and types.
package struct Function: Sendable, Equatable {
  package let name: String
  package let arguments: [ValueType]
  /// How many of the last arguments may be missing; -1 when the last one may also come any number of times.
  package let optionalCount: Int
  package let result: ValueType

  private init(_ name: String, _ arguments: [ValueType], optional optionalCount: Int = 0, _ result: ValueType = .vector) {
    self.name = name
    self.arguments = arguments
    self.optionalCount = optionalCount
    self.result = result
  }

  /// The function of a name; nil for an unknown one.
  package static func named(_ name: String) -> Function? { byName[name] }

  /// All functions, ascending by name.
  package static let all: [Function] = byName.values.sorted { $0.name < $1.name }

  private static let byName: [String: Function] = {
    let ofVector = [
      "abs", "absent", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh", "deg", "exp", "floor",
      "histogram_avg", "histogram_count", "histogram_stddev", "histogram_stdvar", "histogram_sum", "ln", "log10", "log2",
      "rad", "sgn", "sin", "sinh", "sort", "sort_desc", "sqrt", "tan", "tanh", "timestamp",
    ].map { Function($0, [.vector]) }
    let ofMatrix = [
      "absent_over_time", "avg_over_time", "changes", "count_over_time", "delta", "deriv", "first_over_time", "idelta",
      "increase", "irate", "last_over_time", "max_over_time", "min_over_time", "present_over_time", "rate", "resets",
      "stddev_over_time", "stdvar_over_time", "sum_over_time",
    ].map { Function($0, [.matrix]) }
    let ofTime = [
      "day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month", "year",
    ].map { Function($0, [.vector], optional: 1) }
    let others = [
      Function("clamp", [.vector, .scalar, .scalar]),
      Function("clamp_max", [.vector, .scalar]),
      Function("clamp_min", [.vector, .scalar]),
      Function("histogram_fraction", [.scalar, .scalar, .vector]),
      Function("histogram_quantile", [.scalar, .vector]),
      Function("label_join", [.vector, .string, .string, .string], optional: -1),
      Function("label_replace", [.vector, .string, .string, .string, .string]),
      Function("pi", [], .scalar),
      Function("predict_linear", [.matrix, .scalar]),
      Function("quantile_over_time", [.scalar, .matrix]),
      Function("round", [.vector, .scalar], optional: 1),
      Function("scalar", [.vector], .scalar),
      Function("time", [], .scalar),
      Function("vector", [.scalar]),
    ]
    return Dictionary(uniqueKeysWithValues: (ofVector + ofMatrix + ofTime + others).map { ($0.name, $0) })
  }()
}
