// SPDX-License-Identifier: Apache-2.0

// Who holds which revision, with the time passed in and with threads that poll at once.

import Foundation
import Server
import Synchronization
import Testing

/// A propagation at a time that the test sets.
private final class Watch: Sendable {
  let nowMs = Atomic<Int64>(1_000_000)

  func propagation(_ change: (inout Propagation.Limits) -> Void = { _ in }) -> Propagation {
    var limits = Propagation.Limits()
    change(&limits)
    return Propagation(limits: limits) { self.nowMs.load(ordering: .relaxed) }
  }

  func pass(_ ms: Int64) { nowMs.add(ms, ordering: .relaxed) }
}

private func standing(_ propagation: Propagation, since revision: Int64, flag: String = "f") -> [Int] {
  let standing = propagation.standing(environment: "production", flag: flag, sinceRevision: revision)
  return [standing.seen, standing.current]
}

extension Propagation {
  fileprivate func poll(_ instance: String, _ revision: Int64, flag: String? = "f", address: String = "") {
    acknowledge(environment: "production", flag: flag, instance: instance, address: address, revision: revision)
  }
}

@Test func aChangeHasReachedThoseWhoPolledSince() {
  let watch = Watch()
  let propagation = watch.propagation()
  #expect(standing(propagation, since: 1) == [0, 0])
  for instance in ["a", "b", "c"] { propagation.poll(instance, 7) }
  #expect(standing(propagation, since: 7) == [3, 3])
  #expect(standing(propagation, since: 8) == [3, 0])
  watch.pass(1_000)
  propagation.poll("a", 8)
  propagation.poll("b", 9)
  #expect(standing(propagation, since: 8) == [3, 2])
  #expect(standing(propagation, since: 8, flag: "g") == [0, 0], "another flag")
  let instances = propagation.instances(environment: "production", flag: "f", sinceRevision: 8)
  #expect(instances.map(\.name) == ["c", "a", "b"])
  #expect(instances.map(\.acknowledgedMs) == [nil, 1_001_000, 1_001_000])
  #expect(instances.map(\.firstSeenMs) == [1_000_000, 1_000_000, 1_000_000])
  #expect(instances.map(\.polls) == [1, 2, 2])
  #expect(instances.map(\.revision) == [7, 8, 9])
}

@Test func aLateAnswerFromAnOlderRevisionTakesNothingBack() {
  let propagation = Watch().propagation()
  propagation.poll("a", 9)
  propagation.poll("a", 8)
  #expect(standing(propagation, since: 9) == [1, 1])
}

@Test func whoPollsInBothWaysIsOneInstanceWithTheNewer() {
  let watch = Watch()
  let propagation = watch.propagation()
  propagation.poll("a", 1)
  propagation.poll("a", 2, flag: nil)
  propagation.poll("b", 2)
  propagation.poll("b", 1, flag: nil)
  propagation.poll("c", 1, flag: nil)
  propagation.poll("d", 1)
  #expect(standing(propagation, since: 2) == [4, 2])
  #expect(standing(propagation, since: 2, flag: "other") == [3, 1], "who polls all flags polls this one")
  watch.pass(5)
  propagation.poll("d", 3, flag: nil)
  let instances = propagation.instances(environment: "production", flag: "f", sinceRevision: 2)
  #expect(instances.map { "\($0.name) \($0.polls) \($0.isCurrent)" } == ["c 1 false", "a 2 true", "b 2 true", "d 2 true"])
}

@Test func whoVanishesCountsNoMoreAndIsThenForgotten() {
  let watch = Watch()
  let propagation = watch.propagation()
  propagation.poll("a", 1)
  propagation.poll("b", 1)
  watch.pass(300_000)
  #expect(standing(propagation, since: 1) == [2, 2], "at the bound")
  propagation.poll("b", 1)
  watch.pass(1)
  #expect(standing(propagation, since: 1) == [1, 1])
  #expect(propagation.instances(environment: "production", flag: "f", sinceRevision: 1).map(\.isExpired) == [true, false])
  watch.pass(3_600_000)
  propagation.poll("c", 1)
  #expect(propagation.instances(environment: "production", flag: "f", sinceRevision: 1).map(\.name) == ["c"])
  propagation.poll("a", 2)
  #expect(standing(propagation, since: 1) == [2, 2], "whoever comes back is seen again")
  #expect(propagation.instances(environment: "production", flag: "f", sinceRevision: 1).map(\.firstSeenMs) == [4_900_001, 4_900_001])
}

