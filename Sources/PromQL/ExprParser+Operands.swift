// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// What operators stand between: literals, parentheses, calls, aggregations, selectors, and what follows them.

extension ExprParser {
  mutating func operand() throws(ParseError) -> Expr {
    var expr = try bareOperand()
    while let modified = try modifier(of: expr) { expr = modified }
    return expr
  }

  private mutating func bareOperand() throws(ParseError) -> Expr {
    let token = try peek()
    switch token.kind {
    case .number, .duration:
      try take()
      return try grown(.number(try numberValue(token)), from: token.range.lowerBound, over: 0, type: .scalar)
    case .string:
      try take()
      let value = StringLiteral.value(bytes[token.range])
      return try grown(.string(value), from: token.range.lowerBound, over: 0, type: .string)
    case .sign(.leftParenthesis): return try parentheses()
    case .sign(.leftBrace): return try selectorExpr(named: nil)
    case _ where token.kind.isMetric:
      try take()
      return try named(token)
    default: throw try unexpected()
    }
  }

  /// - Parameter token: a number or duration, which in seconds is a number.
  func numberValue(_ token: Token) throws(ParseError) -> Double {
    let text = text(token)
    guard token.kind == .duration else {
      do throws(NumberLiteral.Failure) {
        return try NumberLiteral.value(text)
      } catch {
        throw self.error(error.message, token.range)
      }
    }
    do throws(DurationText.Failure) {
      return Double(try DurationText.milliseconds(text)) / 1000
    } catch {
      throw self.error(error.message, token.range)
    }
  }

  private mutating func parentheses() throws(ParseError) -> Expr {
    let start = try take().range.lowerBound
    let inner = try expression(.lowest)
    guard try skip(.sign(.rightParenthesis)) else { throw try unexpected() }
    return try grown(.parentheses(inner), from: start, over: shape.height, type: shape.type)
  }

  /// What begins with a word.
  private mutating func named(_ token: Token) throws(ParseError) -> Expr {
    let next = try peek().kind
    switch token.kind {
    case .identifier where next == .sign(.leftParenthesis): return try call(token)
    case .preprocessor where next == .sign(.leftParenthesis): return try call(token)
    case .aggregation where next.beginsAggregation: return try aggregation(token)
    case .experimental(let word) where word.isAggregation && next.beginsAggregation: return try aggregation(token)
    default: return try selectorExpr(named: token)
    }
  }

  private mutating func selectorExpr(named token: Token?) throws(ParseError) -> Expr {
    let start = if let token { token.range.lowerBound } else { try peek().range.lowerBound }
    let selector = try selector(named: token)
    return try grown(.selector(selector), from: start, over: 0, type: .vector)
  }
}

extension Token.Kind {
  fileprivate var beginsAggregation: Bool {
    self == .sign(.leftParenthesis) || self == .keyword(.by) || self == .keyword(.without)
  }
}
