// SPDX-License-Identifier: Apache-2.0

// Records that were rejected, decoded again: by newer rules, with another configuration, or because their time has come.
// Each is accepted or not as a whole; nothing of the body it came in is needed but what was kept with it.

import JSON

/// What became of a record that was decoded again.
package enum AgainOutcome: Sendable, Equatable {
  case accepted
  /// No cache event.
  case ignored
  /// Still, for this reason.
  case rejected(String)
}

extension EventDecoder {
  /// Counts those of some records that are sound now.
  ///
  /// - Parameters:
  ///   - records: none of them cut.
  ///   - receivedAtMs: the server's clock, against which times are judged.
  /// - Returns: what the accepted ones add, and the outcome of each record.
  package func decode(
    again records: [RejectedRecord], receivedAtMs: Int64
  ) -> (batch: DecodedBatch, outcomes: [AgainOutcome]) {
    var outcomes: [AgainOutcome] = []
    let batch = read(receivedAtMs: receivedAtMs) { reading in
      outcomes = records.map { reading.readAgain($0) }
    }
    return (batch, outcomes)
  }
}

extension BodyReading {
  fileprivate mutating func readAgain(_ record: RejectedRecord) -> AgainOutcome {
    labels.setSource(service: record.service, cache: record.cache)
    var context = RecordContext()
    context.timestampMs = record.timeMs
    switch settleAgain(record.bytes.span, context) {
    case .accepted:
      noteAccepted(record.bytes.span)
      return .accepted
    case .ignored: return .ignored
    case .rejected(let reason): return .rejected(reason ?? "")
    }
  }

  /// An element of an array that was a text is kept with its quotes; anything else is a record by itself.
  private mutating func settleAgain(_ record: Span<UInt8>, _ context: RecordContext) -> RecordOutcome {
    guard record.count > 0, record[0] == UInt8(ascii: "\"") else { return settleEntry(record, context) }
    var cursor = JSONCursor()
    guard let text = try? cursor.string(record), cursor.position == record.count else {
      return settleEntry(record, context)
    }
    return settleText(text, record, context, level: 0)
  }
}

extension EventLabels {
  /// Makes names that were kept the defaults of the record to come.
  fileprivate mutating func setSource(service: String, cache: String) {
    let services = Array(service.utf8), caches = Array(cache.utf8)
    sourceService = self.service(JSONString(start: 0, end: services.count, hasEscapes: false), services.span)
    sourceCache = self.cache(JSONString(start: 0, end: caches.count, hasEscapes: false), caches.span)
  }
}
