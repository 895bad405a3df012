// SPDX-License-Identifier: Apache-2.0

// OFREP answers. Every success has key, value, variant, reason and flat metadata; every failure has errorDetails,
// because real clients fail without. Nothing here allocates but the writer's own growth, and for a bulk answer the list of
// its evaluations. Whoever answers has counted.

package import JSON

extension FlagSet {
  /// The single answer for a bare targeting key.
  ///
  /// - Parameter targetingKey: nil or empty when there is none.
  package func answer(key: Span<UInt8>, targetingKey: Span<UInt8>?, into writer: inout JSONWriter) -> AnswerStatus {
    answer(key: key, targetingKey: targetingKey, attributes: [], into: &writer)
  }

  /// The single answer, `POST /ofrep/v1/evaluate/flags/KEY`.
  package func answer(
    key: Span<UInt8>, context: EvaluationContext, into writer: inout JSONWriter
  ) -> AnswerStatus {
    guard let targetingKey = context.targetingKey else {
      return answer(key: key, targetingKey: nil, attributes: context.attributes, into: &writer)
    }
    return answer(key: key, targetingKey: targetingKey.utf8.span, attributes: context.attributes, into: &writer)
  }

  /// The bulk answer, `POST /ofrep/v1/evaluate/flags`: every flag in the order of keys, failures as items.
  ///
  /// - Parameter eventStreams: a JSON array that is copied as it is; nil for none.
  package func answerAll(context: EvaluationContext, eventStreams: Span<UInt8>?, into writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("flags")
    writer.beginArray()
    let evaluations = evaluateAll(context)
    for index in entries.indices { _ = write(evaluations[index], of: entries[index], into: &writer) }
    writer.endArray()
    if let eventStreams {
      writer.key("eventStreams")
      writer.raw(eventStreams)
    }
    writer.key("metadata")
    writer.beginObject()
    writer.member("environment", environment)
    writer.member("configRevision", revision)
    writer.endObject()
    writer.endObject()
  }

  private func answer(
    key: Span<UInt8>, targetingKey: Span<UInt8>?, attributes: [JSONMember], into writer: inout JSONWriter
  ) -> AnswerStatus {
    guard let index = index(of: key) else {
      FlagSet.writeFailure(.flagNotFound, key, flagNotFoundDetails, into: &writer)
      return .flagNotFound
    }
    if let targetingKey, targetingKey.count > 0 {
      return write(evaluate(index, targetingKey: targetingKey, attributes: attributes), of: entries[index], into: &writer)
    }
    return write(evaluate(index, targetingKey: nil, attributes: attributes), of: entries[index], into: &writer)
  }

  private func write(_ evaluation: Evaluation, of entry: Entry, into writer: inout JSONWriter) -> AnswerStatus {
    switch evaluation {
    case .variant(let variant, let reason, let bucket):
      entry.counts.variants[variant].counts.add(reason)
      FlagSet.writeSuccess(entry, variant, reason, bucket: bucket, failedPrerequisite: nil, into: &writer)
      return .success
    case .prerequisiteFailed(let index):
      let variant = entry.compiled.defaultVariant
      entry.counts.variants[variant].counts.add(.defaulted)
      FlagSet.writeSuccess(
        entry, variant, .defaulted, bucket: nil, failedPrerequisite: entry.flag.prerequisites[index].flag, into: &writer)
      return .success
    case .targetingKeyMissing:
      entry.counts.failures.add()
      let key = entry.key
      FlagSet.writeFailure(.targetingKeyMissing, key.span, entry.targetingKeyMissing, into: &writer)
      return .badRequest
    }
  }

  private static func writeSuccess(
    _ entry: Entry, _ variant: Int, _ reason: EvaluationReason, bucket: Int?, failedPrerequisite: String?,
    into writer: inout JSONWriter
  ) {
    writer.beginObject()
    // Several members at once go in as one raw value: the writer then places the comma before the next.
    writer.raw(entry.heads[variant])
    writer.raw(reason.member)
    if bucket == nil, failedPrerequisite == nil {
      writer.raw(entry.plainMetadata)
    } else {
      writer.key("metadata")
      writer.beginObject()
      if let bucket { writer.member("bucket", bucket) }
      if let failedPrerequisite { writer.member("failedPrerequisite", failedPrerequisite) }
      writer.raw(entry.metadata)
      writer.endObject()
    }
    writer.endObject()
  }

  private static func writeFailure(
    _ code: EvaluationErrorCode, _ key: Span<UInt8>, _ details: [UInt8], into writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.key("key")
    writer.string(utf8: key)
    writer.member("errorCode", code.rawValue)
    writer.key("errorDetails")
    writer.string(utf8: details.span)
    writer.endObject()
  }
}

extension EvaluationReason {
  private static let members: [[UInt8]] = allCases.map { Array("\"reason\":\"\($0.rawValue)\"".utf8) }

  /// The member `reason` of an answer.
  fileprivate var member: [UInt8] {
    switch self {
    case .fixed: EvaluationReason.members[0]
    case .targetingMatch: EvaluationReason.members[1]
    case .split: EvaluationReason.members[2]
    case .disabled: EvaluationReason.members[3]
    case .defaulted: EvaluationReason.members[4]
    }
  }
}
