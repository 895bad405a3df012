// SPDX-License-Identifier: Apache-2.0

// Conditions and segments made ready for evaluation: which attribute is the targeting key, and which segments are meant,
// is known before the first context comes.

internal import JSON

/// The conditions of a rule, all of which must hold.
struct CompiledConditions: Sendable {
  private enum Operand {
    case targetingKey
    case attribute
    /// By index in the flag set; without those that it does not have.
    case segments([Int])
  }

  private let conditions: [Condition]
  private let operands: [Operand]

  /// - Parameter segments: finds the index of a segment by its key.
  init(_ conditions: [Condition], segments: KeyTable?) {
    self.conditions = conditions
    operands = conditions.map { condition in
      guard !condition.op.isOfSegments else {
        return .segments(condition.texts.compactMap { segments?.index(of: $0.span) })
      }
      return condition.attribute == "targetingKey" ? .targetingKey : .attribute
    }
  }

  /// - Parameter segments: those of the flag set.
  func hold(_ targetingKey: Span<UInt8>?, _ attributes: [JSONMember], _ segments: [CompiledSegment]) -> Bool {
    for index in conditions.indices {
      let holds: Bool
      switch operands[index] {
      case .attribute: holds = CompiledConditions.holds(conditions[index], attributes)
      case .targetingKey:
        if let targetingKey {
          holds = conditions[index].holds(forText: targetingKey)
        } else {
          holds = conditions[index].holdsForAbsent
        }
      case .segments(let listed):
        let isMember = CompiledConditions.isMember(of: listed, targetingKey, attributes, segments)
        holds = isMember == (conditions[index].op == .inSegment)
      }
      guard holds else { return false }
    }
    return true
  }

  private static func holds(_ condition: Condition, _ attributes: [JSONMember]) -> Bool {
    for index in attributes.indices where attributes[index].name == condition.attribute {
      return condition.holds(for: attributes[index].value)
    }
    return condition.holdsForAbsent
  }

  private static func isMember(
    of listed: [Int], _ targetingKey: Span<UInt8>?, _ attributes: [JSONMember], _ segments: [CompiledSegment]
  ) -> Bool {
    for index in listed where segments[index].contains(targetingKey, attributes) { return true }
    return false
  }
}

/// A segment whose members are found by hash.
struct CompiledSegment: Sendable {
  private let included: KeyTable
  private let excluded: KeyTable
  private let rules: [CompiledConditions]

  init(_ segment: Segment) {
    included = KeyTable(segment.included)
    excluded = KeyTable(segment.excluded)
    rules = segment.rules.map { CompiledConditions($0.conditions, segments: nil) }
  }

  /// Excluded wins, then included, then any rule. Without a targeting key rules alone decide.
  func contains(_ targetingKey: Span<UInt8>?, _ attributes: [JSONMember]) -> Bool {
    if let targetingKey {
      if excluded.index(of: targetingKey) != nil { return false }
      if included.index(of: targetingKey) != nil { return true }
    }
    for index in rules.indices where rules[index].hold(targetingKey, attributes, []) { return true }
    return false
  }
}
