// SPDX-License-Identifier: Apache-2.0

// Every bound of the store, at it and one past it.

import Foundation
import GRDB
import Storage
import Testing
import TimeSeries

private func hits(_ cache: String, tier: String = "L1", metric: String = "hits_total") -> BatchDelta {
  nothing.counting(metric, ["cache": cache, "tier": tier], at: 0, 1)
}

@Test func oneLabelValueTooManyIsFolded() throws {
  let folder = Folder()
  let limits = SeriesLimits(labelValuesMax: 3)
  var store = try folder.open(limits: limits)
  for cache in ["a", "b", "c"] { try store.commit(hits(cache)) }
  #expect(store.labelOverflows == 0)
  try store.commit(hits("d"))
  #expect(store.labelOverflows == 1)
  try store.commit(hits("a"))
  let expected = [
    #"hits_total{cache="a",tier="L1"} @0 2"#, #"hits_total{cache="b",tier="L1"} @0 1"#,
    #"hits_total{cache="c",tier="L1"} @0 1"#, #"hits_total{cache="__overflow__",tier="L1"} @0 1"#,
  ]
  #expect(try store.listing() == expected)
  store = try folder.reopen(store, limits: limits)
  try store.commit(hits("e"))
  try store.commit(hits("c", metric: "misses_total"))
  #expect(
    try store.listing() == expected.dropLast() + [
      #"hits_total{cache="__overflow__",tier="L1"} @0 2"#, #"misses_total{cache="c",tier="L1"} @0 1"#,
    ], "a known value stays itself for another metric")
}

@Test func labelValuesOfOneBodyCountTogether() throws {
  let store = try Folder().open(limits: SeriesLimits(labelValuesMax: 2))
  var delta = nothing
  for cache in ["a", "b", "c", "d"] { delta = delta.counting("hits_total", ["cache": cache], at: 0, 1) }
  try store.commit(delta)
  #expect(
    try store.listing() == [
      #"hits_total{cache="a"} @0 1"#, #"hits_total{cache="b"} @0 1"#, #"hits_total{cache="__overflow__"} @0 2"#,
    ])
}

@Test func oneSeriesTooManyIsFoldedInAllItsLabels() throws {
  let store = try Folder().open(limits: SeriesLimits(labelValuesMax: 100, seriesMax: 3))
  for cache in ["a", "b", "c", "d", "e", "f"] { try store.commit(hits(cache, tier: cache)) }
  try store.commit(hits("a", tier: "a"))
  #expect(
    try store.listing() == [
      #"hits_total{cache="a",tier="a"} @0 2"#, #"hits_total{cache="b",tier="b"} @0 1"#,
      #"hits_total{cache="c",tier="c"} @0 1"#, #"hits_total{cache="__overflow__",tier="__overflow__"} @0 3"#,
    ])
}

@Test func theOldestDeadLettersGoFirst() throws {
  let folder = Folder()
  let store = try folder.open(deadLettersMax: 5)
  func letters(_ lines: ClosedRange<Int>) -> Submission {
    Submission(
      nothing, letters: lines.map { DeadLetter(source: "events", line: $0, reason: "no JSON", body: [0, 255]) }, at: 7)
  }
  try store.commit(letters(1...5))
  #expect(try store.deadLetters(.all, before: nil, limit: 100).map(\.letter.line) == [5, 4, 3, 2, 1])
  try store.commit(letters(6...6))
  #expect(try store.deadLetters(.all, before: nil, limit: 100).map(\.letter.line) == [6, 5, 4, 3, 2])
  try store.commit(letters(7...30))
  let kept = try store.deadLetters(.all, before: nil, limit: 100)
  #expect(kept.map(\.letter.line) == [30, 29, 28, 27, 26])
  #expect(kept.first?.letter == DeadLetter(source: "events", line: 30, reason: "no JSON", body: [0, 255]))
  #expect(kept.first?.atMs == 7)
  #expect(try store.deadLetters(.all, before: nil, limit: 2).count == 2)
}

@Test func aFullStoreKeepsWhatItAcknowledged() throws {
  let folder = Folder()
  var store = try folder.open(sizeBytesMax: 1 << 20)
  let letter = DeadLetter(source: "events", line: 1, reason: "r", body: Array(repeating: 7, count: 16 << 10))
  var acknowledged: Int64 = 0
  var failure: StoreError?
  while failure == nil, acknowledged < 1_000 {
    do {
      try store.commit(Submission(nothing.counting("hits_total", at: acknowledged * 10_000, 1), letters: [letter]))
      acknowledged += 1
    } catch let error as StoreError {
      failure = error
    }
  }
  guard case .full = failure else {
    Issue.record("expected .full, got \(failure.map { "\($0)" } ?? "no error") after \(acknowledged) bodies")
    return
  }
  #expect(acknowledged > 10)
  #expect(try store.sizeBytes() <= 1 << 20)
  #expect(throws: StoreError.self, "a store without room is not ready") { try store.probe(nowMs: 1) }
  // The refused body left nothing behind, in the file or in memory.
  let expected = ["hits_total @0 \(acknowledged)"]
  #expect(try store.listing() == expected)
  #expect(store.states == ["hits_total \(acknowledged) latest=\((acknowledged - 1) * 10_000)"])
  #expect(store.statistics.commitFailures == 1)

  store = try folder.reopen(store, sizeBytesMax: 8 << 20)
  #expect(try store.listing() == expected)
  try store.probe(nowMs: 2)
  try store.commit(Submission(nothing.counting("hits_total", at: 0, 1), letters: [letter]))
  #expect(try store.listing() == ["hits_total @0 \(acknowledged + 1)"])
  let integrity = try folder.sqlite().read { try String.fetchOne($0, sql: "PRAGMA integrity_check") }
  #expect(integrity == "ok")
}

@Test func aFolderHasOneStoreAtATime() throws {
  let folder = Folder()
  let store = try folder.open()
  #expect(throws: StoreError.inUse(folder.path)) { try folder.open() }
  try store.commit(nothing.counting("hits_total", at: 0, 1))
  #expect(try store.listing() == ["hits_total @0 1"])
}

@Test func aFileThatIsNoDatabaseIsRefusedAndLeftAlone() throws {
  let folder = Folder()
  try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
  let file = folder.path + "/" + Store.fileName
  let content = Data(repeating: 0x41, count: 10_000)
  try content.write(to: URL(fileURLWithPath: file))
  do {
    _ = try folder.open()
    Issue.record("a text file was opened as a store")
  } catch {
    guard case .damaged(let reason) = error as? StoreError else { throw error }
    #expect(reason.contains(Store.fileName), "\(reason)")
  }
  #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == content)
}

@Test func aStoreOfANewerVersionIsRefused() throws {
  let folder = Folder()
  let store = try folder.open()
  try store.close()
  try FileManager.default.removeItem(atPath: folder.path + "/lock")
  try folder.sqlite().write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('999 from the future')") }
  do {
    _ = try folder.open()
    Issue.record("a newer store was opened")
  } catch {
    guard case .damaged(let reason) = error as? StoreError else { throw error }
    #expect(reason.contains("newer"), "\(reason)")
  }
}

@Test func aFolderThatCannotBeMadeIsNamed() throws {
  do {
    _ = try Store(StoreConfiguration(folder: "/proc/nowhere/data"))
    Issue.record("a store was opened in /proc")
  } catch {
    #expect("\(error)".contains("/proc/nowhere"), "\(error)")
  }
}
