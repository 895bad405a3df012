// SPDX-License-Identifier: Apache-2.0

// What is committed is what is read, once, and as often as it was sent with another digest.

import Platform
import Storage
import Testing
import TimeSeries

@Test func anAcknowledgedCommitIsOnDisk() throws {
  // 2 is FULL: with NORMAL the newest commits could vanish with the power.
  let folder = Folder()
  let store = try folder.open()
  #expect(try store.synchronousLevel() == 2)
  #expect(try folder.reopen(store).synchronousLevel() == 2)
}

@Test func countsAndHistogramsReadBackExactly() throws {
  let folder = Folder()
  var store = try folder.open()
  try store.commit(
    nothing.counting("hits_total", ["cache": "a", "tier": "L1"], at: 10_000, 5)
      .counting("hits_total", ["cache": "a", "tier": "L1"], at: 20_000, 7)
      .counting("hits_total", ["cache": "größe \"1\"\\"], at: 10_000, 1 << 60)
      .measuring("d_seconds", ["cache": "a"], at: 10_000, [0: 1, 40: 2, 143: 3], sum: 0.1)
      .sampling("entries", ["cache": "a"], at: 12_345, 2.5))
  let totals = [
    #"hits_total{cache="a",tier="L1"} @0 12"#,
    #"hits_total{cache="größe \"1\"\\"} @0 1152921504606846976"#,
    #"d_seconds{cache="a"} @0 6 ["0:1", "40:2", "143:3"] sum=0.1"#,
  ]
  let states = [
    #"hits_total{cache="a",tier="L1"} 12 latest=20000"#,
    #"hits_total{cache="größe \"1\"\\"} 1152921504606846976 latest=10000"#,
    #"d_seconds{cache="a"} n=6 sum=0.1 latest=10000"#,
    #"entries{cache="a"} = 2.5 latest=12345"#,
  ]
  #expect(try store.listing() == totals)
  #expect(store.states == states)
  store = try folder.reopen(store)
  #expect(try store.listing() == totals)
  #expect(store.states == states)
  #expect(try store.sampleCount(equalTo: 2.5, sinceMs: 12_345) { _ in true } == 1)
  #expect(try store.sampleCount(equalTo: 2.5, sinceMs: 12_346) { _ in true } == 0)
}

@Test func aWindowGrowsWithEveryBodyThatTouchesIt() throws {
  let folder = Folder()
  var store = try folder.open()
  let body = nothing.counting("hits_total", at: 10_000, 5).measuring("d_seconds", at: 10_000, [3: 1, 7: 2], sum: 0.25)
  try store.commit(body)
  store = try folder.reopen(store)
  try store.commit(body)
  try store.commit(nothing.measuring("d_seconds", at: 10_000, [7: 1, 9: 1], sum: 0.5))
  #expect(try store.listing() == ["hits_total @0 10", #"d_seconds @0 8 ["3:2", "7:5", "9:1"] sum=1.0"#])
  #expect(store.states == ["hits_total 10 latest=10000", "d_seconds n=8 sum=1.0 latest=10000"])
}

@Test func aLateWindowIsCountedWhereItBelongs() throws {
  let store = try Folder().open()
  try store.commit(nothing.counting("hits_total", at: 100_000, 1))
  try store.commit(nothing.counting("hits_total", at: 50_000, 2))
  try store.commit(nothing.counting("hits_total", at: 0, 4))
  #expect(try store.listing(step: 50_000) == ["hits_total @0 4", "hits_total @1 2", "hits_total @2 1"])
  #expect(store.states == ["hits_total 7 latest=100000"])
}

@Test func aRangeHoldsItsFirstWindowAndNotItsLast() throws {
  let store = try Folder().open()
  try store.commit(
    nothing.counting("hits_total", at: 10_000, 1).counting("hits_total", at: 20_000, 2).counting("hits_total", at: 30_000, 4)
      .measuring("d_seconds", at: 10_000, [1: 1], sum: 1).measuring("d_seconds", at: 20_000, [2: 1], sum: 2))
  #expect(try store.listing(from: 10_000, until: 30_000) == ["hits_total @0 3", #"d_seconds @0 2 ["1:1", "2:1"] sum=3.0"#])
  #expect(try store.listing(from: 10_001, until: 30_001) == ["hits_total @0 6", #"d_seconds @0 1 ["2:1"] sum=2.0"#])
  #expect(try store.listing(from: 20_000, until: 20_000) == [])
  let steps = try store.listing(from: 10_000, until: 40_000, step: 10_000)
  #expect(
    steps == [
      "hits_total @0 1", "hits_total @1 2", "hits_total @2 4", #"d_seconds @0 1 ["1:1"] sum=1.0"#,
      #"d_seconds @1 1 ["2:1"] sum=2.0"#,
    ])
}

