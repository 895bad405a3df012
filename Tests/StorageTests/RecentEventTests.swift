// SPDX-License-Identifier: Apache-2.0

// The log of recent events: in the transaction of its events, within its bound, read in rows.

import GRDB
import Storage
import Testing
import TimeSeries

private func chunk(_ fill: UInt8, bytes: Int = 10, events: Int = 1, sampled: Int = 0, of sampledOf: Int = 0, passedOver: Int = 0)
  -> RecentEventChunk
{
  RecentEventChunk(
    bytes: Array(repeating: fill, count: bytes), events: events, sampled: sampled, sampledOf: sampledOf, passedOver: passedOver)
}

private func keeping(_ chunk: RecentEventChunk, key: DedupeKey? = nil, at receivedMs: Int64 = 1_000) -> Submission {
  var submission = Submission(nothing.counting("hits_total", at: 0, 1), key: key, at: receivedMs)
  submission.recent = chunk
  return submission
}

extension Store {
  /// Events, bytes, those that are sampled, and how many they stand for.
  fileprivate var total: [Int] {
    get throws {
      let total = try recentEventTotal()
      return [total.events, total.bytes, total.sampled, total.sampledOf]
    }
  }

  /// The first byte of each row, newest first, and its size.
  fileprivate func rows(through id: Int64 = .max, bytesMax: Int = 1 << 20) throws -> [String] {
    try recentEvents(through: id, bytesMax: bytesMax).map { "\($0.bytes[0])*\($0.bytes.count)" }
  }
}

@Test func recentEventsAreThereOnceAndAfterACrash() throws {
  let folder = Folder()
  let store = try folder.open()
  #expect(try store.oldestRecentEventMs() == nil)
  try store.commit(keeping(chunk(1, events: 3, sampled: 2, of: 20, passedOver: 18), key: DedupeKey(1), at: 7))
  try store.commit(keeping(chunk(1), key: DedupeKey(1), at: 8))
  try store.commit(keeping(chunk(2, bytes: 5), at: 9))
  try store.commit(keeping(.empty, at: 10))
  #expect(try store.rows() == ["2*5", "1*10"])
  #expect(try store.total == [4, 15, 2, 20])
  #expect(try store.oldestRecentEventMs() == 7)
  let counts = store.statistics.recentEvents
  #expect([counts.stored, counts.evicted, counts.sampledOut] == [4, 0, 18])
  let crashed = try folder.crashed()
  let reopened = try crashed.open()
  #expect(try reopened.rows() == ["2*5", "1*10"])
  #expect(try reopened.total == [4, 15, 2, 20])
}

@Test func whatIsCountedBeforeKeepsNothing() throws {
  let store = try Folder().open()
  var submission = keeping(chunk(1))
  submission.replayed = [5]
  #expect(try store.commit(submission) == .seen([0]))
  #expect(try store.rows() == [])
}

@Test func recentEventsAreBoundedInBytes() throws {
  let store = try Folder().open { $0.recentEventBytesMax = 100 }
  for fill in 1...5 { try store.commit(keeping(chunk(UInt8(fill), bytes: 20, events: 2))) }
  #expect(try store.rows() == ["5*20", "4*20", "3*20", "2*20", "1*20"])
  try store.commit(keeping(chunk(6, bytes: 21)))
  #expect(try store.rows() == ["6*21", "5*20", "4*20", "3*20"])
  #expect(try store.recentEventTotal().bytes == 81)
  try store.commit(keeping(chunk(7, bytes: 101)))
  #expect(try store.rows() == [])
  #expect(try store.total == [0, 0, 0, 0])
  #expect(store.statistics.recentEvents.evicted == 12)
}

@Test func aLowerBoundIsReachedInSteps() throws {
  let folder = Folder()
  var store = try folder.open()
  for fill in 1...10 { try store.commit(keeping(chunk(UInt8(fill), bytes: 1 << 20))) }
  store = try folder.reopen(store) { $0.recentEventBytesMax = 2 << 20 }
  try store.commit(keeping(chunk(11)))
  #expect(try store.recentEventTotal().bytes == 5 << 20 | 10)
  for fill in 12...14 { try store.commit(keeping(chunk(UInt8(fill)))) }
  #expect(try store.recentEventTotal().bytes <= 2 << 20)
}

@Test func rowsAreReadInPiecesNewestFirst() throws {
  let store = try Folder().open()
  for fill in 1...6 { try store.commit(keeping(chunk(UInt8(fill), bytes: 100))) }
  #expect(try store.rows(bytesMax: 1) == ["6*100"])
  #expect(try store.rows(bytesMax: 200) == ["6*100", "5*100"])
  let ids = try store.recentEvents(through: .max, bytesMax: 1 << 20).map(\.id)
  #expect(try store.rows(through: ids[4], bytesMax: 150) == ["2*100", "1*100"])
  #expect(try store.rows(through: 0) == [])
}
