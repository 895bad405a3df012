// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// Whether the parts of an expression go together. In the order of Prometheus' checkAST, so that of several errors the
// same one is reported.

/// Checks types once a query's syntax is right.
struct TypeCheck {
  /// Bytes, for places in errors.
  let query: [UInt8]

  /// The type of an expression that has no error.
  @discardableResult
  func check(_ expr: Expr) throws(ParseError) -> ValueType {
    switch expr.node {
    case .number: return .scalar
    case .string: return .string
    case .selector(let selector):
      try check(selector, expr.range)
      return .vector
    case .matrix(let selector, _):
      try check(selector, expr.range)
      return .matrix
    case .subquery(let subquery): return try check(subquery, expr.range)
    case .call(let call): return try check(call, expr.range)
    case .aggregation(let aggregation): return try check(aggregation)
    case .binary(let binary): return try check(binary, expr.range)
    case .negation(let inner):
      let type = try check(inner)
      try checkSign(type, expr.range)
      return type
    case .parentheses(let inner): return try check(inner)
    }
  }

  /// What a plus or minus may stand before.
  func checkSign(_ type: ValueType, _ range: Range<Int>) throws(ParseError) {
    guard type != .scalar, type != .vector else { return }
    let message = "unary expression only allowed on expressions of type scalar or instant vector, got \"\(type.rawValue)\""
    throw error(message, range)
  }

  private func error(_ message: String, _ range: Range<Int>) -> ParseError { ParseError(message, range, in: query) }

  private func check(_ selector: VectorSelector, _ range: Range<Int>) throws(ParseError) {
    guard selector.name == nil, !selector.selectsSomething else { return }
    throw error("vector selector must contain at least one non-empty matcher", range)
  }

  private func check(_ subquery: Subquery, _ range: Range<Int>) throws(ParseError) -> ValueType {
    let type = try check(subquery.expr)
    guard type == .vector else {
      // Prometheus says "matrix" here and "range vector" everywhere else.
      let name = type == .matrix ? "matrix" : type.rawValue
      throw error("subquery is only allowed on instant vector, got \(name) instead", range)
    }
    return .matrix
  }

  private func check(_ aggregation: Aggregation) throws(ParseError) -> ValueType {
    try expect(.vector, aggregation.expr, "aggregation expression")
    if let parameter = aggregation.parameter {
      try expect(aggregation.operation == .countValues ? .string : .scalar, parameter, "aggregation parameter")
    }
    return .vector
  }

  private func expect(_ wanted: ValueType, _ expr: Expr, _ context: String) throws(ParseError) {
    let type = try check(expr)
    guard type != wanted else { return }
    throw error("expected type \(wanted.rawValue) in \(context), got \(type.rawValue)", expr.range)
  }

  private func check(_ call: Call, _ range: Range<Int>) throws(ParseError) -> ValueType {
    let function = call.function
    try checkCount(call, range)
    for (index, argument) in call.arguments.enumerated() {
      let wanted = function.arguments[min(index, function.arguments.count - 1)]
      try expect(wanted, argument, "call to function \(StringText.quoted(function.name))")
    }
    return function.result
  }

  private func checkCount(_ call: Call, _ range: Range<Int>) throws(ParseError) {
    let function = call.function
    let count = call.arguments.count
    let most = function.arguments.count
    let least = function.optionalCount == 0 ? most : most - abs(function.optionalCount)
    let ending = "argument(s) in call to \(StringText.quoted(function.name)), got \(count)"
    if function.optionalCount == 0, count != most { throw error("expected \(most) \(ending)", range) }
    if count < least { throw error("expected at least \(least) \(ending)", range) }
    if function.optionalCount >= 0, count > most { throw error("expected at most \(most) \(ending)", range) }
  }
}