@Test func aLateSampleDoesNotOverrideTheNewest() throws {
  let folder = Folder()
  var store = try folder.open()
  try store.commit(nothing.sampling("entries", at: 2_000, 20))
  try store.commit(nothing.sampling("entries", at: 1_000, 10))
  #expect(store.states == ["entries = 20.0 latest=2000"])
  try store.commit(nothing.sampling("entries", at: 2_000, 21).sampling("entries", at: 1_500, 15))
  #expect(store.states == ["entries = 21.0 latest=2000"], "of two samples of one time the later written counts")
  store = try folder.reopen(store)
  #expect(store.states == ["entries = 21.0 latest=2000"])
  #expect(try store.sampleCount(equalTo: 10, sinceMs: 0) { _ in true } == 1, "the late sample is kept")
  #expect(try store.sampleCount(equalTo: 20, sinceMs: 0) { _ in true } == 0)
}

@Test func aRepeatedBodyGetsTheFirstAnswerAndCountsNothing() throws {
  let folder = Folder()
  var store = try folder.open()
  let letter = DeadLetter(source: "events", line: 1, reason: "r", body: [1])
  let body = nothing.counting("hits_total", at: 0, 3)
  #expect(try store.commit(Submission(body, letters: [letter], key: DedupeKey(1), answer: "first")) == .committed)
  let first = CommitOutcome.duplicate(Answer(status: 200, body: Array("first".utf8)))
  #expect(try store.commit(Submission(body, letters: [letter], key: DedupeKey(1), answer: "second")) == first)
  #expect(try store.commit(Submission(body, key: DedupeKey(2), answer: "third")) == .committed)
  #expect(try store.commit(Submission(body)) == .committed, "without a key nothing is a repetition")
  store = try folder.reopen(store)
  #expect(try store.commit(Submission(body, key: DedupeKey(1), answer: "fourth")) == first)
  #expect(try store.listing() == ["hits_total @0 9"])
  #expect(try store.deadLetters(.all, before: nil, limit: 10).count == 1)
}

@Test func aRepetitionInTheSameGroupCountsOnce() throws {
  let store = try Folder().open()
  let gate = Monitor(false)
  let outcomes = Monitor<[Int: CommitOutcome]>([:])
  // The committer waits in the first completion until the others are queued, so those become one transaction.
  try store.submit(Submission(nothing.counting("hits_total", at: 0, 1))) { _ in _ = gate.wait(timeoutMs: 30_000) { $0 ? () : nil } }
  let waiting = Submission(nothing.counting("hits_total", at: 0, 100), key: DedupeKey(7), answer: "once")
  for index in 0..<3 {
    try store.submit(waiting) { outcome in outcomes.change { $0[index] = try? outcome.get() } }
  }
  gate.change { $0 = true }
  let got = try #require(outcomes.wait(timeoutMs: 30_000) { $0.count == 3 ? $0 : nil })
  let again = CommitOutcome.duplicate(Answer(status: 200, body: Array("once".utf8)))
  #expect(got == [0: .committed, 1: again, 2: again])
  #expect(try store.listing() == ["hits_total @0 101"])
  #expect(store.statistics.commits <= 3)
}

@Test func anExpiredDigestCountsAgain() throws {
  let store = try Folder().open()
  let body = nothing.counting("hits_total", at: 0, 1)
  func send(at receivedMs: Int64) throws -> Bool {
    try store.commit(Submission(body, key: DedupeKey(1, expires: 5_000), at: receivedMs)) == .committed
  }
  #expect(try send(at: 1_000))
  #expect(try !send(at: 4_999), "one millisecond before it expires")
  #expect(try send(at: 5_000))
  #expect(try store.listing() == ["hits_total @0 2"])
}

@Test func aFullQueueRefusesAndForgetsNothing() throws {
  let store = try Folder().open()
  let isBlocked = Monitor(false)
  let gate = Monitor(false)
  let answered = Monitor(0)
  try store.submit(Submission(nothing.counting("hits_total", at: 0, 1))) { _ in
    isBlocked.change { $0 = true }
    _ = gate.wait(timeoutMs: 30_000) { $0 ? () : nil }
  }
  try #require(isBlocked.wait(timeoutMs: 30_000) { $0 ? true : nil } != nil)
  let body = Submission(nothing.counting("hits_total", at: 0, 1))
  for _ in 0..<4_096 { try store.submit(body) { _ in answered.change { $0 += 1 } } }
  #expect(throws: StoreError.busy) { try store.submit(body) { _ in Issue.record("a refused body was answered") } }
  #expect(store.statistics.refusals == 1)
  #expect(store.statistics.waitingSubmissions == 4_096)
  gate.change { $0 = true }
  #expect(answered.wait(timeoutMs: 30_000) { $0 == 4_096 ? true : nil } == true)
  #expect(try store.listing() == ["hits_total @0 4097"])
}

@Test func closingWritesWhatWasSubmittedAndTakesNothingNew() throws {
  let folder = Folder()
  let store = try folder.open()
  let answered = Monitor(0)
  for _ in 0..<100 {
    try store.submit(Submission(nothing.counting("hits_total", at: 0, 1))) { outcome in
      if (try? outcome.get()) == .committed { answered.change { $0 += 1 } }
    }
  }
  let reopened = try folder.reopen(store)
  #expect(answered.withLock { $0 } == 100)
  #expect(try reopened.listing() == ["hits_total @0 100"])
  #expect(throws: StoreError.closed) { try store.submit(Submission(nothing)) { _ in } }
}
