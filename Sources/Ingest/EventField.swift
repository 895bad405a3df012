// SPDX-License-Identifier: Apache-2.0

// The fields that a JSON event or a log record around one may have, and the values found in one object.

import JSON

/// A field that means something; the raw value is its name in JSON.
enum EventField: String, CaseIterable {
  case eventType = "event_type"
  case timestamp
  case correlationID = "correlation_id"
  case id
  case userID = "user_id"
  case key, cache, service, cohort
  case cacheTier = "cache_tier"
  case durationMs = "duration_ms"
  case stale, success, keys, operation, reason
  case requested, hits, misses, state, entries, capacity, bytes
  // Where a log record keeps its text, in the order they are looked at.
  case message, msg, log
  case eventMessage = "event_message"
  case line, body
  // Where log shippers keep a record's time: Docker's json-file, Elasticsearch, Fluent Bit.
  case time
  case atTimestamp = "@timestamp"
  case date

  static let messages: [EventField] = [.message, .msg, .log, .eventMessage, .line, .body]
  static let recordTimes: [EventField] = [.timestamp, .time, .atTimestamp, .date]

  /// Position in `allCases`.
  var index: Int {
    switch self {
    case .eventType: 0
    case .timestamp: 1
    case .correlationID: 2
    case .id: 3
    case .userID: 4
    case .key: 5
    case .cache: 6
    case .service: 7
    case .cohort: 8
    case .cacheTier: 9
    case .durationMs: 10
    case .stale: 11
    case .success: 12
    case .keys: 13
    case .operation: 14
    case .reason: 15
    case .requested: 16
    case .hits: 17
    case .misses: 18
    case .state: 19
    case .entries: 20
    case .capacity: 21
    case .bytes: 22
    case .message: 23
    case .msg: 24
    case .log: 25
    case .eventMessage: 26
    case .line: 27
    case .body: 28
    case .time: 29
    case .atTimestamp: 30
    case .date: 31
    }
  }
}

/// The value of one field: what kind of JSON it is and where it stands.
struct FieldValue {
  enum Kind: UInt8 {
    case null, bool, number, string, container
  }

  var kind = Kind.null
  var hasEscapes = false
  /// Of a bool.
  var isTrue = false
  /// Without the quotes of a string.
  var start = 0
  var end = 0
  /// Of a number.
  var number = 0.0

  var string: JSONString { JSONString(start: start, end: end, hasEscapes: hasEscapes) }
}

/// The fields of one object. Clearing it is one store: `present` says which values are of this object.
struct EventFields {
  /// The place where values of unknown names are put and never asked for.
  static let unknown = EventField.allCases.count

  // On the heap: inline, reading one field was measured to copy all of them.
  var values = [FieldValue](repeating: FieldValue(), count: EventFields.unknown + 1)
  /// One bit for each of `values`. A null is the same as absent.
  var present: UInt32 = 0
  /// Index of the text of `event_type` into `EventType.kinds`, -1 where it is none of them.
  var type = -1

  /// The value of a field; nil when it is absent or null.
  @inline(__always)
  subscript(_ field: EventField) -> FieldValue? {
    let index = field.index
    return present & 1 &<< UInt32(truncatingIfNeeded: index) != 0 ? values[index] : nil
  }

  /// Whether any of some fields is present.
  ///
  /// - Parameter fields: a bit for each, by `index`.
  @inline(__always)
  func hasAny(_ fields: UInt32) -> Bool { present & fields != 0 }

  @inline(__always)
  mutating func removeAll() { present = 0 }
}
