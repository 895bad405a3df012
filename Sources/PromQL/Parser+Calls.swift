// SPDX-License-Identifier: Apache-2.0

// Functions and aggregations.

extension Parser {
  /// The rest of a call whose name has been taken.
  mutating func call(_ name: Token) throws(ParseError) -> Subtree {
    let arguments = try arguments()
    let text = text(name)
    guard let function = Function.named(text) else {
      let quoted = QuotedText.quoted(text)
      let isExperimental = Function.experimentalNames.contains(text)
      throw error(
        isExperimental ? "function \(quoted) is not enabled" : "unknown function with name \(quoted)", at: name.range)
    }
    let call = Call(function: function, arguments: arguments.map(\.expr))
    return try subtree(.call(call), name.range.lowerBound, function.result, over: arguments)
  }

  /// The rest of an aggregation whose name has been taken.
  mutating func aggregation(_ name: Token) throws(ParseError) -> Subtree {
    var grouping = try grouping()
    let arguments = try arguments()
    if grouping == nil { grouping = try self.grouping() }
    let range = name.range.lowerBound..<end
    guard !arguments.isEmpty else { throw error("no arguments for aggregate expression provided", at: range) }
    guard case .aggregation(let operation) = name.kind else {
      let text = text(name).lowercased()
      throw error(
        "\(text)() is experimental and must be enabled with --enable-feature=promql-experimental-functions", at: range)
    }
    let count = operation.hasParameter ? 2 : 1
    guard arguments.count == count else {
      throw error(
        "wrong number of arguments for aggregate expression provided, expected \(count), got \(arguments.count)", at: range)
    }
    let aggregation = Aggregation(
      operation: operation, parameter: operation.hasParameter ? arguments[0].expr : nil, expr: arguments[count - 1].expr,
      grouping: grouping?.labels ?? [], isWithout: grouping?.isWithout ?? false)
    return try subtree(.aggregation(aggregation), name.range.lowerBound, .vector, over: arguments)
  }

  private mutating func grouping() throws(ParseError) -> (labels: [String], isWithout: Bool)? {
    guard token.kind == .by || token.kind == .without else { return nil }
    let isWithout = try take().kind == .without
    return (try groupingLabels(), isWithout)
  }

  /// `(expression, …)`
  private mutating func arguments() throws(ParseError) -> [Subtree] {
    try take(.leftParenthesis)
    var arguments: [Subtree] = []
    while token.kind != .rightParenthesis {
      arguments.append(try expression())
      guard token.kind == .comma else { break }
      let comma = try take()
      guard startsExpression() else {
        throw error("trailing commas not allowed in function call args", at: comma.range)
      }
    }
    try take(.rightParenthesis)
    return arguments
  }

  private func startsExpression() -> Bool {
    switch token.kind {
    case .number, .duration, .string, .leftParenthesis, .leftBrace, .binary(.add), .binary(.subtract): true
    default: token.kind.isMetricName
    }
  }
}

extension Aggregation.Operation {
  /// Whether it takes a parameter before the expression.
  package var hasParameter: Bool {
    switch self {
    case .topk, .bottomk, .quantile, .countValues: true
    default: false
    }
  }
}

extension Function {
  /// What Prometheus has only with `--enable-feature=promql-experimental-functions`.
  static let experimentalNames: Set<String> = [
    "double_exponential_smoothing", "end", "histogram_quantiles", "info", "mad_over_time", "max_of", "min_of", "range",
    "sort_by_label", "sort_by_label_desc", "start", "start_timestamp", "step", "ts_of_first_over_time",
    "ts_of_last_over_time", "ts_of_max_over_time", "ts_of_min_over_time",
  ]
}
