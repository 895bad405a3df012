// SPDX-License-Identifier: Apache-2.0

// What may follow an operator: `bool on (…) group_left (…)`; and lists of labels.

extension ExprParser {
  mutating func binaryModifiers() throws(ParseError) -> (returnsBool: Bool, matching: Binary.Matching) {
    let returnsBool = try skip(.keyword(.bool))
    var matching = Binary.Matching()
    if case .keyword(let keyword) = try peek().kind, keyword == .on || keyword == .ignoring {
      try take()
      matching.isOn = keyword == .on
      matching.labels = try groupingLabels()
      try group(&matching)
    }
    let token = try peek()
    if case .experimental(let word) = token.kind, word.isFill {
      let message = "binop fill modifiers are experimental and not enabled"
      throw error(message, token.range, feature: "modifier \(word.rawValue)")
    }
    return (returnsBool, matching)
  }

  private mutating func group(_ matching: inout Binary.Matching) throws(ParseError) {
    if try skip(.keyword(.groupLeft)) {
      matching.cardinality = .manyToOne
    } else if try skip(.keyword(.groupRight)) {
      matching.cardinality = .oneToMany
    } else {
      return
    }
    if try peek().kind == .sign(.leftParenthesis) { matching.included = try groupingLabels() }
  }

  /// `(a, b, "c.d",)`
  mutating func groupingLabels() throws(ParseError) -> [String] {
    guard try skip(.sign(.leftParenthesis)) else { throw try unexpected(in: "grouping opts", expected: "\"(\"") }
    var labels: [String] = []
    while try !skip(.sign(.rightParenthesis)) {
      labels.append(try groupingLabel())
      if try skip(.sign(.comma)) { continue }
      guard try peek().kind == .sign(.rightParenthesis) else {
        throw try unexpected(in: "grouping opts", expected: "\",\" or \")\"")
      }
    }
    return labels
  }

  private mutating func groupingLabel() throws(ParseError) -> String {
    let token = try peek()
    let label: String
    if token.kind == .string {
      label = StringLiteral.value(bytes[token.range])
    } else if token.kind.isLabel {
      label = text(token)
    } else {
      throw try unexpected(in: "grouping opts", expected: "label")
    }
    try take()
    guard !label.isEmpty else { throw error("invalid label name for grouping: \"\"", token.range) }
    return label
  }
}

extension Token.Kind {
  /// Words that are labels where a label is wanted.
  fileprivate var isLabel: Bool {
    switch self {
    case .identifier, .metricIdentifier, .aggregation, .preprocessor: true
    case .keyword(let keyword): keyword != .without
    case .operation(let operation): operation.isWord
    case .experimental(let word): !word.isTrim
    case .endOfInput, .string, .number, .duration, .sign: false
    }
  }

  /// Words that are metrics where an expression is wanted.
  var isMetric: Bool {
    switch self {
    case .identifier, .metricIdentifier, .aggregation, .preprocessor: true
    case .keyword(let keyword): keyword == .by || keyword == .without || keyword == .offset
    case .operation(let operation): operation.isSet
    case .experimental(let word): !word.isTrim
    case .endOfInput, .string, .number, .duration, .sign: false
    }
  }
}

extension Binary.Operation {
  var isWord: Bool { isSet || self == .atan2 }
}
