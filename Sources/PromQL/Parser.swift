// SPDX-License-Identifier: Apache-2.0

// The grammar of PromQL, by descent: a function for each of its rules, the precedence of operators as a number. Types
// are checked when the whole query has been read (TypeCheck), so that a slip of the pen is reported first.
//
// Experimental functions and modifiers are known and refused in Prometheus' words.

extension Expr {
  /// Longest query in UTF-8. Dashboards put lists of hundreds of names into one matcher; none needs a megabyte.
  package static let queryBytesMax = 1 << 20
  /// Most levels of a tree: calls, parentheses, and operators in one chain. Whoever walks it may use recursion; reading
  /// it was measured to take up to 3.3 KiB of stack a level, where a thread of Linux has 8 MiB.
  package static let depthMax = 500
  /// Most regular expressions of one query, and the most bytes of their patterns. Plain ones are not counted
  /// (`RegularExpression.isPlain`): nothing is compiled for them.
  package static let regularExpressionsMax = 100
  package static let regularExpressionBytesMax = 64 << 10

  /// Reads a query and checks its types. Linear in its length.
  package init(parsing query: String) throws(ParseError) {
    try self.init(parsing: Array(query.utf8))
  }

  /// - Parameter query: bytes that need not be UTF-8; what is not is refused.
  package init(parsing query: [UInt8]) throws(ParseError) {
    var parser = try Parser(query)
    self = try parser.query()
  }
}

extension VectorSelector {
  /// Reads a selector alone, as `match[]` of the series API has it: `up{job="a"}` without range, offset and `@`.
  package init(parsing text: String) throws(ParseError) {
    var parser = try Parser(Array(text.utf8))
    self = try parser.selectorAlone()
  }
}

/// An expression as far as it has been read, with what must be known of it to go on.
struct Subtree {
  var expr: Expr
  let type: ValueType
  /// Levels of the tree, from 1.
  let depth: Int
}

/// Reads one query.
struct Parser {
  let bytes: [UInt8]
  /// The next word, not taken yet.
  private(set) var token: Token
  /// Where the last word that was taken ends.
  private(set) var end = 0
  private var lexer: Lexer
  private var openExpressions = 0
  private var openAggregations = 0
  private var regularExpressions = 0
  private var regularExpressionBytes = 0

  init(_ bytes: [UInt8]) throws(ParseError) {
    guard bytes.count <= Expr.queryBytesMax else {
      let message = "query has \(bytes.count) bytes, the most is \(Expr.queryBytesMax)"
      throw ParseError(message, at: Expr.queryBytesMax..<bytes.count, in: bytes)
    }
    self.bytes = bytes
    lexer = Lexer(bytes)
    token = try lexer.next()
  }

  mutating func query() throws(ParseError) -> Expr {
    guard token.kind != .endOfInput else { throw error("no expression found in input", at: 0..<0) }
    let expr = try expression().expr
    guard token.kind == .endOfInput else { throw unexpected() }
    try TypeCheck(query: bytes).check(expr)
    return expr
  }

  mutating func selectorAlone() throws(ParseError) -> VectorSelector {
    guard token.kind == .leftBrace || token.kind.isMetricName else { throw unexpected() }
    let name = token.kind == .leftBrace ? nil : try take()
    let (selector, range) = try vectorSelector(name: name)
    guard token.kind == .endOfInput else { throw unexpected() }
    try TypeCheck(query: bytes).check(Expr(.selector(selector), range: range))
    return selector
  }

  /// Operands and the operators between them that bind at least as tightly as given.
  mutating func expression(_ precedence: Int = Binary.Operation.precedenceMin) throws(ParseError) -> Subtree {
    openExpressions += 1
    defer { openExpressions -= 1 }
    try checkDepth(openExpressions, at: token.range)
    var left = try operand()
    while let operation = try binaryOperation(), operation.precedence >= precedence {
      left = try binary(left, operation)
    }
    return left
  }

  private func binaryOperation() throws(ParseError) -> Binary.Operation? {
    if token.kind == .trim {
      throw error("operator \(QuotedText.quoted(text(token))) cuts native histograms, which are not supported")
    }
    guard case .binary(let operation) = token.kind else { return nil }
    return operation
  }

  private mutating func operand() throws(ParseError) -> Subtree {
    switch token.kind {
    case .binary(.add): try plus()
    case .binary(.subtract): try minus()
    default: try modifiers(after: try primary())
    }
  }

  /// A plus sign changes nothing and leaves nothing in the tree, but what it stands before is checked.
  private mutating func plus() throws(ParseError) -> Subtree {
    let start = try take().range.lowerBound
    let operand = try expression(Binary.Operation.power.precedence)
    try TypeCheck(query: bytes).checkSigned(operand.type, at: start..<end)
    guard case .number = operand.expr.node else { return operand }
    return try subtree(operand.expr.node, start, operand.type, over: [])
  }

  private mutating func minus() throws(ParseError) -> Subtree {
    let start = try take().range.lowerBound
    let operand = try expression(Binary.Operation.power.precedence)
    if case .number(let value) = operand.expr.node { return try subtree(.number(-value), start, .scalar, over: []) }
    return try subtree(.negation(operand.expr), start, operand.type, over: [operand])
  }

