// SPDX-License-Identifier: Apache-2.0

// Reads one JSON object in a single pass: every byte is checked, the values of known fields are remembered as ranges
// and numbers, the rest is skipped. What they mean is `EventReader+Meaning`.

import JSON

/// Reads JSON events; reused from event to event, it allocates nothing for one.
struct EventReader {
  private let fieldNames = WordTable(EventField.allCases.map(\.rawValue))
  let typeNames = WordTable(EventType.names)
  let typeKinds = EventType.kinds.map(\.kind)
  private(set) var fields = EventFields()

  /// Moves past one object and remembers its fields; a name given twice means the last one.
  ///
  /// - Parameter cursor: before the object's brace; after a fault at the offending byte.
  mutating func readObject(_ bytes: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONFault) {
    fields.removeAll()
    try cursor.expect(UInt8(ascii: "{"), bytes)
    if try cursor.peek(bytes) == UInt8(ascii: "}") {
      cursor.position += 1
      return
    }
    while true {
      let name = try cursor.key(bytes)
      if let field = fieldIndex(name, bytes) {
        try readValue(of: field, bytes, &cursor)
      } else {
        try cursor.skipValue(bytes)
      }
      let byte = try cursor.peek(bytes)
      guard byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") else { throw .unexpectedByte }
      cursor.position += 1
      if byte == UInt8(ascii: "}") { return }
    }
  }

  @inline(__always)
  private func fieldIndex(_ name: JSONString, _ bytes: Span<UInt8>) -> Int? {
    guard name.hasEscapes else { return fieldNames.index(bytes, name.start, name.end) }
    var text: [UInt8] = []
    JSONCursor.append(name, of: bytes, to: &text)
    return fieldNames.index(text.span, 0, text.count)
  }

  @inline(__always)
  private mutating func readValue(
    of field: Int, _ bytes: Span<UInt8>, _ cursor: inout JSONCursor
  ) throws(JSONFault) {
    var value = FieldValue()
    let byte = try cursor.peek(bytes)
    value.start = cursor.position
    switch byte {
    case UInt8(ascii: "\""):
      let string = try cursor.string(bytes)
      value.kind = .string
      value.hasEscapes = string.hasEscapes
      value.start = string.start
      value.end = string.end
    case UInt8(ascii: "t"), UInt8(ascii: "f"):
      value.kind = .bool
      value.isTrue = try cursor.bool(bytes)
      value.end = cursor.position
    case UInt8(ascii: "n"):
      try cursor.null(bytes)
      fields.remove(field)
      return
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      // One level is open already.
      try cursor.skipValue(bytes, depthMax: JSONCursor.depthMax - 1)
      value.kind = .container
      value.end = cursor.position
    default:
      value.kind = .number
      value.number = try cursor.number(bytes).value
      value.end = cursor.position
    }
    fields.set(field, value)
  }
}
