// SPDX-License-Identifier: Apache-2.0

internal import RegularExpressions
internal import TimeSeries

// `name{label="value", …}`

extension ExprParser {
  /// A selector at the next token.
  mutating func selector() throws(ParseError) -> VectorSelector {
    let token = try peek()
    if token.kind == .sign(.leftBrace) { return try selector(named: nil) }
    guard token.kind.isMetric else { throw try unexpected() }
    try take()
    return try selector(named: token)
  }

  /// - Parameter token: the name, which was taken.
  mutating func selector(named token: Token?) throws(ParseError) -> VectorSelector {
    let name = token.map(text)
    var quotedName: String?
    var matchers: [Matcher] = []
    if try peek().kind == .sign(.leftBrace) { (quotedName, matchers) = try braces() }
    if let name, let second = matchers.first(where: { $0.name == Labels.metricLabel })?.value ?? quotedName {
      let message = "metric name must not be set twice: \(StringText.quoted(name)) or \(StringText.quoted(second))"
      throw error(message, token!.range.lowerBound..<end)
    }
    let selected = name ?? quotedName
    if let selected { matchers.append(try matcher(Labels.metricLabel, .equal, selected, 0..<end)) }
    return VectorSelector(name: selected == "" ? nil : selected, matchers: matchers)
  }

  /// The first quoted name, and all other matchers.
  private mutating func braces() throws(ParseError) -> (name: String?, matchers: [Matcher]) {
    try take()
    var name: String?
    var matchers: [Matcher] = []
    while try !skip(.sign(.rightBrace)) {
      let label = try label()
      if label.kind == .string, try operation() == nil {
        let value = StringLiteral.value(bytes[label.range])
        if name == nil { name = value } else { matchers.append(try matcher(Labels.metricLabel, .equal, value, label.range)) }
      } else {
        matchers.append(try matcher(label))
      }
      if try skip(.sign(.comma)) { continue }
      guard try peek().kind == .sign(.rightBrace) else {
        throw try unexpected(in: "label matching", expected: "\",\" or \"}\"")
      }
    }
    return (name, matchers)
  }

  private mutating func label() throws(ParseError) -> Token {
    let token = try peek()
    guard token.kind == .identifier || token.kind == .string else {
      throw try unexpected(in: "label matching", expected: "identifier or \"}\"")
    }
    return try take()
  }

  private mutating func matcher(_ label: Token) throws(ParseError) -> Matcher {
    guard let operation = try operation() else {
      throw try unexpected(in: "label matching", expected: "label matching operator")
    }
    try take()
    let value = try peek()
    guard value.kind == .string else { throw try unexpected(in: "label matching", expected: "string") }
    try take()
    let name = label.kind == .string ? StringLiteral.value(bytes[label.range]) : text(label)
    return try matcher(name, operation, StringLiteral.value(bytes[value.range]), label.range.lowerBound..<end)
  }

  private mutating func operation() throws(ParseError) -> Matcher.Operation? {
    switch try peek().kind {
    case .sign(.equal): .equal
    case .sign(.matches): .matches
    case .sign(.matchesNot): .matchesNot
    case .operation(.notEqual): .notEqual
    default: nil
    }
  }

  private func matcher(
    _ name: String, _ operation: Matcher.Operation, _ value: String, _ range: Range<Int>
  ) throws(ParseError) -> Matcher {
    do throws(RegularExpressionError) {
      return try Matcher(name, operation, value)
    } catch {
      throw self.error(error.description, range)
    }
  }
}
