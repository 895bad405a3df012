// SPDX-License-Identifier: Apache-2.0

// Bytes eight at a time without unsafe loads: `extracting` checks the range once, and the compiler turns the eight
// reads into one. Public for the reason given in `JSONCursor`.

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
    let piece = bytes.extracting(start..<start + 8)
    // It always is; said so that the compiler drops the checks of the eight reads.
    guard piece.count == 8 else { return 0 }
    let low =
      UInt64(piece[0]) | UInt64(piece[1]) << 8 | UInt64(piece[2]) << 16 | UInt64(piece[3]) << 24
    let high =
      UInt64(piece[4]) | UInt64(piece[5]) << 8 | UInt64(piece[6]) << 16 | UInt64(piece[7]) << 24
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
