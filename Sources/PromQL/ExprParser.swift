// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// The grammar, one function for a rule. This file has the operators; operands are in ExprParser+….swift.

/// Reads one query from its start to its end.
struct ExprParser {
  private var lexer: Lexer
  private var lookahead: Token?
  /// End of the last token that was taken.
  private(set) var end = 0
  private var depth = 0
  /// Of the expression that was read last: asking the tree each time would take the square of its depth.
  private(set) var shape = Shape(height: 0, type: .scalar)
  /// How many aggregations' parentheses are open: errors in them say so.
  var aggregationDepth = 0

  struct Shape {
    /// Levels.
    let height: Int
    let type: ValueType
  }

  init(_ query: String) {
    lexer = Lexer(query)
  }

  var bytes: [UInt8] { lexer.bytes }

  mutating func whole() throws(ParseError) -> Expr {
    if try peek().kind == .endOfInput { throw error("no expression found in input", 0..<0) }
    let expr = try expression(.lowest)
    guard try peek().kind == .endOfInput else { throw try unexpected() }
    return expr
  }

  mutating func wholeSelector() throws(ParseError) -> VectorSelector {
    let selector = try selector()
    guard try peek().kind == .endOfInput else { throw try unexpected() }
    return selector
  }

  // MARK: Tokens

  /// The next token. It is read as late as can be, so that errors before it come first.
  mutating func peek() throws(ParseError) -> Token {
    if let lookahead { return lookahead }
    let token = try lexer.next()
    lookahead = token
    return token
  }

  @discardableResult
  mutating func take() throws(ParseError) -> Token {
    let token = try peek()
    lookahead = nil
    end = token.range.upperBound
    return token
  }

  /// Takes the token if it is next.
  mutating func skip(_ kind: Token.Kind) throws(ParseError) -> Bool {
    guard try peek().kind == kind else { return false }
    try take()
    return true
  }

  func text(_ token: Token) -> String { String(decoding: bytes[token.range], as: UTF8.self) }

  func error(_ message: String, _ range: Range<Int>, feature: String? = nil) -> ParseError {
    ParseError(message, range, in: bytes, feature: feature)
  }

  /// An error about the next token.
  mutating func unexpected(in context: String? = nil, expected: String? = nil) throws(ParseError) -> ParseError {
    let token = try peek()
    let context = context ?? (aggregationDepth > 0 ? "aggregation" : nil)
    let place = context.map { " in \($0)" } ?? ""
    let wanted = expected.map { ", expected \($0)" } ?? ""
    return error("unexpected \(token.kind.described(text(token)))\(place)\(wanted)", token.range)
  }

  // MARK: Operators

  /// Operators of at least a level, and their operands.
  mutating func expression(_ level: Precedence) throws(ParseError) -> Expr {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Parser.depthMax else { throw try tooDeep() }
    var left = try signed()
    while let operation = try nextOperation(), operation.precedence >= level {
      try take()
      left = try binary(operation, left)
    }
    return left
  }

  private mutating func binary(_ operation: Binary.Operation, _ left: Expr) throws(ParseError) -> Expr {
    let leftShape = shape
    var (returnsBool, matching) = try binaryModifiers()
    let right = try expression(operation == .power ? .power : operation.precedence.next)
    if operation.isSet, matching.cardinality == .oneToOne { matching.cardinality = .manyToMany }
    let areVectors = leftShape.type == .vector && shape.type == .vector
    // Labels between other types stay, for the type check to refuse them.
    let isKept = areVectors || !matching.labels.isEmpty
    let binary = Binary(
      operation: operation, left: left, right: right, returnsBool: returnsBool, matching: isKept ? matching : nil)
    return try grown(
      .binary(binary), from: left.range.lowerBound, over: max(leftShape.height, shape.height),
      type: leftShape.type == .scalar && shape.type == .scalar ? .scalar : .vector)
  }

  private mutating func nextOperation() throws(ParseError) -> Binary.Operation? {
    let token = try peek()
    switch token.kind {
    case .operation(let operation): return operation
    case .experimental(let word) where word.isTrim:
      let message = "operator \"\(word.rawValue)\" is not supported: it trims native histograms"
      throw error(message, token.range, feature: "operator \(word.rawValue)")
    default: return nil
    }
  }

  /// Signs bind as `*` does: weaker than `^`.
  private mutating func signed() throws(ParseError) -> Expr {
    let token = try peek()
    guard token.kind == .operation(.subtract) || token.kind == .operation(.add) else { return try operand() }
    try take()
    let isMinus = token.kind == .operation(.subtract)
    var inner = try expression(.power)
    if case .number(let value) = inner.node {
      inner.node = .number(isMinus ? -value : value)
      inner.range = token.range.lowerBound..<inner.range.upperBound
      return inner
    }
    if isMinus {
      return try grown(.negation(inner), from: token.range.lowerBound, over: shape.height, type: shape.type)
    }
    try TypeCheck(query: bytes).checkSign(shape.type, token.range.lowerBound..<inner.range.upperBound)
    return inner
  }

  /// An expression up to the last token taken.
  ///
  /// - Parameter heights: the greatest of the parts.
  mutating func grown(
    _ node: Expr.Node, from start: Int, over heights: Int, type: ValueType
  ) throws(ParseError) -> Expr {
    shape = Shape(height: heights + 1, type: type)
    guard shape.height <= Parser.depthMax else { throw try tooDeep() }
    return Expr(node, range: start..<end)
  }

  private mutating func tooDeep() throws(ParseError) -> ParseError {
    error("the expression has more than \(Parser.depthMax) levels", try peek().range)
  }
}

/// How tightly an operator binds.
enum Precedence: Int, Comparable {
  case or, and, comparison, sum, product, power

  static let lowest = Precedence.or

  /// What the right operand of a left-associative operator has to bind with.
  var next: Precedence { Precedence(rawValue: rawValue + 1) ?? .power }

  static func < (left: Precedence, right: Precedence) -> Bool { left.rawValue < right.rawValue }
}

extension Binary.Operation {
  var precedence: Precedence {
    switch self {
    case .or: .or
    case .and, .unless: .and
    case .equal, .notEqual, .greater, .less, .greaterOrEqual, .lessOrEqual: .comparison
    case .add, .subtract: .sum
    case .multiply, .divide, .modulo, .atan2: .product
    case .power: .power
    }
  }
}
