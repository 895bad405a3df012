// SPDX-License-Identifier: Apache-2.0

// Writes compact JSON into one growing buffer that can be kept and reused. It places commas and colons; that objects
// and arrays are closed in order, and that a key precedes each member's value, is the caller's business.

/// Appends JSON to a buffer.
package struct JSONWriter: Sendable {
  package private(set) var bytes: [UInt8]
  private var needsComma = false
  private var depth = 0

  package init(capacity: Int = 256) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  /// Starts over; keeps the capacity.
  package mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    needsComma = false
    depth = 0
  }

  package mutating func beginObject() { begin(UInt8(ascii: "{")) }
  package mutating func endObject() { end(UInt8(ascii: "}")) }
  package mutating func beginArray() { begin(UInt8(ascii: "[")) }
  package mutating func endArray() { end(UInt8(ascii: "]")) }

  package mutating func key(_ name: String) {
    separate()
    appendQuoted(name)
    endKey()
  }

  package mutating func key(_ name: StaticString) {
    key(name.description)
  }

  package mutating func string(_ value: String) {
    separate()
    appendQuoted(value)
    endValue()
  }

  /// - Parameter utf8: bytes that are not UTF-8 become U+FFFD.
  package mutating func string(utf8: Span<UInt8>) {
    var index = 0
    while index < utf8.count, utf8[index] < 0x80 { index += 1 }
    if index < utf8.count {
      var copy: [UInt8] = []
      copy.reserveCapacity(utf8.count)
      for index in utf8.indices { copy.append(utf8[index]) }
      string(String(decoding: copy, as: UTF8.self))
      return
    }
    separate()
    bytes.append(UInt8(ascii: "\""))
    for index in utf8.indices { appendEscaped(utf8[index]) }
    bytes.append(UInt8(ascii: "\""))
    endValue()
  }

  package mutating func integer(_ value: Int64) {
    separate()
    appendDecimal(value)
    endValue()
  }

  package mutating func integer(_ value: Int) {
    integer(Int64(value))
  }

  /// `1.0` prints as `1.0`; infinities and NaN, which JSON has no word for, as `null`.
  package mutating func number(_ value: Double) {
    separate()
    bytes.append(contentsOf: (value.isFinite ? value.description : "null").utf8)
    endValue()
  }

  package mutating func bool(_ value: Bool) {
    separate()
    bytes.append(contentsOf: (value ? "true" : "false").utf8)
    endValue()
  }

  package mutating func null() {
    separate()
    bytes.append(contentsOf: "null".utf8)
    endValue()
  }

  /// - Parameter json: one complete value; it is copied as it is.
  package mutating func raw(_ json: Span<UInt8>) {
    separate()
    for index in json.indices { bytes.append(json[index]) }
    endValue()
  }

  /// As the other `raw`, for bytes that are kept as an array: appended in one go.
  package mutating func raw(_ json: [UInt8]) {
    separate()
    bytes.append(contentsOf: json)
    endValue()
  }

  private mutating func begin(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    depth += 1
    needsComma = false
  }

  private mutating func end(_ bracket: UInt8) {
    precondition(depth > 0, "closes an object or array that was not begun")
    bytes.append(bracket)
    depth -= 1
    endValue()
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
  }

  private mutating func endKey() {
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  private mutating func endValue() {
    needsComma = depth > 0
  }

  private mutating func appendQuoted(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    // Hardly any text has something to escape, and a contiguous copy is several times as fast.
    if text.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) {
      for byte in text.utf8 { appendEscaped(byte) }
    } else {
      bytes.append(contentsOf: text.utf8)
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func appendEscaped(_ byte: UInt8) {
    if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
      bytes.append(byte)
      return
    }
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case 0x0a: bytes.append(UInt8(ascii: "n"))
    case 0x0d: bytes.append(UInt8(ascii: "r"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
    default:
      bytes.append(contentsOf: "u00".utf8)
      bytes.append(byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
      let low = byte & 0x0f
      bytes.append(low < 10 ? 0x30 + low : 0x57 + low)
    }
  }

  private mutating func appendDecimal(_ value: Int64) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    let start = bytes.count
    var rest = value.magnitude
    repeat {
      bytes.append(0x30 + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    // In place: reversing the slice would copy it.
    var low = start
    var high = bytes.count - 1
    while low < high {
      bytes.swapAt(low, high)
      low += 1
      high -= 1
    }
  }
}

// Members of an object in one call.
extension JSONWriter {
  package mutating func member(_ key: StaticString, _ value: String) {
    self.key(key)
    string(value)
  }

  package mutating func member(_ key: StaticString, _ value: Int) {
    self.key(key)
    integer(value)
  }

  package mutating func member(_ key: StaticString, _ value: Int64) {
    self.key(key)
    integer(value)
  }

  package mutating func member(_ key: StaticString, _ value: Double) {
    self.key(key)
    number(value)
  }

  package mutating func member(_ key: StaticString, _ value: Bool) {
    self.key(key)
    bool(value)
  }
}
