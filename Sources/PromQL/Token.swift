// SPDX-License-Identifier: Apache-2.0

// The words and signs of a query, and how errors name them.

/// A token with its bytes.
struct Token {
  let kind: Kind
  let range: Range<Int>

  enum Kind: Equatable {
    case endOfInput
    case identifier
    /// With colons in it, as recording rules name their metrics.
    case metricIdentifier
    case string, number, duration
    case sign(Sign)
    case operation(Binary.Operation)
    case aggregation(Aggregation.Operation)
    case keyword(Keyword)
    /// Words that are functions too.
    case preprocessor(Preprocessor)
    case experimental(Experimental)
  }

  enum Sign: String {
    case comma = ","
    case colon = ":"
    case leftParenthesis = "("
    case rightParenthesis = ")"
    case leftBrace = "{"
    case rightBrace = "}"
    case leftBracket = "["
    case rightBracket = "]"
    case equal = "="
    case matches = "=~"
    case matchesNot = "!~"
    case at = "@"
  }

  enum Keyword: String, CaseIterable {
    case bool, by, without, on, ignoring, offset
    case groupLeft = "group_left"
    case groupRight = "group_right"
  }

  enum Preprocessor: String, CaseIterable {
    case start, end, step, range
    case maxOf = "max_of"
    case minOf = "min_of"
  }

  /// What is known only to be refused.
  enum Experimental: String, CaseIterable {
    case anchored, smoothed, fill, limitk
    case fillLeft = "fill_left"
    case fillRight = "fill_right"
    case limitRatio = "limit_ratio"
    case trimUpper = "</"
    case trimLower = ">/"

    var isAggregation: Bool { self == .limitk || self == .limitRatio }
    var isFill: Bool { self == .fill || self == .fillLeft || self == .fillRight }
    var isTrim: Bool { self == .trimUpper || self == .trimLower }
  }
}

extension Token.Kind {
  /// What a word means where it is no label: in lower case, as keywords are known in any.
  static func word(_ word: String) -> Token.Kind? { words[word] }

  private static let words: [String: Token.Kind] = {
    var words: [String: Token.Kind] = ["inf": .number, "nan": .number]
    for operation in [Binary.Operation.and, .or, .unless, .atan2] { words[operation.rawValue] = .operation(operation) }
    for operation in Aggregation.Operation.allCases { words[operation.rawValue] = .aggregation(operation) }
    for keyword in Token.Keyword.allCases { words[keyword.rawValue] = .keyword(keyword) }
    for word in Token.Preprocessor.allCases { words[word.rawValue] = .preprocessor(word) }
    for word in Token.Experimental.allCases where !word.isTrim { words[word.rawValue] = .experimental(word) }
    return words
  }()

  /// The token in an error: `<aggr:sum>`, `identifier "up"`, `"("`.
  func described(_ text: String) -> String {
    switch self {
    case .endOfInput: "end of input"
    case .identifier: "identifier \(StringText.quoted(text))"
    case .metricIdentifier: "metric identifier \(StringText.quoted(text))"
    case .string: "string \(excerpt(text))"
    case .number: "number \(excerpt(text))"
    case .duration: "duration \(excerpt(text))"
    case .sign(.at), .sign(.matches), .sign(.matchesNot), .operation: "<op:\(text)>"
    case .sign, .preprocessor: excerpt(text)
    case .aggregation: "<aggr:\(text)>"
    case .keyword: "<\(text)>"
    case .experimental(let word): word.isAggregation ? "<aggr:\(text)>" : word.isTrim ? "<op:\(text)>" : "<\(text)>"
    }
  }

  private func excerpt(_ text: String) -> String {
    let scalars = text.unicodeScalars
    return text.utf8.count > 10 ? StringText.quoted(String(scalars.prefix(10))) + "..." : StringText.quoted(text)
  }
}
