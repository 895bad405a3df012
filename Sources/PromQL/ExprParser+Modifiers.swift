// SPDX-License-Identifier: Apache-2.0

// What follows a selector or subquery: `[5m]`, `[1h:5m]`, `offset 5m`, `@ 10`.

extension ExprParser {
  private static let anyDuration = "number, duration, step(), or range()"

  /// The expression with the next modifier, nil where there is none.
  mutating func modifier(of expr: Expr) throws(ParseError) -> Expr? {
    let token = try peek()
    switch token.kind {
    case .sign(.leftBracket): return try bracketed(expr)
    case .keyword(.offset): return try offset(expr)
    case .sign(.at): return try at(expr)
    case .experimental(let word) where word == .anchored || word == .smoothed:
      let message = "\(word.rawValue) modifier is experimental and not enabled"
      throw error(message, expr.range, feature: "modifier \(word.rawValue)")
    default: return nil
    }
  }

  // MARK: Ranges

  private mutating func bracketed(_ expr: Expr) throws(ParseError) -> Expr {
    let start = try take().range.lowerBound
    guard let rangeMs = try positiveDuration() else {
      throw try unexpected(in: "subquery or range selector", expected: ExprParser.anyDuration)
    }
    if try skip(.sign(.rightBracket)) { return try matrix(expr, rangeMs, start..<end) }
    guard try skip(.sign(.colon)) else { throw try unexpected(in: "subquery or range", expected: "\":\" or \"]\"") }
    if try skip(.sign(.rightBracket)) { return try subquery(expr, rangeMs, stepMs: nil) }
    guard let stepMs = try positiveDuration() else {
      throw try unexpected(
        in: "subquery selector", expected: "number, duration, step(), range(), or \"]\"")
    }
    guard try skip(.sign(.rightBracket)) else { throw try unexpected(in: "subquery selector", expected: "\"]\"") }
    return try subquery(expr, rangeMs, stepMs: stepMs)
  }

  private mutating func matrix(_ expr: Expr, _ rangeMs: Int64, _ brackets: Range<Int>) throws(ParseError) -> Expr {
    guard case .selector(let selector) = expr.node else {
      throw error("ranges only allowed for vector selectors", brackets)
    }
    guard selector.shift.offsetMs == 0 else { throw error("no offset modifiers allowed before range", brackets) }
    guard selector.shift.at == nil else { throw error("no @ modifiers allowed before range", brackets) }
    return try grown(.matrix(selector, rangeMs: rangeMs), from: expr.range.lowerBound, over: 0, type: .matrix)
  }

  private mutating func subquery(_ expr: Expr, _ rangeMs: Int64, stepMs: Int64?) throws(ParseError) -> Expr {
    let subquery = Subquery(expr: expr, rangeMs: rangeMs, stepMs: stepMs)
    return try grown(.subquery(subquery), from: expr.range.lowerBound, over: shape.height, type: .matrix)
  }

  /// A duration in brackets, nil where none begins.
  private mutating func positiveDuration() throws(ParseError) -> Int64? {
    guard let (milliseconds, range) = try duration() else { return nil }
    if case .operation(let operation) = try peek().kind, operation.isArithmetic { throw experimental(range) }
    // Less than a millisecond is more than nothing in Prometheus, but no time of a sample can tell.
    guard milliseconds > 0 else { throw error("duration must be greater than 0", range) }
    return milliseconds
  }

  /// A number with signs before it, nil where none begins.
  private mutating func duration() throws(ParseError) -> (milliseconds: Int64, range: Range<Int>)? {
    var isNegative = false
    let start = try peek().range.lowerBound
    while case .operation(let sign) = try peek().kind, sign == .add || sign == .subtract {
      try take()
      if sign == .subtract { isNegative.toggle() }
    }
    let token = try peek()
    switch token.kind {
    case .number, .duration:
      try take()
      let seconds = try numberValue(token)
      return (try milliseconds(isNegative ? -seconds : seconds, start..<end), start..<end)
    case .sign(.leftParenthesis), .preprocessor(.step), .preprocessor(.range), .preprocessor(.maxOf), .preprocessor(.minOf):
      throw experimental(token.range)
    default: return nil
    }
  }