@Test func instancesAreBoundedAndTheVanishedMakeRoom() {
  let watch = Watch()
  let propagation = watch.propagation { $0.instancesMax = 10 }
  for number in 0..<10 { propagation.poll("i\(number)", 1) }
  #expect(propagation.droppedTotal == 0)
  propagation.poll("one more", 1)
  #expect(standing(propagation, since: 1) == [10, 10])
  #expect(propagation.droppedTotal == 1)
  propagation.poll("another flag's", 1, flag: "g")
  #expect(propagation.droppedTotal == 1)
  watch.pass(300_001)
  propagation.poll("i3", 2)
  propagation.poll("one more", 2)
  #expect(standing(propagation, since: 2) == [2, 2])
  let all = watch.propagation { $0.entriesMax = 3 }
  for number in 0..<5 { all.poll("x", 1, flag: "f\(number)") }
  #expect(all.droppedTotal == 2)
}

@Test func namesAreCutAndAddressesAreNoNames() {
  let propagation = Watch().propagation()
  let long = String(repeating: "ü", count: 70)
  propagation.poll(long, 1)
  propagation.poll(String(long.prefix(64)) + "other", 1)
  propagation.poll("", 1, address: "10.0.0.1")
  propagation.poll("", 1, address: "10.0.0.1")
  propagation.poll("", 1, address: "10.0.0.2")
  propagation.poll("10.0.0.1", 1)
  let instances = propagation.instances(environment: "production", flag: "f", sinceRevision: 1)
  #expect(instances.map { "\($0.name) \($0.isNamed) \($0.polls)" }.sorted() == [
    "10.0.0.1 false 2", "10.0.0.1 true 1", "10.0.0.2 false 1", "\(String(long.prefix(64))) true 2",
  ])
}

@Test func anInstanceThatPollsInAnotherWayHasHeldWhatItHeld() {
  let watch = Watch()
  let propagation = watch.propagation()
  propagation.poll("a", 1)
  watch.pass(10)
  propagation.poll("a", 2, flag: nil)
  watch.pass(10)
  propagation.poll("a", 3)
  let instances = propagation.instances(environment: "production", flag: "f", sinceRevision: 2)
  #expect(instances.map(\.acknowledgedMs) == [1_000_010])
}

@Test func ofManyChangesTheNewestAreRemembered() {
  let watch = Watch()
  let propagation = watch.propagation()
  for revision in Int64(1)...20 {
    propagation.poll("a", revision)
    watch.pass(10)
  }
  func acknowledged(_ revision: Int64) -> Int64? {
    propagation.instances(environment: "production", flag: "f", sinceRevision: revision)[0].acknowledgedMs
  }
  #expect(acknowledged(20) == 1_000_190)
  #expect(acknowledged(14) == 1_000_130)
  #expect(acknowledged(13) == nil, "nobody knows whether it held it before the oldest that is remembered")
  #expect(acknowledged(21) == nil)
}

@Test func threadsThatPollAtOnceLoseNobody() {
  let watch = Watch()
  let propagation = watch.propagation { $0.instancesMax = 3_000 }
  let threads = 8, names = 4_000, rounds = 3
  DispatchQueue.concurrentPerform(iterations: threads) { thread in
    for round in 1...rounds {
      for number in 0..<names {
        // Each thread in another order, so that they meet at new names as well as at known ones.
        let name = (number * 7 + thread * 511) % names
        propagation.poll("i\(name)", Int64(round), flag: name % 4 == 0 ? nil : "f")
      }
    }
  }
  #expect(propagation.droppedTotal == 0)
  #expect(standing(propagation, since: Int64(rounds)) == [names, names])
  let instances = propagation.instances(environment: "production", flag: "f", sinceRevision: 1)
  #expect(Set(instances.map(\.name)) == Set((0..<names).map { "i\($0)" }))
  #expect(instances.allSatisfy { $0.polls == threads * rounds })
  #expect(instances.allSatisfy { $0.revision == rounds })
}

@Test func atTheBoundThreadsKeepAsManyAsFit() {
  let propagation = Watch().propagation { $0.instancesMax = 500 }
  DispatchQueue.concurrentPerform(iterations: 8) { thread in
    for number in 0..<2_000 { propagation.poll("i\((number + thread * 250) % 2_000)", 1) }
  }
  #expect(standing(propagation, since: 1) == [500, 500])
  #expect(propagation.droppedTotal == 8 * 1_500)
}

@Test func tenThousandInstancesFindAPlace() {
  let propagation = Watch().propagation()
  for flag in 0..<10 { for number in 0..<10_000 { propagation.poll("i\(number)", 1, flag: "f\(flag)") } }
  #expect(propagation.droppedTotal == 0)
  for flag in 0..<10 { #expect(standing(propagation, since: 1, flag: "f\(flag)") == [10_000, 10_000]) }
}
