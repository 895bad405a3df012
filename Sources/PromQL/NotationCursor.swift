// SPDX-License-Identifier: Apache-2.0

// Reads the small languages of tests: series with their points, quoted strings, durations.

/// A line of a test that cannot be read.
package struct NotationError: Error, Sendable, Equatable, CustomStringConvertible {
  package let message: String
  /// In bytes, from 1.
  package let column: Int

  package var description: String { "column \(column): \(message)" }
}

/// A place in a line.
struct NotationCursor {
  private let bytes: [UInt8]
  private(set) var offset = 0

  init(_ text: String) {
    bytes = Array(text.utf8)
  }

  var isAtEnd: Bool { offset == bytes.count }
  var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  func error(_ message: String) -> NotationError { NotationError(message: message, column: offset + 1) }

  mutating func skipSpaces() {
    while next == 0x20 || next == 0x09 { offset += 1 }
  }

  mutating func skip(_ byte: Character) -> Bool {
    guard next == byte.asciiValue else { return false }
    offset += 1
    return true
  }

  mutating func skip(_ word: String) -> Bool {
    guard bytes[offset...].starts(with: word.utf8) else { return false }
    offset += word.utf8.count
    return true
  }

  /// The longest run of bytes that all are wanted, maybe empty.
  mutating func run(while isWanted: (UInt8) -> Bool) -> String {
    let start = offset
    while let byte = next, isWanted(byte) { offset += 1 }
    return String(decoding: bytes[start..<offset], as: UTF8.self)
  }

  /// All that is left.
  mutating func rest() -> String { run { _ in true } }

  /// A quoted string with Go's escapes, or one in back quotes without.
  mutating func quoted() throws(NotationError) -> String {
    guard let quote = next, quote == 0x22 || quote == 0x27 || quote == 0x60 else {
      throw error("a quoted string is missing")
    }
    offset += 1
    var text: [UInt8] = []
    while let byte = next {
      offset += 1
      if byte == quote { return String(decoding: text, as: UTF8.self) }
      if byte == 0x5c, quote != 0x60 {
        try escape(to: &text)
      } else {
        text.append(byte)
      }
    }
    throw error("the string has no end")
  }

  private mutating func escape(to text: inout [UInt8]) throws(NotationError) {
    guard let byte = next else { throw error("the string has no end") }
    offset += 1
    if let escaped = QuotedText.meaning(ofEscape: byte) { return text.append(escaped) }
    switch byte {
    case 0x22, 0x27: text.append(byte)
    case 0x78: text.append(UInt8(truncatingIfNeeded: try digits(2, radix: 16)))
    case 0x75: try append(scalar: try digits(4, radix: 16), to: &text)
    case 0x55: try append(scalar: try digits(8, radix: 16), to: &text)
    case 0x30...0x37:
      offset -= 1
      text.append(UInt8(truncatingIfNeeded: try digits(3, radix: 8)))
    default: throw error("unknown escape sequence")
    }
  }

  private func append(scalar value: UInt32, to text: inout [UInt8]) throws(NotationError) {
    guard let scalar = UnicodeScalar(value) else { throw error("escape sequence is no Unicode scalar") }
    text.append(contentsOf: String(Character(scalar)).utf8)
  }

  private mutating func digits(_ count: Int, radix: Int) throws(NotationError) -> UInt32 {
    let end = offset + count
    guard end <= bytes.count, let value = UInt32(String(decoding: bytes[offset..<end], as: UTF8.self), radix: radix)
    else { throw error("an escape sequence of \(count) digits is too short") }
    offset = end
    return value
  }
}

extension UInt8 {
  /// A letter of a metric's name.
  var isNotationLetter: Bool { (0x61...0x7a).contains(self | 0x20) || self == 0x5f || self == 0x3a }
}
