// SPDX-License-Identifier: Apache-2.0

// Which of many events are looked at closer: all while they are few, one of so many when there are more, so that the
// closer look costs the same however many come.

import JSON

/// Takes one event of every `step`, each as likely as the others: a place by chance in each stratum of so many, since a
/// step alone would meet the same key always where events repeat themselves. What is taken stands for `step` events, and
/// the sum of what it stands for is right on average, whenever `step` changes.
struct EventSampler {
  /// Further apart than any body's events can make it.
  private static let stepMax = 1 << 30

  private let perSecondMax: Int
  /// From 1.
  private(set) var step = 1
  /// Of the one that is taken, in its stratum.
  private var place = 0
  private var untilNext = 1
  /// With this step, in this second.
  private var taken = 0
  /// Events in this second, by what was taken of them.
  private var seen = 0
  private var startMs = Int64.min
  private var random: UInt64

  /// - Parameter perSecondMax: about how many are taken in a second; 0 for none.
  init(perSecondMax: Int, seed: UInt64) {
    self.perSecondMax = perSecondMax
    random = seed
    if perSecondMax == 0 { untilNext = .max }
  }

  /// Events received at a time come next. The step follows the rate of the second before.
  mutating func begin(atMs: Int64) {
    let (elapsedMs, overflows) = atMs.subtractingReportingOverflow(startMs)
    // Threads that share a decoder read the clock before they have it, so time may go back a little.
    guard perSecondMax > 0, overflows || !(-1_000..<1_000).contains(elapsedMs) else { return }
    // Where nothing came for a second, nothing is known of what comes.
    let isContinued = !overflows && (1_000..<2_000).contains(elapsedMs)
    let perSecond = isContinued ? Int(Double(seen) * 1_000 / Double(elapsedMs)) : 0
    step = min((perSecond + perSecondMax - 1) / perSecondMax, EventSampler.stepMax)
    if step < 1 { step = 1 }
    startMs = atMs
    seen = 0
    taken = 0
    place = nextPlace()
    untilNext = place + 1
  }

  /// Whether the next event is taken; then `take` has to be called.
  @inline(__always)
  mutating func takes() -> Bool {
    untilNext &-= 1
    return untilNext == 0
  }

  /// - Returns: how many events the one that is taken stands for.
  mutating func take() -> Int {
    let weight = step
    seen += step
    taken += 1
    let rest = step - 1 - place
    // More than was expected: with twice the step a second never takes many times what it should.
    if taken == perSecondMax, step < EventSampler.stepMax {
      step *= 2
      taken = 0
    }
    place = nextPlace()
    untilNext = rest + place + 1
    return weight
  }

  private mutating func nextPlace() -> Int {
    guard step > 1 else { return 0 }
    random = random &+ 0xa076_1d64_78bd_642f
    return Int(Word.mix(random, 0xe703_7ed1_a0b4_28db) >> 32) % step
  }
}
