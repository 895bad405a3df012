// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// Which types may stand where, in Prometheus' order and words. The first fault found is the one reported.

struct TypeCheck {
  /// For the place of an operator, which the tree does not keep.
  let query: [UInt8]

  /// Checks an expression and all below it.
  @discardableResult
  func check(_ expr: Expr) throws(ParseError) -> ValueType {
    switch expr.node {
    case .number: return .scalar
    case .string: return .string
    case .parentheses(let inner): return try check(inner)
    case .selector(let selector):
      try check(selector, at: expr.range)
      return .vector
    case .matrix(let selector, _):
      try check(selector, at: expr.range)
      return .matrix
    case .negation(let inner):
      let type = try check(inner)
      try checkSigned(type, at: expr.range)
      return type
    case .subquery(let subquery):
      try check(subquery, at: expr.range)
      return .matrix
    case .call(let call):
      try check(call, at: expr.range)
      return call.function.result
    case .aggregation(let aggregation):
      try check(aggregation)
      return .vector
    case .binary(let binary): return try check(binary, at: expr.range)
    }
  }

  func checkSigned(_ type: ValueType, at range: Range<Int>) throws(ParseError) {
    guard type == .scalar || type == .vector else {
      let message = "unary expression only allowed on expressions of type scalar or instant vector"
      throw error("\(message), got \"\(type.rawValue)\"", range)
    }
  }

  private func check(_ selector: VectorSelector, at range: Range<Int>) throws(ParseError) {
    if let name = selector.name {
      // The last one is the name itself.
      for matcher in selector.matchers.dropLast() where matcher.name == Labels.metricLabel {
        let names = "\(QuotedText.quoted(name)) or \(QuotedText.quoted(matcher.value))"
        throw error("metric name must not be set twice: \(names)", range)
      }
    } else if selector.matchers.allSatisfy({ $0.matches("") }) {
      throw error("vector selector must contain at least one non-empty matcher", range)
    }
  }

  private func check(_ subquery: Subquery, at range: Range<Int>) throws(ParseError) {
    let type = try check(subquery.expr)
    guard type == .vector else {
      // Prometheus has its own name for the type here, not the documented one.
      let name = type == .matrix ? "matrix" : type.rawValue
      throw error("subquery is only allowed on instant vector, got \(name) instead", range)
    }
  }

  private func check(_ call: Call, at range: Range<Int>) throws(ParseError) {
    try checkArgumentCount(call, at: range)
    for (index, argument) in call.arguments.enumerated() {
      let types = call.function.arguments
      let expected = types[min(index, types.count - 1)]
      try check(argument, is: expected, in: "call to function \"\(call.function.name)\"")
    }
  }

  private func checkArgumentCount(_ call: Call, at range: Range<Int>) throws(ParseError) {
    let (function, count) = (call.function, call.arguments.count)
    let most = function.arguments.count
    let least = function.optionalCount == 0 ? most : most - 1
    let bound: String
    if function.optionalCount == 0, count != most {
      bound = "\(most)"
    } else if count < least {
      bound = "at least \(least)"
    } else if function.optionalCount > 0, count > most {
      bound = "at most \(most)"
    } else {
      return
    }
    throw error("expected \(bound) argument(s) in call to \"\(function.name)\", got \(count)", range)
  }

  private func check(_ aggregation: Aggregation) throws(ParseError) {
    try check(aggregation.expr, is: .vector, in: "aggregation expression")
    guard let parameter = aggregation.parameter else { return }
    let expected: ValueType = aggregation.operation == .countValues ? .string : .scalar
    try check(parameter, is: expected, in: "aggregation parameter")
  }

  private func check(_ expr: Expr, is expected: ValueType, in context: String) throws(ParseError) {
    let type = try check(expr)
    guard type == expected else {
      throw error("expected type \(expected.rawValue) in \(context), got \(type.rawValue)", expr.range)
    }
  }

  private func check(_ binary: Binary, at range: Range<Int>) throws(ParseError) -> ValueType {
    let left = try check(binary.left)
    let right = try check(binary.right)
    try checkModifiers(binary, areScalars: left == .scalar && right == .scalar)
    for (type, side) in [(left, binary.left), (right, binary.right)] where type != .scalar && type != .vector {
      throw error("binary expression must contain only scalar and instant vector types", side.range)
    }
    if left != .vector || right != .vector {
      guard binary.matching == nil else { throw error("vector matching only allowed between instant vectors", range) }
      guard !binary.operation.isSetOperation else {
        throw error("set operator \"\(binary.operation.rawValue)\" not allowed in binary scalar expression", range)
      }
    } else if binary.operation.isSetOperation, binary.matching?.cardinality != .manyToMany {
      throw error("no grouping allowed for \"\(binary.operation.rawValue)\" operation", range)
    }
    return left == .scalar && right == .scalar ? .scalar : .vector
  }

  private func checkModifiers(_ binary: Binary, areScalars: Bool) throws(ParseError) {
    if binary.returnsBool, !binary.operation.isComparison {
      throw error("bool modifier can only be used on comparison operators", operatorRange(binary))
    }
    if binary.operation.isComparison, !binary.returnsBool, areScalars {
      throw error("comparisons between scalars must use BOOL modifier", operatorRange(binary))
    }
    guard let matching = binary.matching, matching.isOn, !matching.included.isEmpty else { return }
    let included = Set(matching.included)
    if let label = matching.labels.first(where: included.contains) {
      let message = "label \(QuotedText.quoted(label)) must not occur in ON and GROUP clause at once"
      throw error(message, operatorRange(binary))
    }
  }

  private func operatorRange(_ binary: Binary) -> Range<Int> {
    let between = binary.left.range.upperBound..<binary.right.range.lowerBound
    let start = between.first { query[$0] > 0x20 } ?? between.lowerBound
    return start..<max(start, between.upperBound)
  }

  private func error(_ message: String, _ range: Range<Int>) -> ParseError { ParseError(message, at: range, in: query) }
}
