// SPDX-License-Identifier: Apache-2.0

// What a quoted string stands for.

enum StringLiteral {
  /// What follows a backslash, and the byte that is meant.
  static let controls: [UInt8: UInt8] = [
    UInt8(ascii: "a"): 0x07, UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0c, UInt8(ascii: "n"): 0x0a,
    UInt8(ascii: "r"): 0x0d, UInt8(ascii: "t"): 0x09, UInt8(ascii: "v"): 0x0b, UInt8(ascii: "\\"): 0x5c,
  ]

  /// - Parameter bytes: with the quotes; the lexer has checked the escapes. Bytes that are no UTF-8, which `\x` and
  ///   octal escapes can make, become U+FFFD.
  static func value(_ bytes: ArraySlice<UInt8>) -> String {
    let inner = bytes.dropFirst().dropLast()
    guard bytes.first != UInt8(ascii: "`"), inner.contains(UInt8(ascii: "\\")) else {
      return String(decoding: inner, as: UTF8.self)
    }
    var rest = inner
    var value: [UInt8] = []
    value.reserveCapacity(inner.count)
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), let escape = rest.popFirst() {
        appendEscaped(escape, &rest, to: &value)
      } else {
        value.append(byte)
      }
    }
    return String(decoding: value, as: UTF8.self)
  }

  private static func appendEscaped(_ escape: UInt8, _ rest: inout ArraySlice<UInt8>, to value: inout [UInt8]) {
    switch escape {
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      value.append(UInt8(truncatingIfNeeded: (escape.hexValue ?? 0) << 6 | number(2, bits: 3, &rest)))
    case UInt8(ascii: "x"): value.append(UInt8(truncatingIfNeeded: number(2, bits: 4, &rest)))
    case UInt8(ascii: "u"): append(number(4, bits: 4, &rest), to: &value)
    case UInt8(ascii: "U"): append(number(8, bits: 4, &rest), to: &value)
    default: value.append(controls[escape] ?? escape)
    }
  }

  private static func number(_ digitCount: Int, bits: UInt32, _ rest: inout ArraySlice<UInt8>) -> UInt32 {
    var number: UInt32 = 0
    for _ in 0..<digitCount { number = number << bits | (rest.popFirst()?.hexValue ?? 0) }
    return number
  }

  private static func append(_ value: UInt32, to bytes: inout [UInt8]) {
    guard let scalar = Unicode.Scalar(value) else { preconditionFailure("the lexer let \(value) pass as a scalar") }
    bytes.append(contentsOf: UTF8.encode(scalar)!)
  }
}
