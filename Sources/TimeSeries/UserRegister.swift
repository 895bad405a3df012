// SPDX-License-Identifier: Apache-2.0

// What one user raises in a sketch of users, and a table of such registers for while they are few. What the decoder asks
// once an event is public, so that it does not call across modules.

/// A register of a sketch and the rank it is raised to, in one word: the rank in the lowest six bits, the register in the
/// fifteen above it. 0 is none.
public enum UserRegister {
  /// 32,768 registers: a standard error of 0.57 %, so that 2 % is three and a half of them.
  @inlinable public static var precision: UInt64 { 15 }
  @inlinable public static var count: Int { 1 << 15 }
  @inlinable public static var rankBits: UInt32 { 6 }
  @inlinable public static var rankMask: UInt32 { 0x3f }
  /// Ranks are 1…50.
  @inlinable public static var rankMax: UInt32 { 64 - 15 + 1 }

  /// The register that a user's hash chooses and the rank it asks for (Flajolet et al., "HyperLogLog", 2007).
  ///
  /// - Parameter hash: every bit of it as good as random.
  @inlinable @inline(__always)
  public static func word(hash: UInt64) -> UInt32 {
    // The bit behind the last one ends the run of zeroes.
    let rest = hash &<< precision | 1 &<< (precision &- 1)
    let rank = UInt32(truncatingIfNeeded: rest.leadingZeroBitCount) &+ 1
    return UInt32(truncatingIfNeeded: hash &>> (64 &- precision)) &<< rankBits | rank
  }
}

/// The highest rank of each register that was raised.
struct UserRegisterTable {
  /// Words of registers, 0 for an empty slot; a power of two, at most half full.
  private var slots: [UInt32]
  /// How many registers were raised.
  private(set) var count = 0

  init() {
    slots = Array(repeating: 0, count: 64)
  }

  /// Raises a register, unless it is as high.
  mutating func raise(_ word: UInt32) {
    let slot = slot(of: word)
    let known = slots[slot]
    if known >= word { return }
    slots[slot] = word
    if known == 0 { grew() }
  }

  /// The rank of a register, 0 where nobody raised it.
  ///
  /// - Parameter word: of any rank.
  func rank(_ word: UInt32) -> UInt32 { slots[slot(of: word)] & UserRegister.rankMask }

  /// What was raised, in no order.
  var words: [UInt32] {
    var words: [UInt32] = []
    words.reserveCapacity(count)
    for word in slots where word != 0 { words.append(word) }
    return words
  }

  /// Where a register is, or where it would go. Registers are chosen by a hash, so they need none of their own.
  @inline(__always)
  private func slot(of word: UInt32) -> Int {
    let register = word &>> UserRegister.rankBits
    let mask = slots.count &- 1
    var slot = Int(truncatingIfNeeded: register) & mask
    while slots[slot] != 0, slots[slot] &>> UserRegister.rankBits != register { slot = (slot &+ 1) & mask }
    return slot
  }

  private mutating func grew() {
    count += 1
    guard count * 2 > slots.count else { return }
    let old = slots
    slots = Array(repeating: 0, count: old.count * 2)
    for word in old where word != 0 { slots[slot(of: word)] = word }
  }
}
