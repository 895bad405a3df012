// SPDX-License-Identifier: Apache-2.0

// The decision for one flag and one context: rules in order, then the rollout, then the default. Compiled from a Flag:
// variants are indices here, weights are cumulative, the salt is hashed already. No text is made and nothing allocated.

internal import Assignment
internal import JSON

/// Why a flag has the value it has. Only these, because real clients fail on others.
package enum EvaluationReason: String, CaseIterable, Sendable {
  /// No rules, and everybody gets the same.
  case fixed = "STATIC"
  case targetingMatch = "TARGETING_MATCH"
  /// The targeting key's bucket decided.
  case split = "SPLIT"
  case disabled = "DISABLED"
  /// Rules exist and none matched.
  case defaulted = "DEFAULT"
}

/// What one evaluation came to.
package enum Evaluation: Equatable, Sendable {
  /// - Parameter bucket: 0..<10000 where a bucket decided.
  case variant(index: Int, reason: EvaluationReason, bucket: Int?)
  case targetingKeyMissing
}

/// A flag compiled for evaluation.
struct CompiledFlag: Sendable {
  private enum Serving {
    case variant(Int)
    case split(total: Int, shares: [Share])
  }

  private struct Share {
    let variant: Int
    /// The positions below it that no earlier share took are this one's.
    let upperBound: Int
  }

  private struct Rule {
    let conditions: [Condition]
    let serving: Serving
  }

  private let isDisabled: Bool
  private let defaultVariant: Int
  private let rules: [Rule]
  private let rolloutVariant: Int
  /// Buckets below it get the rollout's variant; nil without a rollout.
  private let rolloutBuckets: Int?
  private let salted: Murmur3

  /// - Parameter isKilled: a killed ramp wins over everything: the default variant for everybody.
  init(_ flag: Flag, isKilled: Bool) {
    let names = flag.variants.map(\.name)
    let index = { (name: String) -> Int in
      guard let index = names.firstIndex(of: name) else { preconditionFailure("a flag names only variants it has") }
      return index
    }
    isDisabled = isKilled || !flag.enabled
    defaultVariant = index(flag.defaultVariant)
    rules = flag.rules.map { rule in
      switch rule.serving {
      case .variant(let name):
        return Rule(conditions: rule.conditions, serving: .variant(index(name)))
      case .split(let weights):
        var total = 0
        let shares = weights.map { weight in
          total += weight.weight
          return Share(variant: index(weight.variant), upperBound: total)
        }
        return Rule(conditions: rule.conditions, serving: .split(total: total, shares: shares))
      }
    }
    rolloutVariant = flag.rollout.map { index($0.variant) } ?? defaultVariant
    rolloutBuckets = flag.rollout?.percent.hundredths
    salted = Bucketing.salted(flag.salt.utf8.span)
  }

  /// - Parameter attributes: the context's, without the targeting key.
  func evaluate(targetingKey: Span<UInt8>?, attributes: [JSONMember]) -> Evaluation {
    if isDisabled { return .variant(index: defaultVariant, reason: .disabled, bucket: nil) }
    for rule in rules where CompiledFlag.matches(rule.conditions, targetingKey, attributes) {
      return serve(rule.serving, targetingKey)
    }
    return rollOut(targetingKey)
  }

  private func serve(_ serving: Serving, _ targetingKey: Span<UInt8>?) -> Evaluation {
    switch serving {
    case .variant(let index):
      return .variant(index: index, reason: .targetingMatch, bucket: nil)
    case .split(let total, let shares):
      guard let targetingKey else { return .targetingKeyMissing }
      let hash = Bucketing.hash(salted, targetingKey)
      let position = Bucketing.scale(hash, to: total)
      for share in shares where position < share.upperBound {
        return .variant(index: share.variant, reason: .split, bucket: Bucketing.scale(hash, to: Bucketing.bucketCount))
      }
      preconditionFailure("the last share ends at the total of the weights")
    }
  }

  /// STATIC tells clients that they may keep the value whatever the context, so it is not said where rules exist.
  private func rollOut(_ targetingKey: Span<UInt8>?) -> Evaluation {
    guard let rolloutBuckets, rolloutBuckets > 0 else {
      return .variant(index: defaultVariant, reason: rules.isEmpty ? .fixed : .defaulted, bucket: nil)
    }
    if rolloutBuckets == Bucketing.bucketCount {
      return .variant(index: rolloutVariant, reason: rules.isEmpty ? .fixed : .split, bucket: nil)
    }
    guard let targetingKey else { return .targetingKeyMissing }
    let bucket = Bucketing.scale(Bucketing.hash(salted, targetingKey), to: Bucketing.bucketCount)
    return .variant(index: bucket < rolloutBuckets ? rolloutVariant : defaultVariant, reason: .split, bucket: bucket)
  }

  private static func matches(
    _ conditions: [Condition], _ targetingKey: Span<UInt8>?, _ attributes: [JSONMember]
  ) -> Bool {
    for condition in conditions {
      let holds: Bool
      if condition.attribute == "targetingKey" {
        if let targetingKey { holds = condition.holds(forText: targetingKey) } else { holds = condition.holdsForAbsent }
      } else if let attribute = attributes.first(where: { $0.name == condition.attribute }) {
        holds = condition.holds(for: attribute.value)
      } else {
        holds = condition.holdsForAbsent
      }
      if !holds { return false }
    }
    return true
  }
}
