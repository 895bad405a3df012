// SPDX-License-Identifier: Apache-2.0

// Numbers and durations. The two begin alike (`1`, `1h30m`), so a number that ends in the wrong letter is tried again
// as a duration. Only the shape is looked at; the value is NumberText's and DurationText's.

extension Lexer {
  /// Whether a number or a duration begins here.
  func startsNumber() -> Bool {
    guard let byte = peek() else { return false }
    if byte.isDigit { return true }
    return byte == UInt8(ascii: ".") && position + 1 < bytes.count && bytes[position + 1].isDigit
  }

  mutating func numberOrDuration() throws(ParseError) -> Token {
    if scanNumber() { return token(.number) }
    if scanRestOfDuration() { return token(.duration) }
    throw error("bad number or duration syntax: \(QuotedText.quoted(bytes[start..<position]))")
  }

  /// Moves over a number as far as it looks like one.
  private mutating func scanNumber() -> Bool {
    let isHexadecimal = accept("0") && accept("xX")
    if isHexadecimal { accept("_") }
    let digits = isHexadecimal ? "0123456789abcdefABCDEF" : "0123456789"
    accept(".")
    accept(digits)
    var hasPoint = false
    var hasExponent = false
    scanning: while let byte = peek() {
      switch byte {
      case UInt8(ascii: "."):
        position += 1
        if hasPoint || accept("_.") || isHexadecimal { return false }
        hasPoint = true
      // In hexadecimal numbers too: Prometheus takes the second "e" of 0x1ee for a second exponent, and so refuses it.
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        position += 1
        if hasExponent { return false }
        hasExponent = true
        accept("+-")
        if accept("._eE") || peek() == nil { return false }
      case UInt8(ascii: "_"):
        position += 1
        if accept("._eE") || peek() == nil { return false }
      default:
        guard accept(digits) else { break scanning }
      }
    }
    return peek().map { !$0.isLetter && !$0.isDigit } ?? true
  }

  /// After the digits of a first number: moves over its unit and further numbers with units.
  private mutating func scanRestOfDuration() -> Bool {
    guard accept("smhdwy") else { return false }
    // The second letter of "ms". "hs" is found out when the duration is read.
    accept("s")
    while accept("0123456789") {
      while accept("0123456789") {}
      // Without years, which can only come first.
      guard accept("smhdw") else { return false }
      accept("s")
    }
    guard let byte = peek(), byte.isLetter || byte.isDigit else { return true }
    position += 1
    return false
  }

  /// Moves over one byte if it is one of these.
  @discardableResult
  private mutating func accept(_ choice: String) -> Bool {
    guard let byte = peek(), choice.utf8.contains(byte) else { return false }
    position += 1
    return true
  }
}
