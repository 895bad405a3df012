// SPDX-License-Identifier: Apache-2.0

// What follows an expression and says of which time it is: ranges, subqueries, `offset` and `@`.

extension Parser {
  private static let durations = "number, duration, step(), or range()"

  /// An expression with all modifiers that follow it.
  mutating func modifiers(after tree: Subtree) throws(ParseError) -> Subtree {
    var tree = tree
    while true {
      switch token.kind {
      case .leftBracket: tree = try brackets(after: tree)
      case .offset: try offset(&tree.expr)
      case .at: try at(&tree.expr)
      case .anchored, .smoothed:
        throw error("\(text(token).lowercased()) modifier is experimental and not enabled", at: tree.expr.range)
      default: return tree
      }
    }
  }

  private mutating func brackets(after tree: Subtree) throws(ParseError) -> Subtree {
    let bracket = try take().range.lowerBound
    let rangeMs = try positiveMs(in: "subquery or range selector", expected: Self.durations)
    let start = tree.expr.range.lowerBound
    switch token.kind {
    case .rightBracket:
      try take()
      let selector = try selector(of: tree.expr, brackets: bracket..<end)
      return try subtree(.matrix(selector, rangeMs: rangeMs), start, .matrix, over: [])
    case .colon:
      try take()
      let subquery = Subquery(expr: tree.expr, rangeMs: rangeMs, stepMs: try step())
      return try subtree(.subquery(subquery), start, .matrix, over: [tree])
    default: throw unexpected(in: "subquery or range", expected: "\":\" or \"]\"")
    }
  }

  private func selector(of expr: Expr, brackets: Range<Int>) throws(ParseError) -> VectorSelector {
    guard case .selector(let selector) = expr.node else {
      throw error("ranges only allowed for vector selectors", at: brackets)
    }
    guard selector.shift.offsetMs == 0 else { throw error("no offset modifiers allowed before range", at: brackets) }
    guard selector.shift.at == nil else { throw error("no @ modifiers allowed before range", at: brackets) }
    return selector
  }

  /// The step of a subquery with the bracket that ends it; nil where the default is meant.
  private mutating func step() throws(ParseError) -> Int64? {
    var stepMs: Int64?
    if token.kind != .rightBracket {
      stepMs = try positiveMs(in: "subquery selector", expected: "number, duration, step(), range(), or \"]\"")
    }
    guard token.kind == .rightBracket else { throw unexpected(in: "subquery selector", expected: "\"]\"") }
    try take()
    return stepMs
  }

  /// A duration in brackets. Of less than a millisecond one is left: zero would make steps that go nowhere.
  private mutating func positiveMs(in context: String, expected: String) throws(ParseError) -> Int64 {
    let start = token.range.lowerBound
    let seconds = try durationSeconds(in: context, expected: expected)
    let range = start..<end
    if case .binary(let operation) = token.kind, !operation.isComparison, !operation.isSetOperation {
      throw durationExpressions(at: range)
    }
    guard seconds > 0 else { throw error("duration must be greater than 0", at: range) }
    return max(1, try ms(seconds, at: range))
  }

  /// A number or duration with any number of signs.
  private mutating func durationSeconds(in context: String, expected: String) throws(ParseError) -> Double {
    var sign = 1.0
    while token.kind == .binary(.add) || token.kind == .binary(.subtract) {
      if try take().kind == .binary(.subtract) { sign = -sign }
    }
    switch token.kind {
    case .number, .duration: return sign * (try number())
    case .durationFunction:
      let function = try take()
      guard token.kind == .leftParenthesis else { throw unexpected(in: context, expected: expected) }
      throw durationExpressions(at: function.range)
    case .leftParenthesis:
      try take()
      throw durationExpressions(at: token.range)
    default: throw unexpected(in: context, expected: expected)
    }
  }

  private func durationExpressions(at range: Range<Int>) -> ParseError {
    error("experimental duration expression is not enabled", at: range)
  }

  private func ms(_ seconds: Double, at range: Range<Int>) throws(ParseError) -> Int64 {
    guard abs(seconds) <= Double(DurationText.msMax) / 1_000 else { throw error("duration out of range", at: range) }
    // By way of nanoseconds, as Prometheus: 0.29 s is 290 ms, though 0.29 * 1000 is a little less.
    return Int64((seconds * 1e9).rounded()) / 1_000_000
  }

  private mutating func offset(_ expr: inout Expr) throws(ParseError) {
    try take()
    let start = token.range.lowerBound
    let seconds = try durationSeconds(in: "offset", expected: Self.durations)
    let offsetMs = try ms(seconds, at: start..<end)
    guard var shift = expr.shift else { throw error(Self.misplaced("offset"), at: expr.range) }
    guard shift.offsetMs == 0 else { throw error("offset may not be set multiple times", at: expr.range) }
    shift.offsetMs = offsetMs
    expr.shift = shift
    expr.range = expr.range.lowerBound..<end
  }

  private mutating func at(_ expr: inout Expr) throws(ParseError) {
    try take()
    let time = try atModifier(of: expr)
    guard var shift = expr.shift else { throw error(Self.misplaced("@"), at: expr.range) }
    guard shift.at == nil else { throw error("@ <timestamp> may not be set multiple times", at: expr.range) }
    shift.at = time
    expr.shift = shift
    expr.range = expr.range.lowerBound..<end
  }

  private mutating func atModifier(of expr: Expr) throws(ParseError) -> AtModifier {
    switch token.kind {
    case .start, .end:
      let modifier: AtModifier = try take().kind == .start ? .start : .end
      for parenthesis in [Token.Kind.leftParenthesis, .rightParenthesis] {
        guard token.kind == parenthesis else { throw unexpected(in: "@", expected: "timestamp") }
        try take()
      }
      return modifier
    case .binary(.add), .binary(.subtract):
      let isNegative = try take().kind == .binary(.subtract)
      return .time(try timestampMs(isNegative: isNegative, of: expr))
    default: return .time(try timestampMs(isNegative: false, of: expr))
    }
  }

  private mutating func timestampMs(isNegative: Bool, of expr: Expr) throws(ParseError) -> Int64 {
    guard token.kind == .number || token.kind == .duration else { throw unexpected(in: "@", expected: "timestamp") }
    let magnitude = try number()
    let seconds = isNegative ? -magnitude : magnitude
    guard let timestampMs = Int64(exactly: (seconds * 1_000).rounded()) else {
      let text = NumberText.textWithSixDecimals(seconds)
      throw error("timestamp out of bounds for @ modifier: \(text)", at: expr.range)
    }
    return timestampMs
  }

  private static func misplaced(_ modifier: String) -> String {
    "\(modifier) modifier must be preceded by an instant vector selector or range vector selector or a subquery"
  }
}

extension Expr {
  /// `offset` and `@` of a selector, range or subquery; nil for what cannot have them.
  fileprivate var shift: TimeShift? {
    get {
      switch node {
      case .selector(let selector), .matrix(let selector, _): selector.shift
      case .subquery(let subquery): subquery.shift
      default: nil
      }
    }
    set {
      guard let newValue else { return }
      switch node {
      case .selector(var selector):
        selector.shift = newValue
        node = .selector(selector)
      case .matrix(var selector, let rangeMs):
        selector.shift = newValue
        node = .matrix(selector, rangeMs: rangeMs)
      case .subquery(var subquery):
        subquery.shift = newValue
        node = .subquery(subquery)
      default: break
      }
    }
  }
}
