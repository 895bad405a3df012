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
    case .isIn, .equal: texts.holds(text)
    case .notIn: !texts.holds(text)
    case .contains: texts.holdsPart(of: text)
    case .startsWith: texts.holdsStart(of: text)
    case .endsWith: texts.holdsEnd(of: text)
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
    let value = version.text
    let order = SemanticVersion.order(own, in: text, version.parts, in: value.span)
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
    if let text = element.string { return texts.holds(text.utf8.span) }
    return values.contains(element)
  }
}
