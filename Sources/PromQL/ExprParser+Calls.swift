// SPDX-License-Identifier: Apache-2.0

// `function(…)` and `sum by (…) (…)`

extension ExprParser {
  private static let experimentalFunctions: Set<String> = [
    "double_exponential_smoothing", "end", "histogram_quantiles", "info", "mad_over_time", "max_of", "min_of", "range",
    "sort_by_label", "sort_by_label_desc", "start", "start_timestamp", "step", "ts_of_first_over_time",
    "ts_of_last_over_time", "ts_of_max_over_time", "ts_of_min_over_time",
  ]

  /// - Parameter token: the function's name, which was taken.
  mutating func call(_ token: Token) throws(ParseError) -> Expr {
    let name = text(token)
    let (arguments, height) = try arguments()
    guard let function = Function.named(name) else { throw refusal(of: name, token.range) }
    let call = Call(function: function, arguments: arguments)
    return try grown(.call(call), from: token.range.lowerBound, over: height, type: function.result)
  }

  private func refusal(of name: String, _ range: Range<Int>) -> ParseError {
    guard ExprParser.experimentalFunctions.contains(name) else {
      return error("unknown function with name \(StringText.quoted(name))", range)
    }
    return error("function \(StringText.quoted(name)) is not enabled", range, feature: "function \(name)")
  }

  /// `(a, b)`, and the height of the highest of them.
  private mutating func arguments() throws(ParseError) -> (arguments: [Expr], height: Int) {
    guard try skip(.sign(.leftParenthesis)) else { throw try unexpected() }
    var arguments: [Expr] = []
    var height = 0
    if try skip(.sign(.rightParenthesis)) { return ([], 0) }
    while true {
      arguments.append(try expression(.lowest))
      height = max(height, shape.height)
      let token = try peek()
      guard token.kind == .sign(.comma) else { break }
      try take()
      if try peek().kind == .sign(.rightParenthesis) {
        throw error("trailing commas not allowed in function call args", token.range)
      }
    }
    guard try skip(.sign(.rightParenthesis)) else { throw try unexpected() }
    return (arguments, height)
  }

  /// - Parameter token: the aggregation's name, which was taken.
  mutating func aggregation(_ token: Token) throws(ParseError) -> Expr {
    aggregationDepth += 1
    defer { aggregationDepth -= 1 }
    var grouping = try aggregationGrouping()
    var (arguments, height) = try arguments()
    if grouping == nil { grouping = try aggregationGrouping() }
    let range = token.range.lowerBound..<end
    guard !arguments.isEmpty else { throw error("no arguments for aggregate expression provided", range) }
    guard case .aggregation(let operation) = token.kind else { throw refusal(ofAggregation: token, range) }
    let wanted = operation.hasParameter ? 2 : 1
    guard arguments.count == wanted else {
      let message = "wrong number of arguments for aggregate expression provided, expected \(wanted), got \(arguments.count)"
      throw error(message, range)
    }
    let expr = arguments.removeLast()
    let aggregation = Aggregation(
      operation: operation, parameter: arguments.first, expr: expr, grouping: grouping?.labels ?? [],
      isWithout: grouping?.isWithout ?? false)
    return try grown(.aggregation(aggregation), from: token.range.lowerBound, over: height, type: .vector)
  }

  private mutating func aggregationGrouping() throws(ParseError) -> (isWithout: Bool, labels: [String])? {
    guard case .keyword(let keyword) = try peek().kind, keyword == .by || keyword == .without else { return nil }
    try take()
    return (keyword == .without, try groupingLabels())
  }

  private func refusal(ofAggregation token: Token, _ range: Range<Int>) -> ParseError {
    let name = text(token).lowercased()
    let message =
      "\(name)() is experimental and must be enabled with --enable-feature=promql-experimental-functions"
    return error(message, range, feature: "aggregation \(name)")
  }
}

extension Aggregation.Operation {
  var hasParameter: Bool {
    switch self {
    case .topk, .bottomk, .quantile, .countValues: true
    case .sum, .avg, .count, .min, .max, .group, .stddev, .stdvar: false
    }
  }
}
