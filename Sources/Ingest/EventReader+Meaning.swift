// SPDX-License-Identifier: Apache-2.0

// From the fields of an object to a cache event, with every rule about what a field may hold.

import JSON

extension EventReader {
  /// More than a day is no duration of a cache operation but a unit mixed up.
  static let durationMsMax = 86_400_000.0
  static let countMax = 1_000_000_000.0

  /// What tells cache, service and cohort.
  private static let placing: UInt32 =
    1 << EventField.key.index | 1 << EventField.cache.index | 1 << EventField.service.index
    | 1 << EventField.cohort.index

  /// Reads the event that the fields of the last object describe; the object has an `event_type`.
  ///
  /// - Parameter event: a new one. It is filled in place because returning it was measured to copy it twice; `mutating`
  ///   because the reader would be copied as well.
  @inline(__always)
  mutating func read(_ event: inout CacheEvent, _ bytes: Span<UInt8>) throws(EventFault) {
    event.kind = try kind(bytes)
    event.timestampMs = try timestamp(bytes)
    event.durationMs = try duration(bytes)
    event.tier = try tier(bytes)
    if fields.hasAny(EventReader.placing) {
      event.key = text(.key)
      event.cache = text(.cache)
      event.service = text(.service)
      event.cohort = cohort(bytes)
    }
    event.hasIdentity = hasIdentity
    try readDetails(of: &event, bytes)
  }

  /// Whether the last object means to be an event, a wrong one included.
  func isEvent(_ bytes: Span<UInt8>) -> Bool {
    guard let value = fields[.eventType] else { return false }
    return fields.type >= 0 || !EventFault(.unknownType, .eventType, value).isOfAnotherKind(bytes)
  }

  private func readDetails(of event: inout CacheEvent, _ bytes: Span<UInt8>) throws(EventFault) {
    switch event.kind {
    case .hit:
      event.isStale = try flag(.stale) ?? false
      event.isSuccess = try flag(.success) ?? true
    case .miss: event.isSuccess = try flag(.success) ?? true
    case .set: break
    case .invalidation:
      event.isSuccess = try required(.success, try flag(.success))
      event.keys = try count(.keys) ?? 0
    case .error: event.detail = try requiredText(.operation)
    case .bypass:
      event.detail = try requiredText(.reason)
      event.isSuccess = try flag(.success) ?? true
    case .bulk:
      event.isSuccess = try flag(.success) ?? true
      event.hits = try required(.hits, try count(.hits))
      event.misses = try required(.misses, try count(.misses))
      guard event.hits + event.misses <= (try required(.requested, try count(.requested))) else {
        throw EventFault(.moreFoundThanRequested, .requested, fields[.requested])
      }
    case .breaker: event.breakerState = try breakerState(bytes)
    case .stats:
      event.entries = try required(.entries, try amount(.entries))
      event.capacity = try required(.capacity, try amount(.capacity))
      event.memoryBytes = try amount(.bytes)
    case .consistencyCheck: event.isSuccess = try required(.success, try flag(.success))
    }
  }

  @inline(__always)
  private func kind(_ bytes: Span<UInt8>) throws(EventFault) -> CacheEvent.Kind {
    guard let value = fields[.eventType] else { throw EventFault(.missing, .eventType) }
    guard value.kind == .string, fields.type >= 0 else { throw EventFault(.unknownType, .eventType, value) }
    return typeKinds[fields.type]
  }

  @inline(__always)
  private mutating func timestamp(_ bytes: Span<UInt8>) throws(EventFault) -> Int64? {
    guard let value = fields[.timestamp] else { return nil }
    guard let ms = time(value, bytes) else { throw EventFault(.invalid, .timestamp, value) }
    return ms
  }

  /// Whether some field but `timestamp` may tell the time of a record.
  @inline(__always)
  var hasRecordTime: Bool {
    fields.hasAny(1 << EventField.time.index | 1 << EventField.atTimestamp.index | 1 << EventField.date.index)
  }

  /// The time of a log record around an event; nil where no field tells it in a form that we know.
  mutating func recordTime(_ bytes: Span<UInt8>) -> Int64? {
    for field in EventField.recordTimes {
      if let value = fields[field], let ms = time(value, bytes) { return ms }
    }
    return nil
  }

  @inline(__always)
  private mutating func time(_ value: FieldValue, _ bytes: Span<UInt8>) -> Int64? {
    switch value.kind {
    case .number: return EventTime.ms(epoch: value.number)
    case .string:
      if let ms = times.ms(rfc3339: bytes, value.start, value.end) { return ms }
      return number(in: value, bytes).flatMap(EventTime.ms(epoch:))
    default: return nil
    }
  }

