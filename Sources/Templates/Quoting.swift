// SPDX-License-Identifier: Apache-2.0

// Text in quotes as Go writes and reads it (package strconv): literals, `%q`, and what messages show.

enum Quoting {
  /// In double quotes, with escapes for quotes, control characters and all that does not print.
  static func quoted(_ bytes: [UInt8]) -> String {
    String(decoding: quotedBytes(bytes, onlyASCII: false), as: UTF8.self)
  }

  static func quoted(_ text: String) -> String { quoted(Array(text.utf8)) }

  static func quotedBytes(_ bytes: [UInt8], onlyASCII: Bool) -> [UInt8] {
    var quoted: [UInt8] = [UInt8(ascii: "\"")]
    var position = 0
    while position < bytes.count {
      let (scalar, count) = Scalars.scalar(in: bytes[...], at: position)
      if scalar == "\u{fffd}", count == 1 {
        quoted.append(contentsOf: "\\x\(hexadecimal(UInt32(bytes[position]), digits: 2))".utf8)
      } else {
        append(scalar, to: &quoted, quote: "\"", onlyASCII: onlyASCII)
      }
      position += count
    }
    quoted.append(UInt8(ascii: "\""))
    return quoted
  }

  /// In single quotes.
  static func quotedBytes(_ scalar: Unicode.Scalar, onlyASCII: Bool) -> [UInt8] {
    var quoted: [UInt8] = [UInt8(ascii: "'")]
    append(scalar, to: &quoted, quote: "'", onlyASCII: onlyASCII)
    quoted.append(UInt8(ascii: "'"))
    return quoted
  }

  /// Whether the text can stand between backquotes: one line, no control characters but tabs.
  static func canBackquote(_ bytes: [UInt8]) -> Bool {
    var position = 0
    while position < bytes.count {
      let (scalar, count) = Scalars.scalar(in: bytes[...], at: position)
      switch scalar {
      case "\u{fffd}" where count == 1: return false
      case "\u{feff}", "`", "\u{7f}": return false
      case _ where scalar < " " && scalar != "\t": return false
      default: position += count
      }
    }
    return true
  }

  private static func append(
    _ scalar: Unicode.Scalar, to quoted: inout [UInt8], quote: Unicode.Scalar, onlyASCII: Bool
  ) {
    switch scalar {
    case quote, "\\":
      quoted.append(UInt8(ascii: "\\"))
      Scalars.append(scalar, to: &quoted)
    case _ where Scalars.isPrinted(scalar) && (!onlyASCII || scalar.isASCII): Scalars.append(scalar, to: &quoted)
    default: quoted.append(contentsOf: escape(scalar).utf8)
    }
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\u{07}": "\\a"
    case "\u{08}": "\\b"
    case "\u{0c}": "\\f"
    case "\n": "\\n"
    case "\r": "\\r"
    case "\t": "\\t"
    case "\u{0b}": "\\v"
    case _ where scalar.value < 0x80: "\\x" + hexadecimal(scalar.value, digits: 2)
    case _ where scalar.value < 0x1_0000: "\\u" + hexadecimal(scalar.value, digits: 4)
    default: "\\U" + hexadecimal(scalar.value, digits: 8)
    }
  }

  private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}

// Reading literals.
extension Quoting {
  /// The text of a literal with its quotes, double or back; nil when Go finds its syntax invalid.
  static func unquoted(_ literal: [UInt8]) -> [UInt8]? {
    let inner = literal.dropFirst().dropLast()
    if literal.first == UInt8(ascii: "`") { return inner.filter { $0 != UInt8(ascii: "\r") } }
    var text: [UInt8] = []
    var rest = inner
    while !rest.isEmpty {
      guard let element = element(&rest, quote: UInt8(ascii: "\"")) else { return nil }
      switch element {
      case .byte(let byte): text.append(byte)
      case .scalar(let scalar): Scalars.append(scalar, to: &text)
      }
    }
    return text
  }

  /// The character of a constant in single quotes; nil when it holds an invalid escape.
  ///
  /// - Returns: with `isWhole` false when more than one character stands between the quotes.
  static func character(_ literal: [UInt8]) -> (value: UInt32, isWhole: Bool)? {
    var rest = literal.dropFirst()
    guard let element = element(&rest, quote: UInt8(ascii: "'")) else { return nil }
    let isWhole = rest.elementsEqual([UInt8(ascii: "'")])
    switch element {
    case .byte(let byte): return (UInt32(byte), isWhole)
    case .scalar(let scalar): return (scalar.value, isWhole)
    }
  }

  private enum Element {
    /// From `\x` and octal escapes, which make bytes, not characters.
    case byte(UInt8)
    case scalar(Unicode.Scalar)
  }

  // Takes one character or escape from the front.
  private static func element(_ rest: inout ArraySlice<UInt8>, quote: UInt8) -> Element? {
    guard let first = rest.first, first != quote else { return nil }
    guard first == UInt8(ascii: "\\") else {
      let (scalar, count) = Scalars.scalar(in: rest, at: rest.startIndex)
      rest = rest.dropFirst(count)
      return .scalar(scalar)
    }
    rest = rest.dropFirst()
    guard let letter = rest.popFirst() else { return nil }
    switch letter {
    case UInt8(ascii: "x"): return number(&rest, digits: 2, base: 16).map { .byte(UInt8($0)) }
    case UInt8(ascii: "u"): return number(&rest, digits: 4, base: 16).flatMap(Unicode.Scalar.init).map { .scalar($0) }
    case UInt8(ascii: "U"): return number(&rest, digits: 8, base: 16).flatMap(Unicode.Scalar.init).map { .scalar($0) }
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      guard let tail = number(&rest, digits: 2, base: 8) else { return nil }
      return UInt8(exactly: UInt32(letter - UInt8(ascii: "0")) << 6 | tail).map { .byte($0) }
    case quote: return .byte(letter)
    default: return meaning(ofEscape: letter).map { .byte($0) }
    }
  }

  private static func number(_ rest: inout ArraySlice<UInt8>, digits: Int, base: UInt32) -> UInt32? {
    guard rest.count >= digits else { return nil }
    var value: UInt32 = 0
    for byte in rest.prefix(digits) {
      guard let digit = NumberLiteral.digit(byte), digit < base else { return nil }
      // Eight hexadecimal digits fill the 32 bits.
      value = value &* base | UInt32(digit)
    }
    rest = rest.dropFirst(digits)
    return value
  }

  private static func meaning(ofEscape letter: UInt8) -> UInt8? {
    switch letter {
    case UInt8(ascii: "a"): 0x07
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0c
    case UInt8(ascii: "n"): 0x0a
    case UInt8(ascii: "r"): 0x0d
    case UInt8(ascii: "t"): 0x09
    case UInt8(ascii: "v"): 0x0b
    case UInt8(ascii: "\\"): letter
    default: nil
    }
  }
}
