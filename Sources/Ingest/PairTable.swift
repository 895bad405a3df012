// SPDX-License-Identifier: Apache-2.0

// From two words to a small number. A dictionary hashes with SipHash, which with the strings of series keys was 18 % of the
// time of a body with nine hundred series; the seed serves the same end here.

import JSON

/// Numbers distinct pairs of words.
struct PairTable {
  private struct Entry {
    var first: UInt64 = 0
    var second: UInt64 = 0
    /// -1 for an empty place.
    var number = -1
  }

  private let seed: UInt64
  private var count = 0
  /// A power of two, at most half full.
  private var entries = [Entry](repeating: Entry(), count: 64)

  init(seed: UInt64) {
    self.seed = seed
  }

  /// The number of a pair: the one it has, or `next` from now on.
  mutating func number(_ first: UInt64, _ second: UInt64, next: Int) -> Int {
    let slot = slot(first, second)
    if entries[slot].number >= 0 { return entries[slot].number }
    entries[slot] = Entry(first: first, second: second, number: next)
    count += 1
    if count * 2 > entries.count { grow() }
    return next
  }

  private mutating func grow() {
    let old = entries
    entries = Array(repeating: Entry(), count: old.count * 2)
    for entry in old where entry.number >= 0 { entries[slot(entry.first, entry.second)] = entry }
  }

  /// Where a pair is, or where it would go.
  @inline(__always)
  private func slot(_ first: UInt64, _ second: UInt64) -> Int {
    let hash = Word.mix(first ^ seed, second &+ 0x9e37_79b9_7f4a_7c15)
    var slot = Int(truncatingIfNeeded: Word.mix(hash, 0xd6e8_feb8_6659_fd93) >> 20) & (entries.count - 1)
    while entries[slot].number >= 0, entries[slot].first != first || entries[slot].second != second {
      slot = (slot + 1) & (entries.count - 1)
    }
    return slot
  }
}
