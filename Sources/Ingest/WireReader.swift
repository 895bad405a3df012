// SPDX-License-Identifier: Apache-2.0

// The wire format of protocol buffers (https://protobuf.dev/programming-guides/encoding/): fields with numbers and
// ranges, read one after the other without an object for a message. Which field means what is the protocol's business.

/// Walks through the fields of one message. It keeps a range; the same bytes must go into every call.
struct WireReader {
  enum Kind: UInt8 {
    case varint = 0
    case fixed64 = 1
    /// A text, bytes, a message or packed numbers: `start..<end`.
    case bytes = 2
    case fixed32 = 5
  }

  struct Field {
    var number = 0
    var kind = Kind.varint
    /// Of a number.
    var value: UInt64 = 0
    /// Of bytes.
    var start = 0
    var end = 0

    var range: Range<Int> { start..<end }
  }

  private(set) var position: Int
  private let end: Int

  /// - Parameter range: of the message in the bytes that go into every call.
  init(_ range: Range<Int>) {
    position = range.lowerBound
    end = range.upperBound
  }

  /// The next field; nil at the end of the message.
  mutating func next(_ bytes: Span<UInt8>) throws(WireFault) -> Field? {
    guard position < end else { return nil }
    let tag = try varint(bytes)
    var field = Field()
    // Field numbers have 29 bits.
    guard tag >> 3 != 0, tag >> 32 == 0 else { throw WireFault(.fieldNumber, at: position) }
    field.number = Int(tag >> 3)
    guard let kind = Kind(rawValue: UInt8(tag & 7)) else { throw WireFault(.wireType, at: position) }
    field.kind = kind
    switch kind {
    case .varint: field.value = try varint(bytes)
    case .fixed64: field.value = try fixed(8, bytes)
    case .fixed32: field.value = try fixed(4, bytes)
    case .bytes:
      let count = try varint(bytes)
      guard count <= UInt64(end - position) else { throw WireFault(.length, at: position) }
      field.start = position
      field.end = position + Int(count)
      position = field.end
    }
    return field
  }

  /// The next text, bytes or message with a number, others passed over; nil at the end.
  mutating func next(_ number: Int, _ bytes: Span<UInt8>) throws(WireFault) -> WireReader? {
    while let field = try next(bytes) {
      if field.number == number, field.kind == .bytes { return WireReader(field.range) }
    }
    return nil
  }

  /// The last field of a number, as messages mean it; nil where there is none or it is of another kind.
  func last(_ number: Int, _ kind: Kind, _ bytes: Span<UInt8>) throws(WireFault) -> Field? {
    var reader = self
    var found: Field?
    while let field = try reader.next(bytes) {
      if field.number == number, field.kind == kind { found = field }
    }
    return found
  }

  private mutating func varint(_ bytes: Span<UInt8>) throws(WireFault) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < end {
      let byte = bytes[position]
      // The tenth byte holds the last bit.
      guard shift < 63 || byte <= 1 else { throw WireFault(.varint, at: position) }
      position += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
      guard shift < 70 else { throw WireFault(.varint, at: position) }
    }
    throw WireFault(.truncated, at: position)
  }

  private mutating func fixed(_ count: Int, _ bytes: Span<UInt8>) throws(WireFault) -> UInt64 {
    guard end - position >= count else { throw WireFault(.truncated, at: position) }
    var value: UInt64 = 0
    for offset in 0..<count { value |= UInt64(bytes[position + offset]) << UInt64(8 * offset) }
    position += count
    return value
  }
}

/// Why bytes are no message.
struct WireFault: Error, Equatable {
  enum Code: String {
    case truncated = "it ends in the middle of a field"
    case varint = "a number of more than 64 bits"
    case fieldNumber = "a field number that no field has"
    case wireType = "a wire type that no field has"
    case length = "a field that is longer than what holds it"
  }

  let code: Code
  let position: Int

  init(_ code: Code, at position: Int) {
    self.code = code
    self.position = position
  }
}

extension BodyFault {
  init(_ fault: WireFault) {
    reason = "broken protobuf at byte \(fault.position + 1): \(fault.code.rawValue)"
  }
}
