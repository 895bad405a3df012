// SPDX-License-Identifier: Apache-2.0

// Numbers as text: read as Go reads literals (strconv.ParseInt with base 0, else ParseFloat), written without exponent.

enum NumberText {
  enum Fault: String, Error {
    case syntax = "invalid syntax"
    case outOfRange = "value out of range"
  }

  /// The value of a number that the lexer has accepted: decimal, octal with a leading zero, hexadecimal with `0x`,
  /// underscores between digits, `inf` and `nan`.
  static func value(_ literal: ArraySlice<UInt8>) throws(Fault) -> Double {
    let text = String(decoding: literal, as: UTF8.self).lowercased()
    if text == "inf" { return .infinity }
    if text == "nan" { return .nan }
    guard separatesDigits(text.utf8) else { throw .syntax }
    let digits = text.filter { $0 != "_" }
    if digits.hasPrefix("0x") {
      guard let integer = Int64(digits.dropFirst(2), radix: 16) else { throw .syntax }
      return Double(integer)
    }
    // Digits of no octal number are decimal ones all the same: 09 is 9.
    if digits.utf8.first == UInt8(ascii: "0"), let integer = Int64(digits, radix: 8) { return Double(integer) }
    guard let value = Double(withDigitsAroundPoint(digits)) else { throw .syntax }
    guard value.isFinite else { throw .outOfRange }
    return value
  }

  /// Whether each underscore stands between digits, or between a prefix and a digit.
  private static func separatesDigits(_ text: String.UTF8View) -> Bool {
    guard text.contains(UInt8(ascii: "_")) else { return true }
    let isHexadecimal = text.starts(with: "0x".utf8)
    // The prefix counts as a digit.
    var previous = UInt8(ascii: isHexadecimal ? "0" : ".")
    for byte in text.dropFirst(isHexadecimal ? 2 : 0) {
      let isDigit = byte.isDigit || isHexadecimal && QuotedText.digit(byte) != nil
      if byte == UInt8(ascii: "_") {
        guard previous == UInt8(ascii: "0") else { return false }
      } else if previous == UInt8(ascii: "_"), !isDigit {
        return false
      }
      previous = byte == UInt8(ascii: "_") ? byte : UInt8(ascii: isDigit ? "0" : ".")
    }
    return previous != UInt8(ascii: "_")
  }

  // `5.` and `.5` are numbers in Go; what Swift makes of them is not documented.
  private static func withDigitsAroundPoint(_ text: String) -> String {
    guard let point = text.firstIndex(of: ".") else { return text }
    let before = text[..<point]
    let after = text[point...].dropFirst()
    let needsDigit = after.first.map { !("0"..."9").contains($0) } ?? true
    return "\(before.isEmpty ? "0" : before).\(needsDigit ? "0" : "")\(after)"
  }

  /// The shortest digits that make this number again, without exponent (Go: `FormatFloat(value, 'f', -1, 64)`).
  static func text(_ value: Double) -> String {
    value.isFinite ? ShortestDecimal(value).plain : GeneralNumber.unusual(value)
  }
}

extension NumberText {
  /// As Go's `%f`, for a number that is whole or no number; the shortest digits where it is beyond 128 bits.
  static func textWithSixDecimals(_ value: Double) -> String {
    guard value.isFinite else { return text(value) }
    return (Int128(exactly: value).map(String.init) ?? text(value)) + ".000000"
  }
}
