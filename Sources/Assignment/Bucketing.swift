// SPDX-License-Identifier: Apache-2.0

// How a targeting key becomes a bucket. The algorithm's name is stored with each flag: a change of the arithmetic would
// ask other users, so it would be a new name beside this one, never an edit here.

/// The bucketing algorithms a flag may name.
package enum Bucketing: String, CaseIterable, Sendable {
  /// flagd's second: murmur3 x86 32, seed 0, over the UTF-8 bytes of salt and targeting key, no separator.
  case murmur3v2 = "murmur3-v2"

  /// Buckets are 0..<10000, so a percentage is fine to 0.01.
  package static let bucketCount = 10_000

  /// - Returns: 0..<10000. Allocates nothing.
  package static func bucket(salt: Span<UInt8>, targetingKey: Span<UInt8>) -> Int {
    scale(hash(salted(salt), targetingKey), to: bucketCount)
  }

  /// - Returns: 0..<10000.
  package static func bucket(salt: String, targetingKey: String) -> Int {
    bucket(salt: salt.utf8.span, targetingKey: targetingKey.utf8.span)
  }

  /// The hash after the salt, to be continued for each targeting key.
  package static func salted(_ salt: Span<UInt8>) -> Murmur3 {
    var murmur = Murmur3()
    murmur.update(salt)
    return murmur
  }

  /// - Parameter salted: of the salt.
  package static func hash(_ salted: Murmur3, _ targetingKey: Span<UInt8>) -> UInt32 {
    var murmur = salted
    murmur.update(targetingKey)
    return murmur.value
  }

  /// Maps a hash to 0..<`total` by its high bits, which keeps the order of hashes: growth only adds.
  package static func scale(_ hash: UInt32, to total: Int) -> Int {
    Int((UInt64(hash) * UInt64(total)) >> 32)
  }
}
