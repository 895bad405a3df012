// SPDX-License-Identifier: Apache-2.0

// Binary operators with their modifiers, and the lists of labels that these share with aggregations.

extension Binary.Operation {
  static let precedenceMin = 1

  /// Higher binds more tightly; a sign binds as `*` does.
  var precedence: Int {
    switch self {
    case .or: Self.precedenceMin
    case .and, .unless: 2
    case .equal, .notEqual, .greater, .less, .greaterOrEqual, .lessOrEqual: 3
    case .add, .subtract: 4
    case .multiply, .divide, .modulo, .atan2: 5
    case .power: 6
    }
  }

  /// Whether it keeps or drops what it compares, or says which with `bool`.
  package var isComparison: Bool { precedence == 3 }

  /// Whether it is of series rather than of values.
  package var isSetOperation: Bool { precedence < 3 }
}

extension Parser {
  /// The rest of an operation whose left side has been read; its operator is the next word.
  mutating func binary(_ left: Subtree, _ operation: Binary.Operation) throws(ParseError) -> Subtree {
    try take()
    let returnsBool = token.kind == .bool
    if returnsBool { try take() }
    var matching = try matching()
    if token.kind == .fill {
      throw error("binop fill modifiers are experimental and not enabled", at: left.expr.range)
    }
    // Only ^ has the right side first: 2^3^2 is 2^(3^2).
    let right = try expression(operation == .power ? operation.precedence : operation.precedence + 1)
    if operation.isSetOperation, matching.cardinality == .oneToOne { matching.cardinality = .manyToMany }
    let areVectors = left.type == .vector && right.type == .vector
    let binary = Binary(
      operation: operation, left: left.expr, right: right.expr, returnsBool: returnsBool,
      // Labels between others than vectors are kept for TypeCheck to refuse.
      matching: areVectors || !matching.labels.isEmpty ? matching : nil)
    let type = left.type == .scalar && right.type == .scalar ? ValueType.scalar : .vector
    return try subtree(.binary(binary), left.expr.range.lowerBound, type, over: [left, right])
  }

  private mutating func matching() throws(ParseError) -> Binary.Matching {
    var matching = Binary.Matching()
    guard token.kind == .on || token.kind == .ignoring else { return matching }
    matching.isOn = try take().kind == .on
    matching.labels = try groupingLabels()
    guard token.kind == .groupLeft || token.kind == .groupRight else { return matching }
    matching.cardinality = try take().kind == .groupLeft ? .manyToOne : .oneToMany
    if token.kind == .leftParenthesis { matching.included = try groupingLabels() }
    return matching
  }

  /// `(label, "label in quotes", …)`
  mutating func groupingLabels() throws(ParseError) -> [String] {
    guard token.kind == .leftParenthesis else { throw unexpected(in: "grouping opts", expected: "\"(\"") }
    try take()
    var labels: [String] = []
    while token.kind != .rightParenthesis {
      labels.append(try groupingLabel())
      if token.kind == .comma {
        try take()
      } else if token.kind != .rightParenthesis {
        throw unexpected(in: "grouping opts", expected: "\",\" or \")\"")
      }
    }
    try take()
    return labels
  }

  private mutating func groupingLabel() throws(ParseError) -> String {
    if token.kind == .string {
      let name = QuotedText.unquoted(bytes[token.range])
      guard !name.isEmpty else { throw error("invalid label name for grouping: \"\"") }
      try take()
      return name
    }
    guard token.kind.isGroupingLabel else { throw unexpected(in: "grouping opts", expected: "label") }
    return text(try take())
  }
}
