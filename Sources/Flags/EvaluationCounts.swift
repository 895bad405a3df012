// SPDX-License-Identifier: Apache-2.0

// How often a flag was evaluated, by variant and reason, never by user. Counting is one relaxed addition: no lock, no
// allocation, no order between counters, which a reader of totals does not need. The counters of a flag outlive the flag
// sets that are made with every change; they end with the flag.

internal import Synchronization

/// The counters of one variant: one for each reason.
final class VariantCounts: Sendable {
  private let fixed = Atomic<Int>(0)
  private let targetingMatch = Atomic<Int>(0)
  private let split = Atomic<Int>(0)
  private let disabled = Atomic<Int>(0)
  private let defaulted = Atomic<Int>(0)

  func add(_ reason: EvaluationReason) {
    switch reason {
    case .fixed: fixed.wrappingAdd(1, ordering: .relaxed)
    case .targetingMatch: targetingMatch.wrappingAdd(1, ordering: .relaxed)
    case .split: split.wrappingAdd(1, ordering: .relaxed)
    case .disabled: disabled.wrappingAdd(1, ordering: .relaxed)
    case .defaulted: defaulted.wrappingAdd(1, ordering: .relaxed)
    }
  }

  func count(_ reason: EvaluationReason) -> Int {
    switch reason {
    case .fixed: fixed.load(ordering: .relaxed)
    case .targetingMatch: targetingMatch.load(ordering: .relaxed)
    case .split: split.load(ordering: .relaxed)
    case .disabled: disabled.load(ordering: .relaxed)
    case .defaulted: defaulted.load(ordering: .relaxed)
    }
  }
}

/// A counter of evaluations without a value.
final class FailureCount: Sendable {
  private let count = Atomic<Int>(0)

  func add() { count.wrappingAdd(1, ordering: .relaxed) }

  var value: Int { count.load(ordering: .relaxed) }
}

/// What one flag's evaluations came to.
struct EvaluationCounts: Sendable {
  /// Variants that a flag no longer has keep their counters, so that a sum never falls; beyond so many they go.
  static let variantsMax = 2 * Flag.Bounds.variantsMax

  /// By variant, in the order of the flag's; those it had before follow.
  let variants: [(name: String, counts: VariantCounts)]
  let failures: FailureCount

  /// - Parameter previous: what was counted under an older definition.
  init(_ flag: Flag, previous: EvaluationCounts?) {
    let old = previous?.variants ?? []
    let current = flag.variants.map { variant in
      (name: variant.name, counts: old.first { $0.name == variant.name }?.counts ?? VariantCounts())
    }
    let gone = old.filter { flag.variant(named: $0.name) == nil }
    variants = current + gone.prefix(EvaluationCounts.variantsMax - current.count)
    failures = previous?.failures ?? FailureCount()
  }
}

/// How often one outcome of a flag was given.
package struct EvaluationTotal: Equatable, Sendable {
  package let flag: String
  /// Empty for evaluations that failed.
  package let variant: String
  /// A word of `EvaluationReason`, or `ERROR`.
  package let reason: String
  /// At least 1.
  package let count: Int
}

extension FlagSet {
  /// Evaluations since the start, of these flags: ascending by flag, then variants in the flag's order; outcomes that were
  /// never given are left out.
  package var evaluationTotals: [EvaluationTotal] {
    entries.flatMap { entry in
      let key = entry.flag.key
      let successes = entry.counts.variants.flatMap { name, counts in
        EvaluationReason.allCases.map {
          EvaluationTotal(flag: key, variant: name, reason: $0.rawValue, count: counts.count($0))
        }
      }
      let failures = EvaluationTotal(flag: key, variant: "", reason: "ERROR", count: entry.counts.failures.value)
      return (successes + [failures]).filter { $0.count > 0 }
    }
  }

  /// Counts an evaluation that failed before the flag was looked at, such as one with a context that cannot be read. Keys
  /// that no flag has are not counted: they are the client's choice and without end.
  package func countFailure(key: Span<UInt8>) {
    if let index = index(of: key) { entries[index].counts.failures.add() }
  }
}
