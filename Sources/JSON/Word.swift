// SPDX-License-Identifier: Apache-2.0

// Bytes eight at a time without unsafe loads: the range is checked once, and the compiler turns the eight reads into
// one. Public for the reason given in `JSONCursor`.

/// Up to eight bytes as a number, the first byte lowest.
public enum Word {
  /// The bytes `start..<end`, at most eight of them, the rest zero.
  @inlinable @inline(__always)
  public static func load(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> UInt64 {
    let count = end - start
    if start + 8 <= bytes.count {
      let word = eight(bytes, start)
      return count >= 8 ? word : word & ((1 << UInt64(truncatingIfNeeded: count * 8)) &- 1)
    }
    var word: UInt64 = 0
    for index in 0..<min(count, 8) { word |= UInt64(bytes[start + index]) << UInt64(index * 8) }
    return word
  }

  /// The bytes `start..<start + 8`.
  @inlinable @inline(__always)
  public static func eight(_ bytes: Span<UInt8>, _ start: Int) -> UInt64 {
    // In this form two comparisons are left of the checks of the range and of eight reads; `start..<start + 8` alone
    // leaves five and an overflow check.
    guard start >= 0, start <= bytes.count &- 8 else { preconditionFailure("a word beyond the bytes") }
    return word(bytes.extracting(start..<start &+ 8), 0)
  }

  /// The bytes `start..<start + 16` as two words; nil where they are not all there.
  @inlinable @inline(__always)
  public static func pair(_ bytes: Span<UInt8>, _ start: Int) -> (low: UInt64, high: UInt64)? {
    guard start >= 0, start <= bytes.count &- 16 else { return nil }
    let piece = bytes.extracting(start..<start &+ 16)
    return (word(piece, 0), word(piece, 8))
  }

  @inlinable @inline(__always)
  static func word(_ piece: Span<UInt8>, _ start: Int) -> UInt64 {
    let low =
      UInt64(piece[start]) | UInt64(piece[start &+ 1]) << 8 | UInt64(piece[start &+ 2]) << 16
      | UInt64(piece[start &+ 3]) << 24
    let high =
      UInt64(piece[start &+ 4]) | UInt64(piece[start &+ 5]) << 8 | UInt64(piece[start &+ 6]) << 16
      | UInt64(piece[start &+ 7]) << 24
    return low | high << 32
  }

  /// The high bit of each byte that equals `byte`; bits above the lowest one set may be wrong.
  @inlinable @inline(__always)
  public static func marks(_ byte: UInt8, in word: UInt64) -> UInt64 {
    let zeroes = word ^ (0x0101_0101_0101_0101 &* UInt64(byte))
    return (zeroes &- 0x0101_0101_0101_0101) & ~zeroes & 0x8080_8080_8080_8080
  }

  /// The same for what ends the plain part of a JSON string: quote, backslash, control characters, beyond ASCII.
  @inlinable @inline(__always)
  public static func stringMarks(in word: UInt64) -> UInt64 {
    let controls = (word &- 0x2020_2020_2020_2020) & ~word
    return marks(0x22, in: word) | marks(0x5c, in: word) | (controls | word) & 0x8080_8080_8080_8080
  }

  /// Of each byte 1 where it equals `byte` and 0 elsewhere: sums of up to 255 such words count in each byte.
  @inlinable @inline(__always)
  public static func ones(_ byte: UInt8, in word: UInt64) -> UInt64 {
    let zeroes = word ^ (0x0101_0101_0101_0101 &* UInt64(byte))
    let others = ((zeroes & 0x7f7f_7f7f_7f7f_7f7f) &+ 0x7f7f_7f7f_7f7f_7f7f) | zeroes
    return (~others &>> 7) & 0x0101_0101_0101_0101
  }

  /// The sum of the eight bytes.
  @inlinable @inline(__always)
  public static func sum(_ word: UInt64) -> Int {
    let pairs = (word & 0x00ff_00ff_00ff_00ff) &+ (word &>> 8 & 0x00ff_00ff_00ff_00ff)
    return Int(truncatingIfNeeded: (pairs &* 0x0001_0001_0001_0001) &>> 48)
  }

  /// How many of the eight bytes, from the first on, are digits once `0x30` has been taken off each by an exclusive or.
  @inlinable @inline(__always)
  public static func digitCount(_ digits: UInt64) -> Int {
    let marks = ((digits &+ 0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080
    return marks.trailingZeroBitCount &>> 3
  }

  /// Eight digits, each a byte 0...9, the first one lowest, as a number: two, four, eight at a time.
  @inlinable @inline(__always)
  public static func decimal(_ digits: UInt64) -> UInt64 {
    let pairs = digits &* 10 &+ digits &>> 8
    let low = (pairs & 0x0000_00ff_0000_00ff) &* 0x000f_4240_0000_0064
    let high = (pairs &>> 16 & 0x0000_00ff_0000_00ff) &* 0x0000_2710_0000_0001
    return (low &+ high) &>> 32
  }

  /// Mixes two words into one: the halves of their 128-bit product, folded (as wyhash does).
  @inlinable @inline(__always)
  public static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }

  /// A hash of `start..<end`.
  @inlinable @inline(__always)
  public static func hash(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, seed: UInt64) -> UInt64 {
    var hash = seed ^ UInt64(truncatingIfNeeded: end - start)
    var index = start
    repeat {
      hash = mix(hash ^ load(bytes, index, end), 0x9e37_79b9_7f4a_7c15)
      index += 8
    } while index < end
    return hash
  }
}
