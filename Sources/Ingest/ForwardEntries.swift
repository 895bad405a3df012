// SPDX-License-Identifier: Apache-2.0

// What an entry of Fluent's forward protocol says: [time, record], or [[time, metadata], record] as Fluent Bit writes it.
// The record goes the way of every JSON object.

import JSON

extension EventDecoder {
  /// Counts the events of entries one after the other.
  package func decode(forward entries: Span<UInt8>, from origin: EventOrigin, receivedAtMs: Int64) -> DecodedBatch {
    read(receivedAtMs: receivedAtMs) { reading in
      reading.labels.setSource(service: origin.service, cache: origin.cache)
      reading.readEntries(entries)
    }
  }
}

extension BodyReading {
  fileprivate mutating func readEntries(_ bytes: Span<UInt8>) {
    var reader = MessagePackReader(0..<bytes.count)
    var number = 0
    while !reader.isAtEnd {
      number += 1
      let start = reader.position
      do throws(BodyFault) {
        try readEntry(bytes, try reader.skip(bytes), number)
      } catch {
        // Of entries that nobody has checked.
        note(rejected(because: error.reason), bytes, start, bytes.count, number: number)
        return
      }
    }
  }

  private mutating func readEntry(_ bytes: Span<UInt8>, _ range: Range<Int>, _ number: Int) throws(BodyFault) {
    var reader = MessagePackReader(range)
    let entry = try reader.head(bytes)
    guard entry.kind == .array, entry.count >= 2 else {
      return refuse("entry: must be a time and a record", bytes, range, number)
    }
    let (isTime, timeMs) = try BodyReading.entryTime(bytes, &reader)
    guard isTime else {
      return refuse("time: must be an EventTime or epoch seconds", bytes, range, number)
    }
    let record = try reader.head(bytes)
    guard record.kind == .map else { return refuse("record: must be a map", bytes, range, number) }
    attributes.begin()
    try writeMembers(record, bytes, &reader, level: 0)
    var context = RecordContext()
    context.timestampMs = timeMs
    settleAttributes(context, number: number)
  }

  private mutating func refuse(_ reason: String, _ bytes: Span<UInt8>, _ range: Range<Int>, _ number: Int) {
    note(rejected(because: reason), bytes, range.lowerBound, range.upperBound, number: number)
  }

  // MARK: Times

  /// - Returns: whether it is one, and in ms since 1970; nil for nil and 0, which mean now.
  private static func entryTime(
    _ bytes: Span<UInt8>, _ reader: inout MessagePackReader
  ) throws(BodyFault) -> (isTime: Bool, ms: Int64?) {
    var time = MessagePackReader(try reader.skip(bytes))
    var head = try time.head(bytes)
    // Metadata stands behind the time.
    if head.kind == .array, head.count > 0 { head = try time.head(bytes) }
    return ms(head, bytes, try time.content(head))
  }

  private static func ms(
    _ head: MessagePackHead, _ bytes: Span<UInt8>, _ content: Range<Int>
  ) -> (isTime: Bool, ms: Int64?) {
    let time: Int64?
    switch head.kind {
    case .null: return (true, nil)
    case .unsigned: time = EventTime.ms(epoch: Double(head.value))
    case .signed: time = EventTime.ms(epoch: Double(Int64(bitPattern: head.value)))
    case .float:
      let seconds = Double(bitPattern: head.value)
      time = seconds.isFinite ? EventTime.ms(epoch: seconds) : nil
    case .ext: time = eventTimeMs(head, bytes, content)
    default: time = nil
    }
    return (time != nil, time == 0 ? nil : time)
  }

  /// EventTime: type 0, 32 bits of seconds and 32 bits of nanoseconds, the highest byte first.
  private static func eventTimeMs(_ head: MessagePackHead, _ bytes: Span<UInt8>, _ content: Range<Int>) -> Int64? {
    guard head.kind == .ext, head.type == 0, content.count == 8 else { return nil }
    var bits: UInt64 = 0
    for index in content { bits = bits << 8 | UInt64(bytes[index]) }
    return Int64(bits >> 32) * 1000 + Int64(bits & 0xffff_ffff) / 1_000_000
  }

  // MARK: Records

  /// Writes those members of a map that mean something.
  ///
  /// - Parameter level: maps around it. Deeper than `nestingMax` no event is looked for, so nothing is written.
  private mutating func writeMembers(
    _ map: MessagePackHead, _ bytes: Span<UInt8>, _ reader: inout MessagePackReader, level: Int
  ) throws(BodyFault) {
    for _ in 0..<map.count {
      let name = try reader.head(bytes)
      guard name.kind.isText else {
        try reader.skip(name, bytes)
        try reader.skip(bytes)
        continue
      }
      let range = try reader.content(name)
      guard attributes.key(JSONString(start: range.lowerBound, end: range.upperBound, hasEscapes: false), bytes) else {
        try reader.skip(bytes)
        continue
      }
      try writeValue(bytes, &reader, level: level)
    }
  }

  private mutating func writeValue(
    _ bytes: Span<UInt8>, _ reader: inout MessagePackReader, level: Int
  ) throws(BodyFault) {
    let head = try reader.head(bytes)
    if head.kind == .map, level < BodyReading.nestingMax {
      attributes.open()
      try writeMembers(head, bytes, &reader, level: level + 1)
      return attributes.close()
    }
    let start = reader.position
    try reader.skip(head, bytes)
    let content = start..<reader.position
    switch head.kind {
    case .text, .bytes: attributes.string(bytes, content)
    case .bool: attributes.bool(head.value != 0)
    case .signed: attributes.integer(Int64(bitPattern: head.value))
    case .unsigned: attributes.integer(head.value)
    case .float: attributes.number(Double(bitPattern: head.value))
    case .null: attributes.null()
    case .ext: if let ms = BodyReading.eventTimeMs(head, bytes, content) { attributes.integer(ms) } else { attributes.container() }
    case .array, .map, .never: attributes.container()
    }
  }
}