  private func experimental(_ range: Range<Int>) -> ParseError {
    error("experimental duration expression is not enabled", range, feature: "duration expression")
  }

  private func milliseconds(_ seconds: Double, _ range: Range<Int>) throws(ParseError) -> Int64 {
    guard seconds.magnitude <= Double(DurationText.durationMsMax / 1000) else {
      throw error("duration out of range", range)
    }
    // Nanoseconds are rounded, what is left of a millisecond is dropped, as in Prometheus.
    return Int64((seconds * 1e9).rounded(.toNearestOrAwayFromZero) / 1e6)
  }

  // MARK: Offset and @

  private mutating func offset(_ expr: Expr) throws(ParseError) -> Expr {
    try take()
    guard let (milliseconds, _) = try duration() else {
      throw try unexpected(in: "offset", expected: ExprParser.anyDuration)
    }
    return try shifted(expr, "offset modifier") { shift in
      guard shift.offsetMs == 0 else { return "offset may not be set multiple times" }
      shift.offsetMs = milliseconds
      return nil
    }
  }

  private mutating func at(_ expr: Expr) throws(ParseError) -> Expr {
    try take()
    let at = try atModifier(expr.range)
    return try shifted(expr, "@ modifier") { shift in
      guard shift.at == nil else { return "@ <timestamp> may not be set multiple times" }
      shift.at = at
      return nil
    }
  }

  private mutating func atModifier(_ range: Range<Int>) throws(ParseError) -> AtModifier {
    if case .preprocessor(let word) = try peek().kind, word == .start || word == .end {
      try take()
      guard try skip(.sign(.leftParenthesis)), try skip(.sign(.rightParenthesis)) else {
        throw try unexpected(in: "@", expected: "timestamp")
      }
      return word == .start ? .start : .end
    }
    let isNegative = try skip(.operation(.subtract))
    if !isNegative { _ = try skip(.operation(.add)) }
    let token = try peek()
    guard token.kind == .number || token.kind == .duration else {
      throw try unexpected(in: "@", expected: "timestamp")
    }
    try take()
    let seconds = try numberValue(token) * (isNegative ? -1 : 1)
    guard seconds.magnitude < 0x1p63 else {
      throw error("timestamp out of bounds for @ modifier: \(plainText(seconds))", range)
    }
    let milliseconds = (seconds * 1000).rounded(.toNearestOrAwayFromZero)
    return .time(Int64(exactly: milliseconds) ?? (seconds < 0 ? .min : .max))
  }

  /// As Go's `%f`; so large a number has no fraction.
  private func plainText(_ value: Double) -> String {
    FloatText.plain(value) + (value.isFinite ? ".000000" : "")
  }

  /// - Parameters:
  ///   - name: of the modifier, for the error that nothing is there to be modified.
  ///   - change: returns why it refuses.
  private mutating func shifted(
    _ expr: Expr, _ name: String, _ change: (inout TimeShift) -> String?
  ) throws(ParseError) -> Expr {
    var refusal: String?
    var shifted = expr
    switch expr.node {
    case .selector(var selector):
      refusal = change(&selector.shift)
      shifted.node = .selector(selector)
    case .matrix(var selector, let rangeMs):
      refusal = change(&selector.shift)
      shifted.node = .matrix(selector, rangeMs: rangeMs)
    case .subquery(var subquery):
      refusal = change(&subquery.shift)
      shifted.node = .subquery(subquery)
    default:
      refusal = "\(name) must be preceded by an instant vector selector or range vector selector or a subquery"
    }
    if let refusal { throw error(refusal, expr.range) }
    shifted.range = expr.range.lowerBound..<end
    return shifted
  }
}

extension Binary.Operation {
  fileprivate var isArithmetic: Bool {
    switch self {
    case .add, .subtract, .multiply, .divide, .modulo, .power: true
    default: false
    }
  }
}
