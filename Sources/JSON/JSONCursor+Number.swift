// SPDX-License-Identifier: Apache-2.0

// Numbers, read exactly: the result is the double nearest to the decimal text. Nearly all of them fit the fast way of
// Clinger (1990): up to 2^53 as an integer, times or by a power of ten that a double holds exactly.

/// A number as it stands in the bytes.
public struct JSONNumber: Equatable, Sendable {
  public let start: Int
  public let end: Int
  /// Finite.
  public let value: Double
  /// Set when the number has neither fraction nor exponent and fits.
  public let integer: Int64?

  @inlinable
  public init(start: Int, end: Int, value: Double, integer: Int64?) {
    self.start = start
    self.end = end
    self.value = value
    self.integer = integer
  }
}

extension JSONCursor {
  /// Moves past a number; the cursor must stand on its first byte.
  ///
  /// - Throws: `.numberOutOfRange` for what would be infinite; `.unexpectedByte` where no number begins.
  @inlinable @inline(__always)
  public mutating func number(_ bytes: Span<UInt8>) throws(JSONFault) -> JSONNumber {
    if let number = Plain.number(bytes, at: position) {
      defer { position = number.end }
      // Fifteen digits are exact in a double.
      let integer = number.isInteger ? Int64(number.value) : nil
      return JSONNumber(start: position, end: number.end, value: number.value, integer: integer)
    }
    var cursor = self
    defer { self = cursor }
    return try cursor.anyNumber(bytes)
  }

  /// The same for numbers that are not plain.
  @usableFromInline
  mutating func anyNumber(_ bytes: Span<UInt8>) throws(JSONFault) -> JSONNumber {
    let start = position
    let number = try decimal(bytes)
    if number.isInteger, let integer = number.digits.integer(isNegative: number.isNegative) {
      return JSONNumber(start: start, end: position, value: Double(integer), integer: integer)
    }
    let value = number.digits.value(exponent: number.exponent, isNegative: number.isNegative) ?? exact(bytes, from: start)
    guard value.isFinite else { throw fault(.numberOutOfRange, at: start) }
    return JSONNumber(start: start, end: position, value: value, integer: nil)
  }

  /// Moves past a number that nobody asks for, which may be larger than any double.
  public mutating func skipNumber(_ bytes: Span<UInt8>) throws(JSONFault) {
    if let number = Plain.number(bytes, at: position) { position = number.end } else { _ = try decimal(bytes) }
  }

  /// Moves past a number by its grammar.
  private mutating func decimal(_ bytes: Span<UInt8>) throws(JSONFault) -> Decimal {
    let isNegative = try peek(bytes) == UInt8(ascii: "-")
    if isNegative { position += 1 }
    var digits = DecimalDigits()
    try integerPart(bytes, &digits, isNegative: isNegative)
    var isInteger = true
    var exponent = 0
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      let fractionStart = position
      try someDigits(bytes, &digits)
      exponent = fractionStart - position
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      position += 1
      exponent += try exponentPart(bytes)
    }
    return Decimal(digits: digits, exponent: exponent, isNegative: isNegative, isInteger: isInteger)
  }

  private mutating func integerPart(
    _ bytes: Span<UInt8>, _ digits: inout DecimalDigits, isNegative: Bool
  ) throws(JSONFault) {
    guard position < bytes.count else { throw .unexpectedEnd }
    if bytes[position] == UInt8(ascii: "0") {
      position += 1
      // A leading zero stands alone.
      guard position == bytes.count || bytes[position] &- 0x30 > 9 else { throw .invalidNumber }
      return
    }
    guard bytes[position] &- 0x30 <= 9 else { throw isNegative ? .invalidNumber : .unexpectedByte }
    try someDigits(bytes, &digits)
  }

  private mutating func someDigits(_ bytes: Span<UInt8>, _ digits: inout DecimalDigits) throws(JSONFault) {
    let start = position
    while position < bytes.count {
      let digit = bytes[position] &- 0x30
      guard digit <= 9 else { break }
      digits.append(digit)
      position += 1
    }
    guard position > start else { throw position == bytes.count ? .unexpectedEnd : .invalidNumber }
  }

  private mutating func exponentPart(_ bytes: Span<UInt8>) throws(JSONFault) -> Int {
    guard position < bytes.count else { throw .unexpectedEnd }
    let isNegative = bytes[position] == UInt8(ascii: "-")
    if isNegative || bytes[position] == UInt8(ascii: "+") { position += 1 }
    let start = position
    var exponent = 0
    while position < bytes.count, bytes[position] &- 0x30 <= 9 {
      // Far beyond any double; the slow way settles what the text means.
      exponent = min(exponent * 10 + Int(bytes[position] & 0x0f), 100_000)
      position += 1
    }
    guard position > start else { throw position == bytes.count ? .unexpectedEnd : .invalidNumber }
    return isNegative ? -exponent : exponent
  }

  /// The standard library's reading of the same text: right in every case, and it allocates.
  private func exact(_ bytes: Span<UInt8>, from start: Int) -> Double {
    var text: [UInt8] = []
    text.reserveCapacity(position - start)
    for index in start..<position { text.append(bytes[index]) }
    return Double(String(decoding: text, as: UTF8.self)) ?? .nan
  }
}

/// What stands in the bytes of a number.
private struct Decimal {
  let digits: DecimalDigits
  /// Of ten, for the digits without their point.
  let exponent: Int
  let isNegative: Bool
  /// Without fraction and exponent.
  let isInteger: Bool
}

/// The digits of a number without sign, point and exponent.
struct DecimalDigits {
  private var significand: UInt64 = 0
  private var overflows = false

  @inline(__always)
  mutating func append(_ digit: UInt8) {
    // (2^64 − 10) / 10, so that the next step cannot overflow.
    if significand > 1_844_674_407_370_955_160 { overflows = true }
    significand = significand &* 10 &+ UInt64(digit)
  }

  func integer(isNegative: Bool) -> Int64? {
    guard !overflows else { return nil }
    if isNegative { return significand <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- significand) : nil }
    return Int64(exactly: significand)
  }

  /// Nil where only a longer calculation is exact.
  func value(exponent: Int, isNegative: Bool) -> Double? {
    guard !overflows, significand <= 1 << 53, exponent >= -22, exponent <= 22 else { return nil }
    var power = 1.0
    // Each product up to 10^22 is exact.
    for _ in 0..<abs(exponent) { power *= 10 }
    let magnitude = exponent < 0 ? Double(significand) / power : Double(significand) * power
    return isNegative ? -magnitude : magnitude
  }
}
