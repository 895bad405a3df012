// SPDX-License-Identifier: Apache-2.0

// Numbers as Go reads them: constants of a template, and texts that the functions of Prometheus take for numbers.

/// A constant, which becomes an integer or a float where it is used. Complex ones are left out.
struct NumberLiteral: Sendable {
  /// What the template says.
  let text: String
  /// Nil when the number has a fraction or is too large.
  let integer: Int64?
  /// Whether it is an integer of more than 63 bits.
  let isUnsigned: Bool
  let float: Double

  init(character: UInt32, text: String) {
    self.text = text
    integer = Int64(character)
    isUnsigned = false
    float = Double(character)
  }

  init(_ literal: [UInt8]) throws(Fault) {
    text = String(decoding: literal, as: UTF8.self)
    guard literal.last != UInt8(ascii: "i") else {
      throw Fault("complex numbers are not supported: \(Quoting.quoted(literal))")
    }
    if let integer = Self.integer(literal) {
      self.integer = integer
      isUnsigned = false
      float = Double(integer)
    } else if let unsigned = Self.magnitude(literal[...]) {
      integer = nil
      isUnsigned = true
      float = Double(unsigned)
    } else {
      guard let value = try? Self.float(literal) else {
        throw Fault("illegal number syntax: \(Quoting.quoted(literal))")
      }
      // Only digits, yet no integer: there are too many of them.
      guard Self.isFloat(literal) else { throw Fault("integer overflow: \(Quoting.quoted(literal))") }
      float = value
      integer = Int64(exactly: value)
      isUnsigned = false
    }
  }

  private static func isFloat(_ literal: [UInt8]) -> Bool { literal.contains { ".eEpP".utf8.contains($0) } }

  private var isHexInteger: Bool {
    (text.hasPrefix("0x") || text.hasPrefix("0X")) && !text.utf8.contains { "pP".utf8.contains($0) }
  }

  /// What it is where nothing asks for a type: the way it is written tells. Nil when it is too large for an integer.
  var ideal: Value? {
    if !text.hasPrefix("'"), !isHexInteger, Self.isFloat(Array(text.utf8)) { return .float(float) }
    return integer.map { .integer($0, .int) }
  }
}

// Go's strconv.
extension NumberLiteral {
  static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// With a sign, a prefix (`0x`, `0o`, `0b` or `0`) and underscores, as ParseInt reads them with base 0.
  private static func integer(_ text: [UInt8]) -> Int64? {
    let isNegative = text.first == UInt8(ascii: "-")
    guard let magnitude = magnitude(isNegative || text.first == UInt8(ascii: "+") ? text.dropFirst() : text[...]) else {
      return nil
    }
    if isNegative { return magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil }
    return Int64(exactly: magnitude)
  }

  private static func magnitude(_ text: ArraySlice<UInt8>) -> UInt64? {
    guard separatesDigits(text) else { return nil }
    var digits = text.filter { $0 != UInt8(ascii: "_") }[...]
    var base: UInt64 = 10
    if digits.count > 1, digits.popFirst(UInt8(ascii: "0")) {
      base = 8
      // A letter behind the zero names the base.
      switch digits.first.map({ $0 | 0x20 }) {
      case UInt8(ascii: "x"): base = 16
      case UInt8(ascii: "b"): base = 2
      case UInt8(ascii: "o"): break
      default: return value(digits, base: base)
      }
      digits = digits.dropFirst()
    }
    return value(digits, base: base)
  }

  private static func value(_ digits: ArraySlice<UInt8>, base: UInt64) -> UInt64? {
    guard !digits.isEmpty else { return nil }
    var value: UInt64 = 0
    for byte in digits {
      guard let digit = digit(byte), digit < base else { return nil }
      let (product, isTooLarge) = value.multipliedReportingOverflow(by: base)
      let (sum, overflows) = product.addingReportingOverflow(UInt64(digit))
      guard !isTooLarge, !overflows else { return nil }
      value = sum
    }
    return value
  }

