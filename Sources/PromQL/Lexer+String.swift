// SPDX-License-Identifier: Apache-2.0

// Strings in single and double quotes with Go's escapes, and in backticks without. They are checked here and decoded
// where their text is needed (`QuotedText`).

extension Lexer {
  /// Moves over a string, quotes included.
  mutating func string() throws(ParseError) -> Token {
    let quote = bytes[position]
    let isRaw = quote == UInt8(ascii: "`")
    position += 1
    while true {
      guard let byte = peek(), isRaw || byte != UInt8(ascii: "\n") else {
        throw error(isRaw ? "unterminated raw string" : "unterminated quoted string")
      }
      switch byte {
      case quote:
        position += 1
        return token(.string)
      case UInt8(ascii: "\\") where !isRaw: try escape(quote)
      case 0x80...: try multibyteCharacter()
      default: position += 1
      }
    }
  }

  private mutating func multibyteCharacter() throws(ParseError) {
    let (scalar, count) = QuotedText.scalar(in: bytes, at: position)
    guard scalar != nil else { throw error("invalid UTF-8 rune") }
    position += count
  }

  private mutating func escape(_ quote: UInt8) throws(ParseError) {
    position += 1
    guard let byte = peek() else { throw error("escape sequence not terminated") }
    switch byte {
    case quote: position += 1
    case UInt8(ascii: "0")...UInt8(ascii: "7"): try codePoint(digits: 3, base: 8, max: 0xff)
    case UInt8(ascii: "x"): try codePointAfterLetter(digits: 2, max: 0xff)
    case UInt8(ascii: "u"): try codePointAfterLetter(digits: 4, max: 0x10ffff)
    case UInt8(ascii: "U"): try codePointAfterLetter(digits: 8, max: 0x10ffff)
    default:
      guard QuotedText.meaning(ofEscape: byte) != nil else {
        throw numberedError("unknown escape sequence ")
      }
      position += 1
    }
  }

  private mutating func codePointAfterLetter(digits: Int, max: UInt64) throws(ParseError) {
    position += 1
    try codePoint(digits: digits, base: 16, max: max)
  }

  private mutating func codePoint(digits: Int, base: UInt64, max: UInt64) throws(ParseError) {
    var value: UInt64 = 0
    for _ in 0..<digits {
      guard let byte = peek() else { throw error("escape sequence not terminated") }
      guard let digit = QuotedText.digit(byte), digit < base else {
        throw numberedError("illegal character ", " in escape sequence")
      }
      value = value * base + digit
      position += 1
    }
    guard value <= max, !(0xd800..<0xe000).contains(value) else {
      throw error("escape sequence is an invalid Unicode code point")
    }
  }

  private mutating func numberedError(_ before: String, _ after: String = "") -> ParseError {
    let (scalar, count) = QuotedText.scalar(in: bytes, at: position)
    position += count
    return error("\(before)\(QuotedText.numbered(scalar))\(after)")
  }
}
