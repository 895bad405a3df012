// SPDX-License-Identifier: Apache-2.0

// Evaluations with what flags require of each other. Every flag that is required is evaluated once, after all that it
// requires itself, so neither a chain nor a diamond of prerequisites costs more than the number of its flags.

internal import JSON

extension FlagSet {
  /// The decision without its text, not counted; nil when there is no such flag.
  package func evaluate(key: Span<UInt8>, context: EvaluationContext) -> Evaluation? {
    guard let index = index(of: key) else { return nil }
    guard let targetingKey = context.targetingKey else {
      return evaluate(index, targetingKey: nil, attributes: context.attributes)
    }
    return evaluate(index, targetingKey: targetingKey.utf8.span, attributes: context.attributes)
  }

  /// One flag, with those that it requires.
  ///
  /// - Parameter targetingKey: nil where there is none, never empty.
  func evaluate(_ index: Int, targetingKey: Span<UInt8>?, attributes: [JSONMember]) -> Evaluation {
    guard !entries[index].required.isEmpty else {
      return evaluate(index, targetingKey, attributes) { _ in nil }
    }
    return evaluateRequiring(index, targetingKey, attributes)
  }

  /// Every flag, by index.
  func evaluateAll(_ context: EvaluationContext) -> [Evaluation] {
    guard let targetingKey = context.targetingKey else {
      return evaluateAll(nil, context.attributes)
    }
    return evaluateAll(targetingKey.utf8.span, context.attributes)
  }

  private func evaluateAll(_ targetingKey: Span<UInt8>?, _ attributes: [JSONMember]) -> [Evaluation] {
    var evaluations = [Evaluation](repeating: .targetingKeyMissing, count: entries.count)
    for index in evaluationOrder {
      let evaluation = evaluate(index, targetingKey, attributes) { servedVariant(of: $0, evaluations[$0]) }
      evaluations[index] = evaluation
    }
    return evaluations
  }

  private func evaluateRequiring(
    _ index: Int, _ targetingKey: Span<UInt8>?, _ attributes: [JSONMember]
  ) -> Evaluation {
    // By place in `required`, which is no longer than this; -1 is no variant. On the stack.
    var served = InlineArray<64, Int8>(repeating: -1)
    precondition(Flag.Bounds.prerequisiteFlagsMax <= served.count && Flag.Bounds.variantsMax <= Int(Int8.max))
    for place in entries[index].required.indices {
      let required = entries[index].required[place]
      let evaluation = evaluate(required, targetingKey, attributes) { self.served($0, for: index, served) }
      served[place] = Int8(servedVariant(of: required, evaluation) ?? -1)
    }
    return evaluate(index, targetingKey, attributes) { self.served($0, for: index, served) }
  }

  private func served(_ flag: Int, for index: Int, _ variants: InlineArray<64, Int8>) -> Int? {
    for place in entries[index].required.indices where entries[index].required[place] == flag {
      return variants[place] < 0 ? nil : Int(variants[place])
    }
    return nil
  }

  private func evaluate(
    _ index: Int, _ targetingKey: Span<UInt8>?, _ attributes: [JSONMember], served: (_ flag: Int) -> Int?
  ) -> Evaluation {
    entries[index].compiled.evaluate(
      targetingKey: targetingKey, attributes: attributes, segments: compiledSegments, served: served)
  }

  private func servedVariant(of index: Int, _ evaluation: Evaluation) -> Int? {
    switch evaluation {
    case .variant(let variant, _, _): variant
    case .prerequisiteFailed: entries[index].compiled.defaultVariant
    case .targetingKeyMissing: nil
    }
  }
}
