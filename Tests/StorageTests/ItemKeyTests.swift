// SPDX-License-Identifier: Apache-2.0

// Items of a body that are recognised one by one.

import Platform
import Storage
import Testing
import TimeSeries

private func submission(_ ids: [UInt8], expires: Int64 = 1_000_000, at receivedMs: Int64 = 0, key: DedupeKey? = nil) -> Submission {
  let delta = BatchDelta().counting("hits_total", at: 0, Int64(ids.count))
  var submission = Submission(delta, key: key, answer: "answer", at: receivedMs)
  var keys = ItemKeys(expiresMs: expires)
  for id in ids { keys.append([UInt8](repeating: id, count: 32)) }
  submission.itemKeys = keys
  return submission
}

@Test func itemsThatWereCountedKeepTheirBodyOut() throws {
  let folder = Folder()
  var store = try folder.open()
  #expect(try store.commit(submission([1, 2, 3])) == .committed)
  #expect(try store.commit(submission([4, 2, 5, 1])) == .seen([1, 3]))
  #expect(try store.listing() == ["hits_total @0 3"])
  // Nothing of the refused body is remembered.
  #expect(try store.commit(submission([4, 5])) == .committed)
  #expect(try store.commit(submission([])) == .committed)
  store = try folder.reopen(store)
  #expect(try store.commit(submission([5])) == .seen([0]))
  #expect(try store.listing() == ["hits_total @0 5"])
}

@Test func aBodysKeyIsAskedBeforeItsItems() throws {
  let store = try Folder().open()
  #expect(try store.commit(submission([1], key: DedupeKey(1))) == .committed)
  #expect(try store.commit(submission([1], key: DedupeKey(1))) == .duplicate(Answer(status: 200, body: Array("answer".utf8))))
  #expect(try store.commit(submission([1], key: DedupeKey(2))) == .seen([0]))
  // The second key was not remembered with a body that was not counted.
  #expect(try store.commit(submission([2], key: DedupeKey(2))) == .committed)
}

@Test func itemsAreForgottenWithTheirTime() throws {
  let folder = Folder()
  let store = try folder.open()
  #expect(try store.commit(submission(Array(0..<200), expires: 1_000)) == .committed)
  #expect(try store.commit(submission([7], expires: 2_000, at: 999)) == .seen([0]))
  #expect(try store.commit(submission([7], expires: 2_000, at: 1_000)) == .committed)
  #expect(try store.commit(submission([7], expires: 3_000, at: 1_001)) == .seen([0]))
  #expect(try store.commit(submission(Array(100..<200), expires: 3_000, at: 1_002)) == .committed)
  #expect(try folder.integers("SELECT length(digests) FROM item_delivery ORDER BY id") == [16, 1_600])
}

@Test func twoBodiesInOneCommitShareTheirItems() throws {
  let store = try Folder().open()
  let gate = Monitor(false)
  let outcomes = Monitor<[Int: CommitOutcome]>([:])
  try store.submit(Submission(BatchDelta().counting("hits_total", at: 0, 1))) { _ in _ = gate.wait(timeoutMs: 30_000) { $0 ? () : nil } }
  for number in 0..<2 {
    try store.submit(submission([1, 2])) { result in outcomes.change { $0[number] = try? result.get() } }
  }
  gate.change { $0 = true }
  let both = outcomes.wait(timeoutMs: 30_000) { $0.count == 2 ? $0 : nil }
  #expect(both == [0: .committed, 1: .seen([0, 1])])
  #expect(try store.listing() == ["hits_total @0 3"])
}

@Test func theOldestItemsGoBeyondTheBound() throws {
  let folder = Folder()
  let store = try folder.open { $0.itemsMax = 4 }
  for ids in [[1, 2], [3, 4], [5, 6]] as [[UInt8]] { #expect(try store.commit(submission(ids)) == .committed) }
  #expect(try store.commit(submission([3, 5, 7])) == .seen([0, 1]))
  #expect(try store.commit(submission([1])) == .committed)
  #expect(try folder.integers("SELECT length(digests) FROM item_delivery ORDER BY id") == [32, 16])
}
