// SPDX-License-Identifier: Apache-2.0

// Random numbers that are the same on every machine for the same seed: xoshiro256** filled by SplitMix64
// (https://prng.di.unimi.it). Not for secrets.

/// A seeded generator; a copy continues the same sequence independently.
package struct SeededGenerator: RandomNumberGenerator, Equatable, Sendable {
  private var s0: UInt64
  private var s1: UInt64
  private var s2: UInt64
  private var s3: UInt64

  package init(seed: UInt64) {
    var fill = seed
    s0 = Self.splitMix(&fill)
    s1 = Self.splitMix(&fill)
    s2 = Self.splitMix(&fill)
    s3 = Self.splitMix(&fill)
  }

  package mutating func next() -> UInt64 {
    let result = Self.rotate(s1 &* 5, by: 7) &* 9
    let shifted = s1 &<< 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = Self.rotate(s3, by: 45)
    return result
  }

  /// 0 ..< bound; `bound` must be 1 ... 2^32. Its bias is below bound / 2^32, which no traffic shows.
  package mutating func below(_ bound: Int) -> Int {
    Int(((next() &>> 32) &* UInt64(truncatingIfNeeded: bound)) &>> 32)
  }

  /// 0 ..< 1 in steps of 2^-53.
  package mutating func unit() -> Double {
    Double(next() &>> 11) * 0x1p-53
  }

  /// True `perMillion` times in a million.
  package mutating func happens(perMillion: Int) -> Bool {
    below(1_000_000) < perMillion
  }

  /// A generator of its own for part `number`, so that one part's draws never move another's.
  package static func part(_ number: UInt64, ofSeed seed: UInt64) -> SeededGenerator {
    var fill = seed ^ (number &* 0xD1B5_4A32_D192_ED03)
    return SeededGenerator(seed: splitMix(&fill))
  }

  private static func splitMix(_ state: inout UInt64) -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z &>> 31)
  }

  private static func rotate(_ value: UInt64, by count: UInt64) -> UInt64 {
    (value &<< count) | (value &>> (64 &- count))
  }
}
