// SPDX-License-Identifier: Apache-2.0

// Where numbers, durations and strings end. What they stand for is in NumberLiteral, DurationText and StringLiteral.

extension Lexer {
  // MARK: Numbers

  /// A number or, with units, a duration.
  mutating func number() throws(ParseError) -> Token {
    if scanNumber() { return token(.number) }
    // The digits read so far are the duration's first count.
    guard scanUnits() else {
      throw error("bad number or duration syntax: \(StringText.quoted(String(decoding: bytes[start..<offset], as: UTF8.self)))")
    }
    return token(.duration)
  }

  private mutating func scanNumber() -> Bool {
    if peek() == UInt8(ascii: "0"), peek(1) == UInt8(ascii: "x") || peek(1) == UInt8(ascii: "X") {
      offset += 2
      skipRun { $0.hexValue != nil || $0 == UInt8(ascii: "_") }
      return !isInWord
    }
    return scanDecimal() && !isInWord
  }

  /// Digits with at most one point and exponent; an underscore, point or `e` may not follow another.
  private mutating func scanDecimal() -> Bool {
    var hasPoint = false
    var hasExponent = false
    while let byte = peek() {
      switch byte {
      case _ where byte.isDigit: offset += 1
      case UInt8(ascii: "."):
        offset += 1
        guard !hasPoint, !skipOne(of: [UInt8(ascii: "_"), UInt8(ascii: ".")]) else { return false }
        hasPoint = true
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        offset += 1
        guard !hasExponent else { return false }
        hasExponent = true
        _ = skipOne(of: [UInt8(ascii: "+"), UInt8(ascii: "-")])
        guard peek() != nil, !skipOne(of: Lexer.notTwice) else { return false }
      case UInt8(ascii: "_"):
        offset += 1
        guard peek() != nil, !skipOne(of: Lexer.notTwice) else { return false }
      default: return true
      }
    }
    return true
  }

  private static let notTwice = [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "e"), UInt8(ascii: "E")]

  private var isInWord: Bool { peek().map { $0.isLetter || $0.isDigit } ?? false }

  private mutating func scanUnits() -> Bool {
    guard skipOne(of: Array("smhdwy".utf8)) else { return false }
    _ = skip("s")
    while peek()?.isDigit == true {
      skipRun(while: \.isDigit)
      guard skipOne(of: Array("smhdw".utf8)) else { return false }
      _ = skip("s")
    }
    guard isInWord else { return true }
    offset += 1
    return false
  }

  private mutating func skipRun(while isWanted: (UInt8) -> Bool) {
    while let byte = peek(), isWanted(byte) { offset += 1 }
  }

  private mutating func skipOne(of wanted: [UInt8]) -> Bool {
    guard let byte = peek(), wanted.contains(byte) else { return false }
    offset += 1
    return true
  }

  // MARK: Strings

  /// A string in single or double quotes, with Go's escapes.
  mutating func quoted() throws(ParseError) -> Token {
    let quote = bytes[offset]
    offset += 1
    while let byte = peek(), byte != .lineFeed {
      if byte == quote {
        offset += 1
        return token(.string)
      }
      if byte == UInt8(ascii: "\\") {
        offset += 1
        try escape(in: quote)
      } else {
        try skipScalar()
      }
    }
    throw error("unterminated quoted string")
  }

  /// A string in back quotes, where every byte stands for itself.
  mutating func raw() throws(ParseError) -> Token {
    offset += 1
    while let byte = peek() {
      if byte == UInt8(ascii: "`") {
        offset += 1
        return token(.string)
      }
      try skipScalar()
    }
    throw error("unterminated raw string")
  }

  private mutating func escape(in quote: UInt8) throws(ParseError) {
    guard let byte = peek() else { throw error("escape sequence not terminated") }
    switch byte {
    case quote: offset += 1
    case _ where StringLiteral.controls[byte] != nil: offset += 1
    case UInt8(ascii: "0")...UInt8(ascii: "7"): try digits(3, radix: 8, max: 255)
    case UInt8(ascii: "x"):
      offset += 1
      try digits(2, radix: 16, max: 255)
    case UInt8(ascii: "u"):
      offset += 1
      try digits(4, radix: 16, max: 0x10ffff)
    case UInt8(ascii: "U"):
      offset += 1
      try digits(8, radix: 16, max: 0x10ffff)
    default: throw error("unknown escape sequence \(unicodeName)")
    }
  }

  private mutating func digits(_ count: Int, radix: UInt32, max: UInt32) throws(ParseError) {
    var value: UInt32 = 0
    for _ in 0..<count {
      guard let byte = peek() else { throw error("escape sequence not terminated") }
      guard let digit = byte.hexValue, digit < radix else {
        throw error("illegal character \(unicodeName) in escape sequence")
      }
      value = value &* radix &+ digit
      offset += 1
    }
    guard value <= max, !(0xd800..<0xe000).contains(value) else {
      throw error("escape sequence is an invalid Unicode code point")
    }
  }

  /// As Go's `%#U`: `U+0063 'c'`.
  private var unicodeName: String {
    let scalar = scalar(at: offset) ?? "\u{fffd}"
    let digits = String(scalar.value, radix: 16, uppercase: true)
    let name = "U+" + String(repeating: "0", count: Swift.max(0, 4 - digits.count)) + digits
    return StringText.isPrintable(scalar) ? "\(name) '\(scalar)'" : name
  }

  /// A String's bytes are always UTF-8; what was not became U+FFFD, which Prometheus refuses as well.
  private mutating func skipScalar() throws(ParseError) {
    guard let scalar = scalar(at: offset), scalar != "\u{fffd}" else { throw error("invalid UTF-8 rune") }
    offset += UTF8.width(scalar)
  }

  func scalar(at offset: Int) -> Unicode.Scalar? {
    var iterator = bytes[offset...].prefix(4).makeIterator()
    var decoder = UTF8()
    guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return nil }
    return scalar
  }
}

extension UInt8 {
  /// The value of a hexadecimal digit.
  var hexValue: UInt32? {
    switch self {
    case 0x30...0x39: UInt32(self - 0x30)
    case 0x61...0x66: UInt32(self - 0x61 + 10)
    case 0x41...0x46: UInt32(self - 0x41 + 10)
    default: nil
    }
  }
}
