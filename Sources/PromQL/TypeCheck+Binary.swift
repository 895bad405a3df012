// SPDX-License-Identifier: Apache-2.0

// Operators: which operands they take, and which modifiers fit those.

extension TypeCheck {
  func check(_ binary: Binary, _ range: Range<Int>) throws(ParseError) -> ValueType {
    let left = try check(binary.left)
    let right = try check(binary.right)
    let operation = binary.operation
    if binary.returnsBool, !operation.isComparison {
      throw operatorError(binary, "bool modifier can only be used on comparison operators")
    }
    if operation.isComparison, !binary.returnsBool, left == .scalar, right == .scalar {
      throw operatorError(binary, "comparisons between scalars must use BOOL modifier")
    }
    if let matching = binary.matching { try checkLabels(matching, binary) }
    for (type, operand) in [(left, binary.left), (right, binary.right)] where type != .scalar && type != .vector {
      let message = "binary expression must contain only scalar and instant vector types"
      throw ParseError(message, operand.range, in: query)
    }
    try checkMatching(binary, left, right, range)
    return left == .scalar && right == .scalar ? .scalar : .vector
  }

  /// At the operator itself: what is between the operands, without spaces.
  private func operatorError(_ binary: Binary, _ message: String) -> ParseError {
    var start = binary.left.range.upperBound
    var end = binary.right.range.lowerBound
    while start < end, query[start].isSpace { start += 1 }
    while end > start, query[end - 1].isSpace { end -= 1 }
    return ParseError(message, start..<end, in: query)
  }

  private func checkLabels(_ matching: Binary.Matching, _ binary: Binary) throws(ParseError) {
    guard matching.isOn, !matching.included.isEmpty else { return }
    let included = Set(matching.included)
    guard let label = matching.labels.first(where: included.contains) else { return }
    throw operatorError(binary, "label \(StringText.quoted(label)) must not occur in ON and GROUP clause at once")
  }

  private func checkMatching(
    _ binary: Binary, _ left: ValueType, _ right: ValueType, _ range: Range<Int>
  ) throws(ParseError) {
    let operation = StringText.quoted(binary.operation.rawValue)
    guard left == .vector, right == .vector else {
      if binary.matching != nil {
        throw ParseError("vector matching only allowed between instant vectors", range, in: query)
      }
      guard binary.operation.isSet else { return }
      throw ParseError("set operator \(operation) not allowed in binary scalar expression", range, in: query)
    }
    if binary.operation.isSet, binary.matching?.cardinality != .manyToMany {
      throw ParseError("no grouping allowed for \(operation) operation", range, in: query)
    }
  }
}