  /// As ParseFloat: decimal or hexadecimal, or `Inf`, `Infinity` and `NaN` in any case.
  static func float(_ text: [UInt8]) throws(Fault) -> Double {
    func fault(_ reason: String) -> Fault { Fault("strconv.ParseFloat: parsing \(Quoting.quoted(text)): \(reason)") }
    let word = String(decoding: text, as: UTF8.self).lowercased()
    switch word {
    case "inf", "+inf", "infinity", "+infinity": return .infinity
    case "-inf", "-infinity": return -.infinity
    case "nan": return .nan
    default: break
    }
    let unsigned = text.first.map { "+-".utf8.contains($0) } == true ? text.dropFirst() : text[...]
    guard separatesDigits(unsigned), let normal = normalized(unsigned), let value = Double(normal) else {
      throw fault("invalid syntax")
    }
    guard value.isFinite else { throw fault("value out of range") }
    return text.first == UInt8(ascii: "-") ? -value : value
  }

  // Without underscores, and with a digit on both sides of the point, as Swift reads it. Nil when it is no number.
  private static func normalized(_ text: ArraySlice<UInt8>) -> String? {
    var rest = text.filter { $0 != UInt8(ascii: "_") }[...]
    let isHex = rest.count > 2 && rest.first == UInt8(ascii: "0") && rest[1] | 0x20 == UInt8(ascii: "x")
    if isHex { rest = rest.dropFirst(2) }
    let whole = takeDigits(&rest, isHex: isHex)
    let fraction = rest.popFirst(UInt8(ascii: ".")) ? takeDigits(&rest, isHex: isHex) : ""
    guard !whole.isEmpty || !fraction.isEmpty else { return nil }
    let mantissa = "\(isHex ? "0x" : "")\(whole.isEmpty ? "0" : whole).\(fraction.isEmpty ? "0" : fraction)"
    guard let letter = rest.popFirst() else { return isHex ? nil : mantissa }
    guard letter | 0x20 == UInt8(ascii: isHex ? "p" : "e") else { return nil }
    let isNegative = rest.popFirst(UInt8(ascii: "-"))
    if !isNegative { _ = rest.popFirst(UInt8(ascii: "+")) }
    let exponent = takeDigits(&rest, isHex: false)
    guard !exponent.isEmpty, rest.isEmpty else { return nil }
    // Nine digits are more than any exponent needs, and more than some readers take.
    let shown = exponent.drop { $0 == "0" }
    return mantissa + (isHex ? "p" : "e") + (isNegative ? "-" : "+")
      + (shown.isEmpty ? "0" : shown.count > 9 ? "999999999" : shown)
  }

  private static func takeDigits(_ rest: inout ArraySlice<UInt8>, isHex: Bool) -> String {
    let digits = rest.prefix { digit($0).map { isHex || $0 < 10 } ?? false }
    rest = rest.dropFirst(digits.count)
    return String(decoding: digits, as: UTF8.self)
  }

  /// Whether each underscore stands between digits, or between a prefix and a digit.
  private static func separatesDigits(_ text: ArraySlice<UInt8>) -> Bool {
    guard text.contains(UInt8(ascii: "_")) else { return true }
    let prefixes: [[UInt8]] = [Array("0x".utf8), Array("0o".utf8), Array("0b".utf8)]
    let hasPrefix = prefixes.contains(text.prefix(2).map { $0 | 0x20 })
    let isHex = hasPrefix && text.dropFirst().first.map { $0 | 0x20 } == UInt8(ascii: "x")
    var isBehindDigit = hasPrefix
    var isBehindUnderscore = false
    for byte in text.dropFirst(hasPrefix ? 2 : 0) {
      let isDigit = digit(byte).map { isHex || $0 < 10 } ?? false
      let isUnderscore = byte == UInt8(ascii: "_")
      if isUnderscore && !isBehindDigit || isBehindUnderscore && !isDigit { return false }
      isBehindDigit = isDigit
      isBehindUnderscore = isUnderscore
    }
    return !isBehindUnderscore
  }
}

extension ArraySlice<UInt8> {
  /// Takes the first byte when it is this one.
  fileprivate mutating func popFirst(_ byte: UInt8) -> Bool {
    guard first == byte else { return false }
    removeFirst()
    return true
  }
}
