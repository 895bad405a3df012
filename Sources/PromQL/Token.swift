// SPDX-License-Identifier: Apache-2.0

// The words of PromQL. How they are told apart in text is the lexer's.

/// A word of a query and where it stands.
struct Token: Equatable {
  enum Kind: Equatable {
    case endOfInput
    case identifier
    /// An identifier with a colon, which only a metric may have.
    case metricIdentifier
    case number, duration, string
    case leftParenthesis, rightParenthesis, leftBrace, rightBrace, leftBracket, rightBracket
    case comma, colon, equals, matches, matchesNot, at
    case binary(Binary.Operation)
    /// `</` and `>/`, which cut native histograms.
    case trim
    case aggregation(Aggregation.Operation)
    case experimentalAggregation
    case bool, by, without, on, ignoring, groupLeft, groupRight
    case offset, start, end
    case fill, anchored, smoothed
    /// `step`, `range`, `max_of` and `min_of`.
    case durationFunction
  }

  let kind: Kind
  let range: Range<Int>
}

extension Token.Kind {
  /// The keyword of a word in lower case; `inf` and `nan` are numbers.
  static func keyword(_ word: String) -> Token.Kind? { keywords[word] }

  /// No keyword is longer: `count_values`.
  static let keywordBytesMax = 12

  private static let keywords: [String: Token.Kind] = {
    var keywords: [String: Token.Kind] = [
      "and": .binary(.and), "or": .binary(.or), "unless": .binary(.unless), "atan2": .binary(.atan2),
      "limitk": .experimentalAggregation, "limit_ratio": .experimentalAggregation,
      "bool": .bool, "by": .by, "without": .without, "on": .on, "ignoring": .ignoring,
      "group_left": .groupLeft, "group_right": .groupRight, "offset": .offset, "start": .start, "end": .end,
      "fill": .fill, "fill_left": .fill, "fill_right": .fill, "anchored": .anchored, "smoothed": .smoothed,
      "step": .durationFunction, "range": .durationFunction, "max_of": .durationFunction, "min_of": .durationFunction,
      "inf": .number, "nan": .number,
    ]
    for operation in Aggregation.Operation.allCases { keywords[operation.rawValue] = .aggregation(operation) }
    return keywords
  }()

  /// Whether the word may name a metric outside of braces.
  var isMetricName: Bool {
    switch self {
    case .identifier, .metricIdentifier, .aggregation, .experimentalAggregation, .by, .without, .offset, .start, .end,
      .fill, .anchored, .smoothed, .durationFunction, .binary(.and), .binary(.or), .binary(.unless):
      true
    default: false
    }
  }

  /// Whether the word may be a label between the parentheses of `by`, `on` and their kin.
  var isGroupingLabel: Bool {
    switch self {
    case .bool, .on, .ignoring, .groupLeft, .groupRight, .binary(.atan2): true
    // Prometheus' grammar leaves it out of its list.
    case .without: false
    default: isMetricName
    }
  }
}

extension Token {
  /// The token as Prometheus names it in "unexpected …".
  func described(in query: [UInt8]) -> String {
    let bytes = query[range]
    let text = String(decoding: bytes, as: UTF8.self)
    switch kind {
    case .endOfInput: return "end of input"
    case .identifier: return "identifier \(QuotedText.quoted(text))"
    case .metricIdentifier: return "metric identifier \(QuotedText.quoted(text))"
    case .number: return "number \(Token.shortened(text))"
    case .duration: return "duration \(Token.shortened(text))"
    case .string: return "string \(Token.shortened(text))"
    case .binary, .trim, .matches, .matchesNot, .at: return "<op:\(text)>"
    case .aggregation, .experimentalAggregation: return "<aggr:\(text)>"
    case .bool, .by, .without, .on, .ignoring, .groupLeft, .groupRight, .offset, .fill, .anchored, .smoothed:
      return "<\(text)>"
    default: return QuotedText.quoted(text)
    }
  }

  private static func shortened(_ text: String) -> String {
    guard text.utf8.count > 10 else { return QuotedText.quoted(text) }
    let beginning = String(String.UnicodeScalarView(text.unicodeScalars.prefix(10)))
    return "\(QuotedText.quoted(beginning))..."
  }
}
