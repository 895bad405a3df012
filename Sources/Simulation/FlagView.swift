// SPDX-License-Identifier: Apache-2.0

// What the simulated service knows of the flag it obeys. The command line fills it from polls; nothing here asks
// anyone. The bucketing is written out a second time on purpose: a service's own reading of the documented algorithm
// is what shows that the documentation suffices.

/// Whether a flag is on for a user.
package protocol FlagView {
  func isOn(userID: String) -> Bool
}

/// A flag that is on for everyone or for no one.
package struct UniformFlagView: FlagView, Sendable {
  private let isOnForAll: Bool

  package init(isOn: Bool) { isOnForAll = isOn }

  package func isOn(userID: String) -> Bool { isOnForAll }
}

/// A flag rolled out to a percentage of its users by `murmur3-v2`.
package struct RolloutFlagView: FlagView, Sendable {
  /// 0 ... 100.
  package var percent: Double
  private let salt: [UInt8]

  /// - Parameter salt: the flag's salt, by default its key.
  package init(percent: Double, salt: String) {
    self.percent = percent
    self.salt = Array(salt.utf8)
  }

  package func isOn(userID: String) -> Bool {
    // 12.34 * 100 is a little above 1,234; percentages have two decimals, so the nearest whole number is meant.
    bucket(userID: userID) < Int((percent * 100).rounded())
  }

  /// 0 ..< 10,000: murmur3 x86 32 with seed 0 over salt and user id, scaled.
  package func bucket(userID: String) -> Int {
    var hash = Murmur3()
    for byte in salt { hash.combine(byte) }
    for byte in userID.utf8 { hash.combine(byte) }
    return Int((UInt64(hash.finalized) * 10_000) >> 32)
  }
}

/// MurmurHash3_x86_32 with seed 0, a byte at a time (https://github.com/aappleby/smhasher).
struct Murmur3 {
  private var hash: UInt32 = 0
  private var block: UInt32 = 0
  private var count: UInt32 = 0

  mutating func combine(_ byte: UInt8) {
    block |= UInt32(byte) &<< (8 &* (count & 3))
    count &+= 1
    guard count & 3 == 0 else { return }
    hash ^= Self.mixed(block)
    hash = ((hash &<< 13) | (hash &>> 19)) &* 5 &+ 0xE654_6B64
    block = 0
  }

  var finalized: UInt32 {
    var h = count & 3 == 0 ? hash : hash ^ Self.mixed(block)
    h ^= count
    h = (h ^ (h &>> 16)) &* 0x85EB_CA6B
    h = (h ^ (h &>> 13)) &* 0xC2B2_AE35
    return h ^ (h &>> 16)
  }

  private static func mixed(_ block: UInt32) -> UInt32 {
    let k = block &* 0xCC9E_2D51
    return ((k &<< 15) | (k &>> 17)) &* 0x1B87_3593
  }
}
