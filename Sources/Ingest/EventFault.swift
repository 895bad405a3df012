// SPDX-License-Identifier: Apache-2.0

// Why a line is rejected: a value without text while lines are being read, a sentence only for the few that are
// reported or kept. Reasons quote the offending value, never a key or an id.

import JSON

/// Why one record was rejected.
struct EventFault: Error {
  enum Code {
    case json(JSONFault)
    case missing
    case unknownType
    case invalid
    case moreFoundThanRequested
    /// With the event's time in ms.
    case tooOld(Int64)
    case tooFarAhead(Int64)
    case tooLong
  }

  var code: Code
  var field = EventField.eventType
  /// The offending value, or for `json` the place, as a range of the record's bytes.
  var start = 0
  var end = 0
  var isString = false

  init(_ code: Code, at offset: Int = 0) {
    self.code = code
    start = offset
    end = offset
  }

  init(_ code: Code, _ field: EventField, _ value: FieldValue? = nil) {
    self.code = code
    self.field = field
    start = value?.start ?? 0
    end = value?.end ?? 0
    isString = value?.kind == .string
  }
}

extension EventFault {
  /// Whether the `event_type` is an application's own word, which makes the object a record like any other. One that
  /// begins as ours do is a slip of the pen, which its writer wants to hear of.
  func isOfAnotherKind(_ bytes: Span<UInt8>) -> Bool {
    guard case .unknownType = code, isString else { return false }
    let prefix = "cache_".utf8
    guard end - start >= prefix.count else { return true }
    return !prefix.enumerated().allSatisfy { bytes[start + $0.offset] == $0.element }
  }

  /// Most bytes of an offending value that a reason quotes.
  static let quotedBytesMax = 64

  /// The sentence for people: what, which value, what was expected.
  ///
  /// - Parameters:
  ///   - bytes: those that the record was read from.
  ///   - place: where the record's JSON broke, such as `column 17`.
  func reason(_ bytes: Span<UInt8>, place: String, settings: IngestSettings) -> String {
    switch code {
    case .json(let fault): "broken JSON at \(place): \(JSONError.message(fault, at: start, in: bytes))"
    case .missing: "\(field.rawValue): missing: \(expectation)"
    case .unknownType: "event_type: \(quoted(bytes)): unknown; known are \(EventType.names.joined(separator: ", "))"
    case .invalid: "\(field.rawValue): \(quoted(bytes)): \(expectation)"
    case .moreFoundThanRequested: "requested: \(quoted(bytes)): hits and misses add up to more"
    case .tooOld(let ms):
      "timestamp: \(ms) ms: older than what is kept (\(EventFault.days(settings.oldestMs)) days)"
    case .tooFarAhead(let ms):
      "timestamp: \(ms) ms: more than \(settings.futureMs / 60_000) minutes ahead of the server's clock"
    case .tooLong: "longer than \(settings.lineBytesMax) bytes, the limit for one event"
    }
  }

  private var expectation: String {
    switch field {
    case .durationMs: "must be a number of milliseconds from 0 to 86,400,000"
    case .timestamp: "must be epoch milliseconds, epoch seconds, or RFC 3339 with a zone (2026-01-31T12:00:00.5Z)"
    case .cacheTier: "must be \"L1\" or \"L2\""
    case .success, .stale: "must be true or false"
    case .state: "must be \"closed\", \"open\" or \"half_open\""
    case .keys, .requested, .hits, .misses: "must be a whole number from 0 to 1,000,000,000"
    case .entries, .capacity, .bytes: "must be a number, 0 or more"
    default: "must be a non-empty string"
    }
  }

  private func quoted(_ bytes: Span<UInt8>) -> String {
    var text: [UInt8] = []
    for index in start..<min(end, start + EventFault.quotedBytesMax) {
      text.append(bytes[index] < 0x20 || bytes[index] == 0x7f ? UInt8(ascii: " ") : bytes[index])
    }
    let value = String(decoding: text, as: UTF8.self) + (end - start > EventFault.quotedBytesMax ? "…" : "")
    return isString ? "\"\(value)\"" : value
  }

  private static func days(_ ms: Int64) -> Int64 { ms / 86_400_000 }
}

/// The values of `event_type`.
enum EventType {
  static let kinds: [(name: String, kind: CacheEvent.Kind)] = [
    ("cache_hit", .hit), ("cache_miss", .miss), ("cache_set", .set), ("cache_invalidation", .invalidation),
    ("cache_error", .error), ("cache_bypass", .bypass), ("cache_bulk", .bulk), ("circuit_breaker", .breaker),
    ("cache_stats", .stats), ("consistency_check", .consistencyCheck), ("invalidation", .invalidation),
  ]
  static let names: [String] = kinds.map(\.name)
}
