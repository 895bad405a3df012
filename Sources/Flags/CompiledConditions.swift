// SPDX-License-Identifier: Apache-2.0

// Conditions and segments made ready for evaluation: which attribute is the targeting key, and which segments are meant,
// is known before the first context comes.

internal import JSON

/// One condition with its operand found.
///
/// A class, as all that is compiled: read in place, where an element of an array of structs would be copied with a
/// reference count for each of its fields. Those counts were half the time of a bulk answer.
private final class CompiledCondition: Sendable {
  enum Operand {
    case targetingKey
    case attribute
    /// By index in the flag set; without those that it does not have.
    case segments([Int])
  }

  private let condition: Condition
  private let operand: Operand

  init(_ condition: Condition, segments: KeyTable?) {
    self.condition = condition
    if condition.op.isOfSegments {
      operand = .segments(condition.values.compactMap { segments?.index(of: ($0.string ?? "").utf8.span) })
    } else {
      operand = condition.attribute == "targetingKey" ? .targetingKey : .attribute
    }
  }

  func holds(_ targetingKey: Span<UInt8>?, _ attributes: [JSONMember], _ segments: [CompiledSegment]) -> Bool {
    switch operand {
    case .attribute:
      for index in attributes.indices where attributes[index].name == condition.attribute {
        return condition.holds(for: attributes[index].value)
      }
      return condition.holdsForAbsent
    case .targetingKey:
      guard let targetingKey else { return condition.holdsForAbsent }
      return condition.holds(forText: targetingKey)
    case .segments(let listed):
      var isMember = false
      for index in listed where segments[index].contains(targetingKey, attributes) {
        isMember = true
        break
      }
      return isMember == (condition.op == .inSegment)
    }
  }
}

/// The conditions of a rule, all of which must hold.
struct CompiledConditions: Sendable {
  private let conditions: [CompiledCondition]

  /// - Parameter segments: finds the index of a segment by its key.
  init(_ conditions: [Condition], segments: KeyTable?) {
    self.conditions = conditions.map { CompiledCondition($0, segments: segments) }
  }

  /// - Parameter segments: those of the flag set.
  func hold(_ targetingKey: Span<UInt8>?, _ attributes: [JSONMember], _ segments: [CompiledSegment]) -> Bool {
    for condition in conditions where !condition.holds(targetingKey, attributes, segments) { return false }
    return true
  }
}

/// A segment whose members are found by hash.
final class CompiledSegment: Sendable {
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
