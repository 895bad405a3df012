// SPDX-License-Identifier: Apache-2.0

import Foundation

// Random numbers that a printed seed brings back: RAMPART_SEED=N plays a run again.

/// SplitMix64.
struct SeededRandom: RandomNumberGenerator {
  var state: UInt64

  /// From RAMPART_SEED where it is set, else a new seed. Printed, so that a failure can be played again.
  static func seed(for test: String) -> UInt64 {
    let given = ProcessInfo.processInfo.environment["RAMPART_SEED"].flatMap { UInt64($0) }
    let seed = given ?? UInt64.random(in: 0...UInt64.max)
    print("\(test): RAMPART_SEED=\(seed)")
    return seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
