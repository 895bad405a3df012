// SPDX-License-Identifier: Apache-2.0

// Text in quotes as Go writes and reads it (package strconv): string literals and what messages show of a query.

enum QuotedText {
  /// The text in double quotes, with escapes for quotes, control characters and all that does not print.
  static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars { append(scalar, to: &quoted, quote: "\"") }
    return quoted + "\""
  }

  /// Bytes in double quotes; `\x` for those that are no UTF-8.
  static func quoted(_ bytes: ArraySlice<UInt8>) -> String {
    let bytes = Array(bytes)
    var quoted = "\""
    var position = 0
    while position < bytes.count {
      let (scalar, count) = scalar(in: bytes, at: position)
      if let scalar {
        append(scalar, to: &quoted, quote: "\"")
      } else {
        quoted += "\\x" + hexadecimal(UInt32(bytes[position]), digits: 2)
      }
      position += count
    }
    return quoted + "\""
  }

  /// A character in single quotes; nil, for bytes that are no UTF-8 and for the end of the query, is U+FFFD.
  static func quoted(_ scalar: Unicode.Scalar?) -> String {
    var quoted = "'"
    append(scalar ?? "\u{fffd}", to: &quoted, quote: "'")
    return quoted + "'"
  }

  /// A character by its number, and itself where it prints: `U+0027 '''`.
  static func numbered(_ scalar: Unicode.Scalar?) -> String {
    let scalar = scalar ?? "\u{fffd}"
    let number = "U+" + hexadecimal(scalar.value, digits: 4).uppercased()
    return isPrinted(scalar) ? "\(number) '\(scalar)'" : number
  }

  /// The character at a position and how many bytes it takes: one, and no character, where they are no UTF-8.
  static func scalar(in bytes: [UInt8], at position: Int) -> (Unicode.Scalar?, count: Int) {
    guard position < bytes.count else { return (nil, 0) }
    var decoder = Unicode.UTF8()
    // No character is longer than four bytes.
    var iterator = bytes[position..<min(position + 4, bytes.count)].makeIterator()
    guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return (nil, 1) }
    return (scalar, UTF8.width(scalar))
  }

  /// The text of a string literal that the lexer has accepted. Escapes may make bytes that are no UTF-8; these become
  /// U+FFFD, because a label's value is text.
  static func unquoted(_ literal: ArraySlice<UInt8>) -> String {
    let inner = Array(literal.dropFirst().dropLast())
    guard literal.first != UInt8(ascii: "`"), inner.contains(UInt8(ascii: "\\")) else {
      return String(decoding: inner, as: UTF8.self)
    }
    var text: [UInt8] = []
    var position = 0
    while position < inner.count {
      if inner[position] == UInt8(ascii: "\\") {
        appendEscape(inner, &position, to: &text)
      } else {
        text.append(inner[position])
        position += 1
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func appendEscape(_ bytes: [UInt8], _ position: inout Int, to text: inout [UInt8]) {
    let byte = bytes[position + 1]
    position += 2
    switch byte {
    case UInt8(ascii: "x"): text.append(UInt8(number(bytes, &position, digits: 2, base: 16)))
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      let value = number(bytes, &position, digits: byte == UInt8(ascii: "u") ? 4 : 8, base: 16)
      text.append(contentsOf: UTF8.encode(Unicode.Scalar(value) ?? "\u{fffd}")!)
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      position -= 1
      text.append(UInt8(number(bytes, &position, digits: 3, base: 8)))
    // A quote stands for itself.
    default: text.append(meaning(ofEscape: byte) ?? byte)
    }
  }

  private static func number(_ bytes: [UInt8], _ position: inout Int, digits: Int, base: UInt32) -> UInt32 {
    var value: UInt32 = 0
    for byte in bytes[position..<position + digits] { value = value * base + UInt32(digit(byte)!) }
    position += digits
    return value
  }

  /// The byte that an escape of one letter stands for; nil for a letter that has none, quotes among them.
  static func meaning(ofEscape byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "a"): 0x07
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0c
    case UInt8(ascii: "n"): 0x0a
    case UInt8(ascii: "r"): 0x0d
    case UInt8(ascii: "t"): 0x09
    case UInt8(ascii: "v"): 0x0b
    case UInt8(ascii: "\\"): byte
    default: nil
    }
  }

  static func digit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  private static func append(_ scalar: Unicode.Scalar, to text: inout String, quote: Unicode.Scalar) {
    switch scalar {
    case quote, "\\": text += "\\\(scalar)"
    case "\u{07}": text += "\\a"
    case "\u{08}": text += "\\b"
    case "\u{0c}": text += "\\f"
    case "\n": text += "\\n"
    case "\r": text += "\\r"
    case "\t": text += "\\t"
    case "\u{0b}": text += "\\v"
    case _ where isPrinted(scalar): text.unicodeScalars.append(scalar)
    case _ where scalar.value < 0x80: text += "\\x" + hexadecimal(scalar.value, digits: 2)
    case _ where scalar.value < 0x1_0000: text += "\\u" + hexadecimal(scalar.value, digits: 4)
    default: text += "\\U" + hexadecimal(scalar.value, digits: 8)
    }
  }

  /// Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols, and of the spaces the one of ASCII.
  private static func isPrinted(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    case .spaceSeparator: scalar == " "
    default: true
    }
  }

  private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
