// SPDX-License-Identifier: Apache-2.0

// What the digits of a query stand for: as Go's strconv.ParseInt with base 0, else as its ParseFloat.

enum NumberLiteral {
  struct Failure: Error {
    let message: String
  }

  /// - Parameter text: as the lexer cut it: no sign.
  static func value(_ text: String) throws(Failure) -> Double {
    let lowercase = text.lowercased()
    if lowercase == "inf" { return .infinity }
    if lowercase == "nan" { return .nan }
    guard let digits = withoutUnderscores(lowercase) else { throw failure(text, "invalid syntax") }
    if digits.hasPrefix("0x") {
      guard let value = Int64(digits.dropFirst(2), radix: 16) else { throw failure(text, "invalid syntax") }
      return Double(value)
    }
    if let value = octal(digits) { return value }
    guard let value = Double(digits) else { throw failure(text, "invalid syntax") }
    guard value.isFinite else { throw failure(text, "value out of range") }
    return value
  }

  private static func failure(_ text: String, _ reason: String) -> Failure {
    Failure(message: "error parsing number: strconv.ParseFloat: parsing \(StringText.quoted(text)): \(reason)")
  }

  /// Nil where an underscore is not between two digits or after the `0x`.
  private static func withoutUnderscores(_ text: String) -> String? {
    guard text.utf8.contains(UInt8(ascii: "_")) else { return text }
    let bytes = Array(text.utf8)
    for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "_") {
      guard index > 0, index + 1 < bytes.count else { return nil }
      let isAfterBase = index == 2 && bytes[1] == UInt8(ascii: "x")
      guard isAfterBase || bytes[index - 1].hexValue != nil, bytes[index + 1].hexValue != nil else { return nil }
    }
    return String(decoding: bytes.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
  }

  /// A leading zero makes whole numbers octal; those that cannot be are decimal after all.
  private static func octal(_ digits: String) -> Double? {
    guard digits.utf8.count > 1, digits.utf8.first == UInt8(ascii: "0") else { return nil }
    return Int64(digits, radix: 8).map(Double.init)
  }
}
