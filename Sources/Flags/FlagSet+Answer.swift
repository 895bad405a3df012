// SPDX-License-Identifier: Apache-2.0

// OFREP answers. Every success has key, value, variant, reason and flat metadata; every failure has errorDetails,
// because real clients fail without. Nothing here allocates but the writer's own growth.

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
    for entry in entries {
      if let targetingKey = context.targetingKey {
        let evaluation = entry.compiled.evaluate(targetingKey: targetingKey.utf8.span, attributes: context.attributes)
        _ = write(evaluation, of: entry, into: &writer)
      } else {
        let evaluation = entry.compiled.evaluate(targetingKey: nil, attributes: context.attributes)
        _ = write(evaluation, of: entry, into: &writer)
      }
    }
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

  /// The decision without its text; nil when there is no such flag.
  package func evaluate(key: Span<UInt8>, context: EvaluationContext) -> Evaluation? {
    guard let index = index(of: key) else { return nil }
    guard let targetingKey = context.targetingKey else {
      return entries[index].compiled.evaluate(targetingKey: nil, attributes: context.attributes)
    }
    return entries[index].compiled.evaluate(targetingKey: targetingKey.utf8.span, attributes: context.attributes)
  }

  private func answer(
    key: Span<UInt8>, targetingKey: Span<UInt8>?, attributes: [JSONMember], into writer: inout JSONWriter
  ) -> AnswerStatus {
    guard let index = index(of: key) else {
      FlagSet.writeFailure(.flagNotFound, key, flagNotFoundDetails, into: &writer)
      return .flagNotFound
    }
    if let targetingKey, targetingKey.count > 0 {
      let evaluation = entries[index].compiled.evaluate(targetingKey: targetingKey, attributes: attributes)
      return write(evaluation, of: entries[index], into: &writer)
    }
    let evaluation = entries[index].compiled.evaluate(targetingKey: nil, attributes: attributes)
    return write(evaluation, of: entries[index], into: &writer)
  }

  private func write(_ evaluation: Evaluation, of entry: Entry, into writer: inout JSONWriter) -> AnswerStatus {
    guard case .variant(let variant, let reason, let bucket) = evaluation else {
      FlagSet.writeFailure(.targetingKeyMissing, entry.key.span, entry.targetingKeyMissing, into: &writer)
      return .badRequest
    }
    writer.beginObject()
    // Several members at once go in as one raw value: the writer then places the comma before the next.
    let head = entry.heads[variant]
    writer.raw(head)
    writer.member("reason", reason.rawValue)
    writer.key("metadata")
    writer.beginObject()
    if let bucket { writer.member("bucket", bucket) }
    writer.raw(entry.metadata)
    writer.endObject()
    writer.endObject()
    return .success
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
