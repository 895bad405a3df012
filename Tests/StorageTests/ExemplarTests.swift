// SPDX-License-Identifier: Apache-2.0

// Exemplars: one a second for each bucket, the newest so many, with the transaction of their event.

import GRDB
import Storage
import Testing
import TimeSeries

extension BatchDelta {
  /// One observation with its exemplar.
  fileprivate func observing(_ bucket: Int32, _ id: String, at timeMs: Int64, cache: String = "a") -> BatchDelta {
    var delta = measuring("d_seconds", ["cache": cache], at: timeMs / 10_000 * 10_000, [bucket: 1], sum: 0.25)
    let start = delta.exemplarText.count
    delta.exemplarText += Array(id.utf8)
    delta.exemplars.append(
      .init(
        series: delta.distributions.last!.series, bucket: bucket, timeMs: timeMs, seconds: 0.25,
        text: start..<delta.exemplarText.count))
    return delta
  }
}

extension Store {
  fileprivate func observe(_ bucket: Int32, _ id: String, at timeMs: Int64, cache: String = "a", receivedAt receivedMs: Int64) throws {
    try commit(Submission(nothing.observing(bucket, id, at: timeMs, cache: cache), at: receivedMs))
  }

  /// One entry a bucket: cache, `le`, and the ids in their order.
  fileprivate func found(_ matchers: [Matcher] = [], from fromMs: Int64 = 0, through throughMs: Int64 = .max / 4) throws -> [String] {
    try #require(try exemplars(matchingAny: [matchers], fromMs: fromMs, throughMs: throughMs) { true }).map { series in
      #expect(series.labels.metricName == "d_seconds_bucket")
      let ids = series.exemplars.map { "\($0.id)@\($0.timeMs)" }.joined(separator: " ")
      return "\(series.labels["cache"] ?? "") \(series.labels["le"] ?? ""): \(ids)"
    }
  }

  fileprivate var newest: [String] {
    newestExemplars.flatMap { id, buckets in buckets.map { "\(id) \($0.key) \($0.value.id)" } }.sorted()
  }
}

@Test func aBucketTakesOneExemplarASecond() throws {
  let store = try Folder().open()
  try store.observe(0, "a", at: 5_000, receivedAt: 10_000)
  try store.observe(0, "b", at: 5_001, receivedAt: 10_999)
  try store.observe(1, "c", at: 5_002, receivedAt: 10_999)
  try store.observe(0, "d", at: 5_003, cache: "b", receivedAt: 10_999)
  #expect(store.newest == ["1 0 a", "1 1 c", "2 0 d"])
  try store.observe(0, "e", at: 5_004, receivedAt: 11_000)
  #expect(store.newest == ["1 0 e", "1 1 c", "2 0 d"])
  // An event from before is found, and is not the newest.
  try store.observe(0, "f", at: 4_000, receivedAt: 12_000)
  #expect(store.newest == ["1 0 e", "1 1 c", "2 0 d"])
  // A clock that was set back.
  try store.observe(0, "g", at: 6_000, receivedAt: 7_000)
  #expect(try store.found() == ["a 1e-06: f@4000 a@5000 e@5004 g@6000", "a 2e-06: c@5002", "b 1e-06: d@5003"])
}

@Test func exemplarsAreFoundByLabelsAndTimes() throws {
  let store = try Folder().open()
  for (index, timeMs) in [1_000, 2_000, 3_000].enumerated() {
    let delta = nothing.observing(0, "a\(index)", at: Int64(timeMs)).observing(3, "b\(index)", at: Int64(timeMs), cache: "b")
    try store.commit(Submission(delta, at: Int64(index) * 1_000))
  }
  #expect(try store.found(from: 2_000, through: 2_999) == ["a 1e-06: a1@2000", "b 5e-06: b1@2000"])
  #expect(try store.found(from: 3_001).isEmpty && store.found(through: 999).isEmpty)
  let name = try Matcher("__name__", .equal, "d_seconds_bucket")
  #expect(try store.found([name, Matcher("cache", .equal, "b")]) == ["b 5e-06: b0@1000 b1@2000 b2@3000"])
  #expect(try store.found([name, Matcher("le", .matches, "1e-06|2e-06")], from: 3_000) == ["a 1e-06: a2@3000"])
  #expect(try store.found([Matcher("__name__", .equal, "d_seconds")]).isEmpty)
  #expect(try store.exemplars(matchingAny: [], fromMs: 0, throughMs: 9_000) { true }?.isEmpty == true)
  #expect(try store.exemplars(matchingAny: [[name]], fromMs: 0, throughMs: 9_000) { false } == nil)
  // Two selections that meet show nothing twice.
  let both = try store.exemplars(matchingAny: [[name], [name]], fromMs: 0, throughMs: 9_000) { true }
  #expect(both?.map(\.exemplars.count) == [3, 3])
}

@Test func exemplarsAreKeptOverRestartsAndCrashes() throws {
  let folder = Folder()
  var store = try folder.open()
  try store.observe(0, "a \"quoted\" ü", at: 1_000, receivedAt: 1_000)
  try store.observe(0, "b", at: 2_000, receivedAt: 2_000)
  let found = try store.found()
  let crashed = try folder.crashed().open()
  #expect(try crashed.found() == found)
  store = try folder.reopen(store)
  #expect(try store.found() == found)
  #expect(store.newest == ["1 0 b"])
}

@Test func aFailedCommitLeavesNoExemplar() throws {
  let folder = Folder()
  let store = try folder.open()
  try folder.sqlite().write { db in
    try db.execute(sql: "CREATE TRIGGER refuses BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'refused'); END")
  }
  #expect(throws: StoreError.self) { try store.observe(0, "a", at: 1_000, receivedAt: 1_000) }
  #expect(store.newest == [])
  try folder.sqlite().write { try $0.execute(sql: "DROP TRIGGER refuses") }
  // Nor does it keep the next one away.
  try store.observe(0, "b", at: 1_000, receivedAt: 1_001)
  #expect(try store.found() == ["a 1e-06: b@1000"])
}

@Test func theNewestExemplarsAreKept() throws {
  let folder = Folder()
  var store = try folder.open { $0.exemplarsMax = 5 }
  for number in 0..<5 { try store.observe(Int32(number), "\(number)", at: 1_000, receivedAt: Int64(number) * 1_000) }
  #expect(try store.found().count == 5)
  #expect(store.newest.count == 5)
  try store.observe(5, "5", at: 1_000, receivedAt: 6_000)
  try store.observe(5, "6", at: 1_000, receivedAt: 7_000)
  // Memory has no more than the disk, though not the same.
  #expect(store.newest == ["1 1 1", "1 2 2", "1 3 3", "1 4 4", "1 5 6"])
  #expect(try folder.integers("SELECT count(*) FROM exemplar") == [5])
  store = try folder.reopen(store) { $0.exemplarsMax = 5 }
  #expect(store.newest == ["1 2 2", "1 3 3", "1 4 4", "1 5 6"])
}
