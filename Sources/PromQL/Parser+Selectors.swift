// SPDX-License-Identifier: Apache-2.0

internal import RegularExpressions
internal import TimeSeries

// Selectors: a name, matchers in braces.

extension Parser {
  /// The rest of a selector whose name, where it has one, has been taken.
  mutating func vectorSelector(name: Token?) throws(ParseError) -> (VectorSelector, Range<Int>) {
    let start = name?.range.lowerBound ?? token.range.lowerBound
    var matchers = token.kind == .leftBrace ? try matchersInBraces() : []
    let text = name.map(text)
    if let text { matchers.append(Matcher(equal: text)) }
    return (VectorSelector(name: text, matchers: matchers), start..<end)
  }

  private mutating func matchersInBraces() throws(ParseError) -> [Matcher] {
    try take(.leftBrace)
    var matchers: [Matcher] = []
    while token.kind != .rightBrace {
      matchers.append(try matcher())
      if token.kind == .comma {
        try take()
      } else if token.kind != .rightBrace {
        throw unexpected(in: "label matching", expected: "\",\" or \"}\"")
      }
    }
    try take()
    return matchers
  }

  private mutating func matcher() throws(ParseError) -> Matcher {
    guard token.kind == .identifier || token.kind == .string else {
      throw unexpected(in: "label matching", expected: "identifier or \"}\"")
    }
    let label = try take()
    let name = label.kind == .string ? QuotedText.unquoted(bytes[label.range]) : text(label)
    guard let operation = token.kind.matcherOperation else {
      // A string alone is the metric's name.
      if label.kind == .string { return Matcher(equal: name) }
      throw unexpected(in: "label matching", expected: "label matching operator")
    }
    try take()
    guard token.kind == .string else { throw unexpected(in: "label matching", expected: "string") }
    let literal = try take()
    let value = QuotedText.unquoted(bytes[literal.range])
    if operation == .matches || operation == .matchesNot, !RegularExpression.isPlain(value) {
      try countRegularExpression(value, at: literal.range)
    }
    do throws(RegularExpressionError) {
      return try Matcher(name, operation, value)
    } catch {
      throw self.error(error.description, at: label.range.lowerBound..<literal.range.upperBound)
    }
  }
}

extension Token.Kind {
  fileprivate var matcherOperation: Matcher.Operation? {
    switch self {
    case .equals: .equal
    case .binary(.notEqual): .notEqual
    case .matches: .matches
    case .matchesNot: .matchesNot
    default: nil
    }
  }
}

extension Matcher {
  /// `__name__="…"`
  fileprivate init(equal metric: String) {
    do throws(RegularExpressionError) {
      try self.init(Labels.metricLabel, .equal, metric)
    } catch {
      preconditionFailure("a comparison has no regular expression that could be wrong")
    }
  }
}
