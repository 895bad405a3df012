// SPDX-License-Identifier: Apache-2.0

// Users of caches: exact over restarts and crashes, forgotten after an hour, bounded in memory and on disk.

import Foundation
import GRDB
import Platform
import Storage
import Testing
import TimeSeries

/// The start of a slice, so that what was before it is known.
private let nowMs = Clock.wallMs() / UserSlices.widthMs * UserSlices.widthMs

/// Registers of users by number, as any hash would spread them.
private func registers(_ users: Range<Int>) -> [UInt32] {
  users.map { number in
    var random = SeededRandom(state: UInt64(number))
    return UserRegister.word(hash: random.next())
  }
}

extension BatchDelta {
  fileprivate func seeing(_ users: Range<Int>, of cache: String = "a", at timeMs: Int64 = nowMs) -> BatchDelta {
    var delta = self
    let labels = Labels(metric: MetricFamily.activeUsers, [Label("service", "s"), Label("cache", cache)])
    delta.users.append(
      .init(series: delta.series.count, sliceStartMs: timeMs / UserSlices.widthMs * UserSlices.widthMs, registers: registers(users)))
    delta.series.append(SeriesKey(kind: .gauge, labels: labels))
    return delta
  }
}

extension Store {
  /// One entry a cache, ascending.
  fileprivate func users(at timeMs: Int64 = nowMs) -> [String] {
    let users = activeUsers(nowMs: timeMs)
    return series.compactMap { state in users[state.id].map { "\(state.key.labels["cache"] ?? "") \(Int($0))" } }.sorted()
  }

  fileprivate func see(_ users: Range<Int>, of cache: String = "a", at timeMs: Int64 = nowMs, receivedAt receivedMs: Int64 = nowMs) throws {
    try commit(Submission(nothing.seeing(users, of: cache, at: timeMs), at: receivedMs))
  }
}

@Test func usersAreCountedOnceHoweverOftenTheyAreSeen() throws {
  let folder = Folder()
  let store = try folder.open()
  try store.see(0..<100)
  try store.see(50..<150)
  try store.see(0..<150, at: nowMs - UserSlices.widthMs)
  try store.see(0..<3, of: "b")
  #expect(store.users() == ["a 150", "b 3"])
  #expect(try folder.integers("SELECT count(*) FROM user_slice") == [4])
  // What raises no register is not written.
  try store.see(20..<120)
  #expect(try folder.integers("SELECT count(*) FROM user_slice") == [4])
}

@Test func usersAreKeptOverRestartsAndCrashes() throws {
  let folder = Folder()
  var store = try folder.open()
  let seed = store.userSeed
  try store.see(0..<5_000)
  try store.see(4_000..<20_000, at: nowMs - 1_000_000)
  let before = store.users()
  let crashed = try folder.crashed().open()
  #expect(crashed.users() == before)
  #expect(crashed.userSeed == seed)
  store = try folder.reopen(store)
  #expect(store.users() == before)
  try store.see(0..<20_000)
  #expect(store.users() == before)
  #expect(try Folder().open().userSeed != seed)
}

@Test func aFailedCommitLeavesNoUsers() throws {
  let folder = Folder()
  var store = try folder.open()
  try store.see(0..<10)
  try folder.sqlite().write { db in
    try db.execute(sql: "CREATE TRIGGER refuses BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'refused'); END")
  }
  #expect(throws: StoreError.self) {
    try store.commit(Submission(nothing.seeing(5..<500).seeing(0..<7, of: "b").counting("hits_total", at: 0, 1), at: nowMs))
  }
  #expect(store.users() == ["a 10"])
  #expect(try folder.integers("SELECT count(*) FROM user_slice") == [1])
  try folder.sqlite().write { try $0.execute(sql: "DROP TRIGGER refuses") }
  // Had memory kept them, nothing would be written now.
  try store.see(5..<500)
  store = try folder.reopen(store)
  #expect(store.users().first.map { $0 > "a 49" && $0 < "a 51" } == true, "\(store.users())")
}

@Test func aBodyThatIsADuplicateShowsNobody() throws {
  let store = try Folder().open()
  try store.commit(Submission(nothing.seeing(0..<10), key: DedupeKey(1, expires: nowMs * 2), at: nowMs))
  try store.commit(Submission(nothing.seeing(10..<20), key: DedupeKey(1, expires: nowMs * 2), at: nowMs))
  #expect(store.users() == ["a 10"])
}

