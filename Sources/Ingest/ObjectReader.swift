// SPDX-License-Identifier: Apache-2.0

// One pass over a JSON object: every byte is checked, the values of known fields are remembered as ranges and numbers,
// the rest is skipped. What they mean is not known here.

import JSON

/// Reads the objects of a body; reused from one to the next, it allocates nothing for one.
struct ObjectReader {
  private let fieldNames = WordTable(EventField.allCases.map(\.rawValue))
  private let typeNames = WordTable(EventType.names)
  private var forecast = KeyForecast()

  /// Moves past one object and remembers its fields; a name given twice means the last one.
  ///
  /// - Parameter cursor: before the object's brace; after a fault at the offending byte.
  mutating func read(
    _ bytes: Span<UInt8>, _ cursor: inout JSONCursor, into fields: inout EventFields
  ) throws(JSONFault) {
    // A copy, so that it stays in a register.
    var place = cursor
    defer { cursor = place }
    fields.removeAll()
    var type = -1
    try place.expect(UInt8(ascii: "{"), bytes)
    if try place.peek(bytes) == UInt8(ascii: "}") {
      place.position &+= 1
      return
    }
    var present: UInt64 = 0
    var state = KeyForecast.start
    // One look at whether anybody else holds the array, where each store would take its own.
    var values = fields.values.mutableSpan
    while true {
      let field: Int
      let key = forecast.key(after: state, type: type)
      if let (low, high) = Word.pair(bytes, place.position),
        (low ^ key.low) & key.lowMask | (high ^ key.high) & key.highMask == 0
      {
        place.position &+= key.count
        field = key.field
        state = key.state
      } else {
        var copy = place
        defer { place = copy }
        let name = try copy.name(bytes)
        field = index(of: name, bytes)
        state = forecast.learn(name, field: field, bytes, after: state, type: type)
      }
      try place.expect(UInt8(ascii: ":"), bytes)
      let byte = try place.peek(bytes)
      if byte == UInt8(ascii: "\""), let end = Plain.stringEnd(bytes, from: place.position &+ 1) {
        values[field] = FieldValue(kind: .string, start: place.position &+ 1, end: end)
        place.position = end &+ 1
        present |= 1 &<< UInt64(truncatingIfNeeded: field)
      } else if byte &- 0x30 <= 9, let number = Plain.number(bytes, at: place.position) {
        values[field] = FieldValue(kind: .number, start: place.position, end: number.end, number: number.value)
        place.position = number.end
        present |= 1 &<< UInt64(truncatingIfNeeded: field)
      } else {
        var copy = place
        defer { place = copy }
        values[field] = try ObjectReader.value(bytes, &copy, of: field)
        let bit: UInt64 = 1 &<< UInt64(truncatingIfNeeded: field)
        present = values[field].kind == .null ? present & ~bit : present | bit
      }
      if field == EventField.eventType.index {
        type = values[field].hasEscapes
          ? typeIndex(ofEscaped: values[field].string, bytes)
          : typeNames.index(bytes, values[field].start, values[field].end) ?? -1
      }
      let next = try place.peek(bytes)
      guard next == UInt8(ascii: ",") || next == UInt8(ascii: "}") else { throw .unexpectedByte }
      place.position &+= 1
      if next == UInt8(ascii: "}") { break }
      place.skipWhitespace(bytes)
    }
    fields.present = UInt32(truncatingIfNeeded: present)
    fields.type = type
  }

  /// The field of a name, `EventFields.unknown` for none.
  @inline(never)
  private func index(of name: JSONString, _ bytes: Span<UInt8>) -> Int {
    guard name.hasEscapes else { return fieldNames.index(bytes, name.start, name.end) ?? EventFields.unknown }
    var text: [UInt8] = []
    JSONCursor.append(name, of: bytes, to: &text)
    return fieldNames.index(text.span, 0, text.count) ?? EventFields.unknown
  }

  /// Of an event type that is written with escapes, which no encoder does but every decoder must read.
  @inline(never)
  private func typeIndex(ofEscaped value: JSONString, _ bytes: Span<UInt8>) -> Int {
    var text: [UInt8] = []
    JSONCursor.append(value, of: bytes, to: &text)
    return typeNames.index(text.span, 0, text.count) ?? -1
  }

  /// Moves past a value that is not plain.
  @inline(never)
  private static func value(
    _ bytes: Span<UInt8>, _ cursor: inout JSONCursor, of field: Int
  ) throws(JSONFault) -> FieldValue {
    var value = FieldValue(start: cursor.position)
    switch try cursor.peek(bytes) {
    case UInt8(ascii: "\""):
      let string = try cursor.string(bytes)
      return FieldValue(kind: .string, hasEscapes: string.hasEscapes, start: string.start, end: string.end)
    case UInt8(ascii: "t"), UInt8(ascii: "f"):
      value.kind = .bool
      value.isTrue = try cursor.bool(bytes)
    case UInt8(ascii: "n"): try cursor.null(bytes)
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      // Of a known field one level is open already.
      try cursor.skipValue(bytes, depthMax: JSONCursor.depthMax - (field == EventFields.unknown ? 0 : 1))
      value.kind = .container
    case _ where field == EventFields.unknown: try cursor.skipNumber(bytes)
    default:
      value.kind = .number
      value.number = try cursor.number(bytes).value
    }
    value.end = cursor.position
    return value
  }
}