  @inline(__always)
  private func duration(_ bytes: Span<UInt8>) throws(EventFault) -> Double? {
    guard let value = fields[.durationMs] else { return nil }
    let ms: Double? =
      switch value.kind {
      case .number: value.number
      case .string: number(in: value, bytes)
      default: nil
      }
    guard let ms, ms >= 0, ms <= EventReader.durationMsMax else { throw EventFault(.invalid, .durationMs, value) }
    return ms
  }

  /// A number written as a string, which is what some log formatters make of them.
  @inline(never)
  private func number(in value: FieldValue, _ bytes: Span<UInt8>) -> Double? {
    let text = bytes.extracting(value.start..<value.end)
    var cursor = JSONCursor()
    guard text.count > 0, text[0] > 0x20, let number = try? cursor.number(text), cursor.position == text.count else {
      return nil
    }
    return number.value
  }

  @inline(__always)
  private func tier(_ bytes: Span<UInt8>) throws(EventFault) -> CacheEvent.Tier {
    guard let value = fields[.cacheTier] else { return .unknown }
    if value.kind == .string, value.end - value.start == 2, bytes[value.start] | 0x20 == UInt8(ascii: "l") {
      if bytes[value.start + 1] == UInt8(ascii: "1") { return .l1 }
      if bytes[value.start + 1] == UInt8(ascii: "2") { return .l2 }
    }
    throw EventFault(.invalid, .cacheTier, value)
  }

  /// Any other word than the two is not ours to judge and gives no label.
  private func cohort(_ bytes: Span<UInt8>) -> CacheEvent.Cohort {
    guard let value = fields[.cohort], value.kind == .string else { return .none }
    switch Word.load(bytes, value.start, value.end) {
    case 0x6e65_6d74_6165_7274 where value.end - value.start == 9 && bytes[value.end - 1] == UInt8(ascii: "t"):
      return .treatment  // "treatmen" and the t
    case 0x6c_6f72_746e_6f63 where value.end - value.start == 7: return .control
    default: return .none
    }
  }

  private func breakerState(_ bytes: Span<UInt8>) throws(EventFault) -> CacheEvent.BreakerState {
    guard let value = fields[.state] else { throw EventFault(.missing, .state) }
    guard value.kind == .string, let state = EventReader.breakerStates.index(bytes, value.start, value.end) else {
      throw EventFault(.invalid, .state, value)
    }
    return CacheEvent.BreakerState.allCases[state]
  }

  private static let breakerStates = WordTable(["closed", "open", "half_open"])

  /// Strings, and numbers as they are written; anything else is the same as absent.
  @inline(__always)
  func text(_ field: EventField) -> JSONString {
    guard let value = fields[field], value.kind == .string || value.kind == .number else { return CacheEvent.absent }
    return value.string
  }

  private func requiredText(_ field: EventField) throws(EventFault) -> JSONString {
    guard let value = fields[field] else { throw EventFault(.missing, field) }
    guard value.kind == .string, value.end > value.start else { throw EventFault(.invalid, field, value) }
    return value.string
  }

  @inline(__always)
  private func flag(_ field: EventField) throws(EventFault) -> Bool? {
    guard let value = fields[field] else { return nil }
    guard value.kind == .bool else { throw EventFault(.invalid, field, value) }
    return value.isTrue
  }

  private func count(_ field: EventField) throws(EventFault) -> Int64? {
    guard let number = try amount(field) else { return nil }
    guard number <= EventReader.countMax, number == number.rounded() else {
      throw EventFault(.invalid, field, fields[field])
    }
    return Int64(number)
  }

  private func amount(_ field: EventField) throws(EventFault) -> Double? {
    guard let value = fields[field] else { return nil }
    guard value.kind == .number, value.number >= 0 else { throw EventFault(.invalid, field, value) }
    return value.number
  }

  private func required<Value>(_ field: EventField, _ value: Value?) throws(EventFault) -> Value {
    guard let value else { throw EventFault(.missing, field) }
    return value
  }

  /// The first field that holds a log record's text.
  func message() -> JSONString? {
    for field in EventField.messages {
      if let value = fields[field], value.kind == .string, value.end > value.start { return value.string }
    }
    return nil
  }

  /// The first of these fields that holds an object: what loggers do that are given one instead of a text.
  func messageObject(_ bytes: Span<UInt8>) -> Range<Int>? {
    for field in EventField.messages {
      if let value = fields[field], value.kind == .container, bytes[value.start] == UInt8(ascii: "{") {
        return value.start..<value.end
      }
    }
    return nil
  }

  @inline(__always)
  var correlation: JSONString { text(.correlationID) }

  @inline(__always)
  var hasIdentity: Bool { correlation.count > 0 || text(.id).count > 0 }
}