@Test func usersAreForgottenAfterAnHour() throws {
  let folder = Folder()
  var store = try folder.open()
  let width = UserSlices.widthMs
  try store.see(0..<10, at: nowMs - 2 * width)
  try store.see(10..<30, at: nowMs - width)
  try store.see(30..<60)
  // Dated ahead: counted once that time has come.
  try store.see(60..<70, at: nowMs + width)
  #expect(store.users() == ["a 60"])
  #expect(store.users(at: nowMs + width) == ["a 70"])
  let hourMs = UserSlices.spanMs
  #expect(store.users(at: nowMs - width + hourMs - 1) == ["a 70"])
  #expect(store.users(at: nowMs - width + hourMs) == ["a 60"])
  #expect(store.users(at: nowMs + hourMs) == ["a 40"])
  #expect(store.users(at: nowMs + hourMs + 3 * width) == [])
  // Any commit takes away what no longer counts.
  try store.commit(Submission(nothing.counting("hits_total", at: 0, 1), at: nowMs + hourMs))
  #expect(try folder.integers("SELECT DISTINCT start_ms FROM user_slice ORDER BY 1") == [nowMs, nowMs + width])
  #expect(store.users() == ["a 30"])
  store = try folder.reopen(store)
  #expect(store.users() == ["a 30"])
  try store.commit(Submission(nothing.counting("hits_total", at: 0, 1), at: nowMs + 2 * hourMs))
  #expect(try folder.integers("SELECT count(*) FROM user_slice") == [0])
}

@Test func manyRowsOfASliceBecomeOne() throws {
  let folder = Folder()
  var store = try folder.open()
  var most: Int64 = 0
  for user in 0..<300 {
    try store.see(user..<user + 1)
    if user % 10 == 0 { try store.see(user..<user + 1, of: "b") }
    most = max(most, try folder.integers("SELECT count(*) FROM user_slice WHERE series_id = 1")[0])
  }
  #expect(most == 63)
  let before = store.users()
  #expect(before.count == 2 && before[1] == "b 30")
  store = try folder.reopen(store)
  #expect(store.users() == before)
  for user in 300..<400 { try store.see(user..<user + 1) }
  #expect(try folder.integers("SELECT count(*) FROM user_slice WHERE series_id = 1")[0] < 64)
}

@Test func cachesBeyondTheBoundCountTheirUsersTogether() throws {
  let folder = Folder()
  var store = try folder.open { $0.userPlacesMax = 3 }
  try store.commit(Submission((0..<5).reduce(nothing) { $0.seeing($1 * 10..<$1 * 10 + 10, of: "c\($1)") }, at: nowMs))
  let expected = ["__overflow__ 20", "c0 10", "c1 10", "c2 10"]
  #expect(store.users() == expected)
  #expect(store.labelOverflows == 2)
  try store.see(100..<105, of: "c2")
  try store.see(200..<205, of: "c9")
  #expect(store.users() == ["__overflow__ 25", "c0 10", "c1 10", "c2 15"])
  #expect(store.series.count == 4)
  store = try folder.reopen(store) { $0.userPlacesMax = 3 }
  #expect(store.users() == ["__overflow__ 25", "c0 10", "c1 10", "c2 15"])
  // Where others have been forgotten there is room again.
  let laterMs = nowMs + 2 * UserSlices.spanMs
  try store.commit(Submission(nothing.counting("hits_total", at: 0, 1), at: laterMs))
  try store.see(0..<4, of: "c9", at: laterMs, receivedAt: laterMs)
  #expect(store.users(at: laterMs) == ["c9 4"])
}

@Test func bodiesInAnyOrderLeaveTheSameUsers() throws {
  var random = SeededRandom(state: SeededRandom.seed(for: "bodiesInAnyOrderLeaveTheSameUsers"))
  let bodies = (0..<40).map { _ in
    let first = Int.random(in: 0..<3_000, using: &random)
    return nothing.seeing(
      first..<first + Int.random(in: 0..<400, using: &random), of: ["a", "b", "c"].randomElement(using: &random)!,
      at: nowMs - Int64.random(in: 0..<UserSlices.spanMs, using: &random))
  }
  var results: Set<[String]> = []
  for _ in 0..<4 {
    let store = try Folder().open()
    for body in bodies.shuffled(using: &random) { try store.commit(Submission(body, at: nowMs)) }
    results.insert(store.users())
  }
  #expect(results.count == 1, "\(results)")
}
