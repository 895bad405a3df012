// SPDX-License-Identifier: Apache-2.0

// One comparison of an attribute of the evaluation context. Texts are compared as UTF-8 bytes: upper and lower case
// differ, and so do differently composed accents. Values of different types are never equal.

package import JSON

/// A condition of a targeting rule.
package struct Condition: Equatable, Sendable {
  package enum Operator: String, CaseIterable, Sendable {
    case isIn = "in"
    case notIn = "not_in"
    case equal = "eq"
    /// A text contains one of the texts; a list contains one of the values.
    case contains
    case startsWith = "starts_with"
    case endsWith = "ends_with"
    case greater = "gt"
    case greaterOrEqual = "gte"
    case less = "lt"
    case lessOrEqual = "lte"
  }

  package let attribute: String
  package let op: Operator
  /// At least one; any of them suffices.
  package let values: [JSONValue]

  private let texts: [[UInt8]]
  private let numbers: [Double]

  init(_ json: JSONValue, path: String) throws(FlagError) {
    let reader = try DocumentReader(json, path: path, known: ["attribute", "op", "values"])
    attribute = try reader.requiredString(
      "attribute", bytesMax: Flag.Bounds.nameBytesMax, "an attribute of the context")
    guard let op: Operator = try reader.word("op") else {
      throw FlagError(
        field: reader.field("op"),
        message: "missing: one of \(Operator.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    self.op = op
    guard let values = try reader.array("values", countMax: Flag.Bounds.conditionValuesMax), !values.isEmpty else {
      throw FlagError(field: reader.field("values"), message: "missing: a list with at least one value")
    }
    for (index, value) in values.enumerated() {
      try Condition.check(value, for: op, field: reader.field("values", index))
    }
    if [.equal, .greater, .greaterOrEqual, .less, .lessOrEqual].contains(op), values.count != 1 {
      throw FlagError(
        field: reader.field("values"), value: "\(values.count) values", expected: "\(op.rawValue) takes one")
    }
    self.values = values
    texts = values.compactMap { $0.string.map { Array($0.utf8) } }
    numbers = values.compactMap(\.double)
  }

  private static func check(_ value: JSONValue, for op: Operator, field: String) throws(FlagError) {
    switch op {
    case .startsWith, .endsWith:
      guard value.string != nil else { throw FlagError(field: field, value: value.text, expected: "must be a string") }
    case .greater, .greaterOrEqual, .less, .lessOrEqual:
      guard value.double != nil else { throw FlagError(field: field, value: value.text, expected: "must be a number") }
    case .isIn, .notIn, .equal, .contains:
      guard value.string != nil || value.double != nil || value.bool != nil else {
        throw FlagError(field: field, value: value.text, expected: "must be a string, a number, true or false")
      }
    }
    if let text = value.string, text.utf8.count > Flag.Bounds.conditionTextBytesMax {
      throw FlagError(field: field, value: text, expected: "at most \(Flag.Bounds.conditionTextBytesMax) bytes")
    }
  }

  var json: JSONValue {
    .object([
      JSONMember(name: "attribute", value: .string(attribute)),
      JSONMember(name: "op", value: .string(op.rawValue)),
      JSONMember(name: "values", value: .array(values)),
    ])
  }

  /// What holds for an attribute that the context does not have: only `not_in`.
  var holdsForAbsent: Bool { op == .notIn }

  func holds(for value: JSONValue) -> Bool {
    switch value {
    case .string(let text): holds(forText: text.utf8.span)
    case .integer(let number): holds(forNumber: Double(number))
    case .number(let number): holds(forNumber: number)
    case .bool: (values.contains(value) && (op == .isIn || op == .equal)) || (op == .notIn && !values.contains(value))
    case .array(let elements): op == .contains ? elements.contains(where: isListed) : holdsForAbsent
    case .null, .object: holdsForAbsent
    }
  }

  func holds(forText text: Span<UInt8>) -> Bool {
    switch op {
    case .isIn, .equal: containsText(text)
    case .notIn: !containsText(text)
    case .contains: anyText { Condition.contains(text, $0) }
    case .startsWith: anyText { $0.count <= text.count && Condition.matches(text, at: 0, $0) }
    case .endsWith: anyText { $0.count <= text.count && Condition.matches(text, at: text.count - $0.count, $0) }
    case .greater, .greaterOrEqual, .less, .lessOrEqual: false
    }
  }

  private func holds(forNumber number: Double) -> Bool {
    switch op {
    case .isIn, .equal: numbers.contains(number)
    case .notIn: !numbers.contains(number)
    case .greater: numbers.contains { number > $0 }
    case .greaterOrEqual: numbers.contains { number >= $0 }
    case .less: numbers.contains { number < $0 }
    case .lessOrEqual: numbers.contains { number <= $0 }
    case .contains, .startsWith, .endsWith: false
    }
  }

  private func isListed(_ element: JSONValue) -> Bool {
    if let number = element.double { return numbers.contains(number) }
    if let text = element.string { return containsText(text.utf8.span) }
    return values.contains(element)
  }

  private func containsText(_ text: Span<UInt8>) -> Bool {
    anyText { $0.count == text.count && Condition.matches(text, at: 0, $0) }
  }

  private func anyText(_ holds: ([UInt8]) -> Bool) -> Bool {
    for text in texts where holds(text) { return true }
    return false
  }

  private static func contains(_ text: Span<UInt8>, _ part: [UInt8]) -> Bool {
    guard part.count <= text.count else { return false }
    for start in 0...(text.count - part.count) where matches(text, at: start, part) { return true }
    return false
  }

  /// - Precondition: `part` fits into `text` from `start` on.
  private static func matches(_ text: Span<UInt8>, at start: Int, _ part: [UInt8]) -> Bool {
    for index in part.indices where text[start + index] != part[index] { return false }
    return true
  }
}
