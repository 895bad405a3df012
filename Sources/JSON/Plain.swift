// SPDX-License-Identifier: Apache-2.0

// What nearly every string and number of an event looks like, told by a few words at a time and without a loop over
// bytes: ASCII without escapes, and digits with at most one point. Whatever is not plain, or stands too close to the end
// of the bytes, is nil here and read by `JSONCursor` byte by byte; nothing is plain that it would refuse.

/// The short ways of `JSONCursor`.
public enum Plain {
  /// The index of the closing quote of a string of printable ASCII without escapes; nil for any other string.
  ///
  /// - Parameter start: behind the opening quote.
  @inlinable @inline(__always)
  public static func stringEnd(_ bytes: Span<UInt8>, from start: Int) -> Int? {
    var index = start
    while let (low, high) = Word.pair(bytes, index) {
      let lowMarks = Word.stringMarks(in: low)
      let highMarks = Word.stringMarks(in: high)
      guard lowMarks | highMarks != 0 else {
        index &+= 16
        continue
      }
      // Which of the two words it is is a choice of values, no branch: lengths around eight cannot be guessed.
      let isLow = lowMarks != 0
      let shift = (isLow ? lowMarks : highMarks).trailingZeroBitCount & 0x38
      let end = index &+ shift &>> 3 &+ (isLow ? 0 : 8)
      let byte = UInt8(truncatingIfNeeded: (isLow ? low : high) &>> UInt64(truncatingIfNeeded: shift))
      return byte == UInt8(ascii: "\"") ? end : nil
    }
    return nil
  }

  /// A plain number; small enough to be returned in registers.
  public struct Number {
    public let value: Double
    public let end: Int
    public let isInteger: Bool

    @inlinable @inline(__always)
    init(value: Double, end: Int, isInteger: Bool) {
      self.value = value
      self.end = end
      self.isInteger = isInteger
    }
  }

  /// A number of digits alone, 15 at most, or of 7 at most, a point and 8 at most, with a comma or a brace behind it.
  @inlinable @inline(__always)
  public static func number(_ bytes: Span<UInt8>, at start: Int) -> Number? {
    guard let (low, high) = Word.pair(bytes, start) else { return nil }
    let digits = low ^ 0x3030_3030_3030_3030
    let count = Word.digitCount(digits)
    // A leading zero stands alone.
    guard count > 0, count == 1 || digits & 0xff != 0 else { return nil }
    if count == 8 { return integer(bytes, start, digits, high ^ 0x3030_3030_3030_3030) }
    let whole = Word.decimal(digits &<< UInt64(truncatingIfNeeded: 64 &- count &* 8))
    let next = UInt8(truncatingIfNeeded: low &>> UInt64(truncatingIfNeeded: count &* 8))
    if next == UInt8(ascii: ".") { return fraction(bytes, start &+ count &+ 1, whole) }
    guard next == UInt8(ascii: ",") || next == UInt8(ascii: "}") else { return nil }
    return Number(value: Double(Int64(truncatingIfNeeded: whole)), end: start &+ count, isInteger: true)
  }

  /// A number that begins with eight digits.
  @inlinable @inline(__always)
  static func integer(_ bytes: Span<UInt8>, _ start: Int, _ digits: UInt64, _ more: UInt64) -> Number? {
    let count = Word.digitCount(more)
    guard count < 8, let (last, _) = Word.pair(bytes, start &+ count) else { return nil }
    let next = UInt8(truncatingIfNeeded: more &>> UInt64(truncatingIfNeeded: count &* 8)) ^ 0x30
    guard next == UInt8(ascii: ",") || next == UInt8(ascii: "}") else { return nil }
    let first = count == 0 ? 0 : digits &<< UInt64(truncatingIfNeeded: 64 &- count &* 8)
    let value = Word.decimal(first) &* 100_000_000 &+ Word.decimal(last ^ 0x3030_3030_3030_3030)
    return Number(value: Double(Int64(truncatingIfNeeded: value)), end: start &+ 8 &+ count, isInteger: true)
  }

  /// - Parameters:
  ///   - place: behind the point.
  ///   - whole: what stands before it, below 10^7.
  @inlinable @inline(__always)
  static func fraction(_ bytes: Span<UInt8>, _ place: Int, _ whole: UInt64) -> Number? {
    guard let (word, high) = Word.pair(bytes, place) else { return nil }
    let digits = word ^ 0x3030_3030_3030_3030
    let count = Word.digitCount(digits)
    let bits = UInt64(truncatingIfNeeded: count &* 8)
    let next = UInt8(truncatingIfNeeded: count == 8 ? high : word &>> bits)
    guard count > 0, next == UInt8(ascii: ",") || next == UInt8(ascii: "}") else { return nil }
    let kept = count == 8 ? digits : digits & ((1 &<< bits) &- 1)
    // Always eight digits: both numbers are exact in a double, so their quotient is the double nearest to the text
    // (Clinger 1990), and a division by a constant needs no table.
    let significand = Int64(truncatingIfNeeded: whole &* 100_000_000 &+ Word.decimal(kept))
    return Number(value: Double(significand) / 100_000_000, end: place &+ count, isInteger: false)
  }
}
