// SPDX-License-Identifier: Apache-2.0

// Whether a condition holds. Texts are compared as UTF-8 bytes: upper and lower case differ, and so do differently composed
// accents. Values of different types are never equal, and a comparison that knows nothing of a type does not hold.
// Nothing is allocated here; RE2 may, for the states that it caches.

internal import JSON
internal import RegularExpressions

extension Condition {
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
    case .matches: anyPatternMatches(text)
    case .semverEqual, .semverGreater, .semverGreaterOrEqual, .semverLess, .semverLessOrEqual: holds(forVersion: text)
    case .greater, .greaterOrEqual, .less, .lessOrEqual, .inSegment, .notInSegment: false
    }
  }

  private func anyPatternMatches(_ text: Span<UInt8>) -> Bool {
    for pattern in patterns where pattern.matches(text) { return true }
    return false
  }

  private func holds(forVersion text: Span<UInt8>) -> Bool {
    guard let version, let own = SemanticVersion(text) else { return false }
    let value = texts[0]
    let order = SemanticVersion.order(own, in: text, version, in: value.span)
    switch op {
    case .semverEqual: return order == 0
    case .semverGreater: return order > 0
    case .semverGreaterOrEqual: return order >= 0
    case .semverLess: return order < 0
    case .semverLessOrEqual: return order <= 0
    default: return false
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
    default: false
    }
  }

  private func isListed(_ element: JSONValue) -> Bool {
    if let number = element.double { return numbers.contains(number) }
    if let text = element.string { return containsText(text.utf8.span) }
    return values.contains(element)
  }

  private func containsText(_ text: Span<UInt8>) -> Bool {
    if let table { return table.index(of: text) != nil }
    return anyText { $0.count == text.count && Condition.matches(text, at: 0, $0) }
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