  private mutating func primary() throws(ParseError) -> Subtree {
    switch token.kind {
    case .number, .duration:
      let start = token.range.lowerBound
      let value = try number()
      return try subtree(.number(value), start, .scalar, over: [])
    case .string:
      let literal = try take()
      return try subtree(.string(QuotedText.unquoted(bytes[literal.range])), literal.range.lowerBound, .string, over: [])
    case .leftParenthesis: return try parentheses()
    case .leftBrace: return try selector(name: nil)
    case let kind where kind.isMetricName: return try named(try take())
    default: throw unexpected()
    }
  }

  private mutating func parentheses() throws(ParseError) -> Subtree {
    let start = try take().range.lowerBound
    let inner = try expression()
    try take(.rightParenthesis)
    return try subtree(.parentheses(inner.expr), start, inner.type, over: [inner])
  }

  /// What begins with a word: a call, an aggregation or a selector.
  private mutating func named(_ name: Token) throws(ParseError) -> Subtree {
    switch (name.kind, token.kind) {
    case (.aggregation, .leftParenthesis), (.aggregation, .by), (.aggregation, .without),
      (.experimentalAggregation, .leftParenthesis), (.experimentalAggregation, .by), (.experimentalAggregation, .without):
      openAggregations += 1
      defer { openAggregations -= 1 }
      return try aggregation(name)
    case (.identifier, .leftParenthesis), (.start, .leftParenthesis), (.end, .leftParenthesis),
      (.durationFunction, .leftParenthesis):
      return try call(name)
    default: return try selector(name: name)
    }
  }

  private mutating func selector(name: Token?) throws(ParseError) -> Subtree {
    let (selector, range) = try vectorSelector(name: name)
    return try subtree(.selector(selector), range.lowerBound, .vector, over: [])
  }

  /// The value of a number or duration, which is taken; durations are seconds.
  mutating func number() throws(ParseError) -> Double {
    let literal = try take()
    if literal.kind == .duration {
      do throws(DurationText.Fault) {
        return Double(try DurationText.ms(bytes[literal.range])) / 1_000
      } catch {
        throw self.error(error.message, at: literal.range)
      }
    }
    do throws(NumberText.Fault) {
      return try NumberText.value(bytes[literal.range])
    } catch {
      // As Go's strconv says it.
      let text = QuotedText.quoted(bytes[literal.range])
      throw self.error("error parsing number: strconv.ParseFloat: parsing \(text): \(error.rawValue)", at: literal.range)
    }
  }

  // MARK: What the other files of the parser use.

  /// Takes the next word.
  @discardableResult
  mutating func take() throws(ParseError) -> Token {
    let taken = token
    end = taken.range.upperBound
    token = try lexer.next()
    return taken
  }

  @discardableResult
  mutating func take(_ kind: Token.Kind) throws(ParseError) -> Token {
    guard token.kind == kind else { throw unexpected() }
    return try take()
  }

  /// Counts a pattern of a matcher against the bounds of a query; compiled, a few bytes may take megabytes.
  mutating func countRegularExpression(_ pattern: String, at range: Range<Int>) throws(ParseError) {
    regularExpressions += 1
    regularExpressionBytes += pattern.utf8.count
    guard regularExpressions <= Expr.regularExpressionsMax else {
      throw error("query has more than \(Expr.regularExpressionsMax) regular expressions", at: range)
    }
    guard regularExpressionBytes <= Expr.regularExpressionBytesMax else {
      throw error("query has more than \(Expr.regularExpressionBytesMax) bytes of regular expressions", at: range)
    }
  }

  func text(_ token: Token) -> String { String(decoding: bytes[token.range], as: UTF8.self) }

  /// A node from `start` to the last word taken.
  func subtree(
    _ node: Expr.Node, _ start: Int, _ type: ValueType, over children: [Subtree]
  ) throws(ParseError) -> Subtree {
    let depth = 1 + (children.map(\.depth).max() ?? 0)
    try checkDepth(depth, at: start..<end)
    return Subtree(expr: Expr(node, range: start..<end), type: type, depth: depth)
  }

  private func checkDepth(_ depth: Int, at range: Range<Int>) throws(ParseError) {
    guard depth <= Expr.depthMax else {
      throw error("expression has more than \(Expr.depthMax) levels of nesting and chained operators", at: range)
    }
  }

  func error(_ message: String, at range: Range<Int>) -> ParseError { ParseError(message, at: range, in: bytes) }

  /// An error about the next word.
  func error(_ message: String) -> ParseError { error(message, at: token.range) }

  /// Says that the next word fits nowhere. As in Prometheus the innermost aggregation is named where nothing nearer is.
  func unexpected(in context: String? = nil, expected: String? = nil) -> ParseError {
    var message = "unexpected \(token.described(in: bytes))"
    if let context = context ?? (openAggregations > 0 ? "aggregation" : nil) { message += " in \(context)" }
    if let expected { message += ", expected \(expected)" }
    return error(message)
  }
}
