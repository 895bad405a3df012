// SPDX-License-Identifier: Apache-2.0

// The decision for one flag and one context: prerequisites, rules in order, then the rollout, then the default. Compiled
// from a Flag: variants, other flags and segments are indices here, weights are cumulative, the salt is hashed already. No
// text is made and nothing allocated. What the flags before it were served is FlagSet+Evaluation's business.

internal import Assignment
internal import JSON

/// Why a flag has the value it has. Only these, because real clients fail on others.
package enum EvaluationReason: String, CaseIterable, Sendable {
  /// Neither rules nor prerequisites, and everybody gets the same.
  case fixed = "STATIC"
  case targetingMatch = "TARGETING_MATCH"
  /// The targeting key's bucket decided.
  case split = "SPLIT"
  case disabled = "DISABLED"
  /// Rules exist and none matched, or a prerequisite failed.
  case defaulted = "DEFAULT"
}

/// What one evaluation came to.
package enum Evaluation: Equatable, Sendable {
  /// - Parameter bucket: 0..<10000 where a bucket decided.
  case variant(index: Int, reason: EvaluationReason, bucket: Int?)
  /// The default variant.
  ///
  /// - Parameter index: of the first of the flag's prerequisites that was not met.
  case prerequisiteFailed(index: Int)
  case targetingKeyMissing
}

/// A flag compiled for evaluation.
final class CompiledFlag: Sendable {
  private enum Serving {
    case variant(Int)
    case split(total: Int, shares: [Share])
  }

  private struct Share {
    let variant: Int
    /// The positions below it that no earlier share took are this one's.
    let upperBound: Int
  }

  private final class Rule: Sendable {
    let conditions: CompiledConditions
    let serving: Serving

    init(_ conditions: CompiledConditions, _ serving: Serving) {
      self.conditions = conditions
      self.serving = serving
    }
  }

  private let isDisabled: Bool
  private let requirements: [PrerequisiteGraph.Requirement]
  /// What it requires does not exist.
  private let isUnmeetable: Bool
  let defaultVariant: Int
  private let rules: [Rule]
  /// Neither context nor other flags have a say but for the rollout.
  private let isUnconditional: Bool
  private let rolloutVariant: Int
  /// Buckets below it get the rollout's variant; nil without a rollout.
  private let rolloutBuckets: Int?
  private let salted: Murmur3

  /// - Parameters:
  ///   - isKilled: a killed ramp wins over everything: the default variant for everybody.
  ///   - requirements: the flag's prerequisites; nil where they cannot be met.
  ///   - segments: finds a segment's index by its key.
  init(_ flag: Flag, isKilled: Bool, requirements: [PrerequisiteGraph.Requirement]?, segments: KeyTable) {
    let names = flag.variants.map(\.name)
    let index = { (name: String) -> Int in
      guard let index = names.firstIndex(of: name) else { preconditionFailure("a flag names only variants it has") }
      return index
    }
    isDisabled = isKilled || !flag.enabled
    defaultVariant = index(flag.defaultVariant)
    self.requirements = requirements ?? []
    isUnmeetable = requirements == nil
    isUnconditional = flag.rules.isEmpty && flag.prerequisites.isEmpty
    rules = flag.rules.map { rule in
      let conditions = CompiledConditions(rule.conditions, segments: segments)
      switch rule.serving {
      case .variant(let name):
        return Rule(conditions, .variant(index(name)))
      case .split(let weights):
        var total = 0
        let shares = weights.map { weight in
          total += weight.weight
          return Share(variant: index(weight.variant), upperBound: total)
        }
        return Rule(conditions, .split(total: total, shares: shares))
      }
    }
    rolloutVariant = flag.rollout.map { index($0.variant) } ?? defaultVariant
    rolloutBuckets = flag.rollout?.percent.hundredths
    salted = Bucketing.salted(flag.salt.utf8.span)
  }

  /// - Parameters:
  ///   - attributes: the context's, without the targeting key.
  ///   - served: the variant that another flag, by its index, is served in this context; nil where it has none.
  func evaluate(
    targetingKey: Span<UInt8>?, attributes: [JSONMember], segments: [CompiledSegment], served: (_ flag: Int) -> Int?
  ) -> Evaluation {
    if isDisabled { return .variant(index: defaultVariant, reason: .disabled, bucket: nil) }
    if isUnmeetable { return .prerequisiteFailed(index: 0) }
    for index in requirements.indices {
      guard let variant = served(requirements[index].flag), requirements[index].variants[variant] else {
        return .prerequisiteFailed(index: index)
      }
    }
    for rule in rules where rule.conditions.hold(targetingKey, attributes, segments) {
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

  /// STATIC tells clients that they may keep the value whatever the context, so it is not said where rules or prerequisites
  /// exist.
  private func rollOut(_ targetingKey: Span<UInt8>?) -> Evaluation {
    guard let rolloutBuckets, rolloutBuckets > 0 else {
      return .variant(index: defaultVariant, reason: isUnconditional ? .fixed : .defaulted, bucket: nil)
    }
    if rolloutBuckets == Bucketing.bucketCount {
      return .variant(index: rolloutVariant, reason: isUnconditional ? .fixed : .split, bucket: nil)
    }
    guard let targetingKey else { return .targetingKeyMissing }
    let bucket = Bucketing.scale(Bucketing.hash(salted, targetingKey), to: Bucketing.bucketCount)
    return .variant(index: bucket < rolloutBuckets ? rolloutVariant : defaultVariant, reason: .split, bucket: bucket)
  }
}
