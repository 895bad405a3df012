// SPDX-License-Identifier: Apache-2.0

// MurmurHash3, x86, 32 bits, by Austin Appleby (public domain), fed in pieces. Not for hash tables that outsiders could
// attack: it is the field's common ground for assigning users to buckets, nothing more.

/// A murmur3 x86 32 hash being fed. A copy made after the salt can be kept, and continued for each targeting key.
package struct Murmur3: Equatable, Sendable {
  private var hash: UInt32
  /// Up to three bytes that wait for a full block, lowest first.
  private var pending: UInt32 = 0
  private var count: UInt32 = 0

  package init(seed: UInt32 = 0) {
    hash = seed
  }

  /// Allocates nothing.
  package mutating func update(_ bytes: Span<UInt8>) {
    // Four bytes at a time, since ingest hashes the user of each event; what a block lacks comes from the next word.
    let wordsEnd = bytes.count & ~3
    let shift = (count & 3) &* 8
    var index = 0
    while index < wordsEnd {
      let piece = bytes.extracting(index..<index &+ 4)
      let word = UInt32(piece[0]) | UInt32(piece[1]) << 8 | UInt32(piece[2]) << 16 | UInt32(piece[3]) << 24
      pending |= word &<< shift
      mixPendingBlock()
      pending = UInt32(truncatingIfNeeded: UInt64(word) &>> UInt64(32 &- shift))
      index &+= 4
    }
    count &+= UInt32(truncatingIfNeeded: wordsEnd)
    while index < bytes.count {
      pending |= UInt32(bytes[index]) &<< ((count & 3) &* 8)
      count &+= 1
      if count & 3 == 0 { mixPendingBlock() }
      index &+= 1
    }
  }

  /// The hash of all bytes so far; the state may be fed on.
  package var value: UInt32 {
    var h = hash
    if count & 3 != 0 { h ^= Murmur3.scramble(pending) }
    h ^= count
    h ^= h &>> 16
    h &*= 0x85eb_ca6b
    h ^= h &>> 13
    h &*= 0xc2b2_ae35
    h ^= h &>> 16
    return h
  }

  private mutating func mixPendingBlock() {
    hash ^= Murmur3.scramble(pending)
    hash = (hash &<< 13 | hash &>> 19) &* 5 &+ 0xe654_6b64
    pending = 0
  }

  private static func scramble(_ block: UInt32) -> UInt32 {
    let k = block &* 0xcc9e_2d51
    return (k &<< 15 | k &>> 17) &* 0x1b87_3593
  }
}
