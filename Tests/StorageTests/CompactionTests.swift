// SPDX-License-Identifier: Apache-2.0

// Moving the journal into blocks changes where windows lie and nothing else, wherever it is interrupted.

import Foundation
import GRDB
import Platform
import Storage
import Testing
import TimeSeries

/// What a store answers, window by window.
private struct Reading: Equatable {
  var sums: [String]
  var states: [String]
  var samples: Int64

  init(_ store: Store, stepMs: Int64 = 10_000) throws {
    sums = try store.listing(step: stepMs)
    states = store.states
    samples = try store.sampleCount(equalTo: 1, sinceMs: .min / 2) { _ in true }
  }
}

private func randomDelta(_ random: inout SeededRandom, caches: Int = 6, windows: Int64 = 6_000) -> BatchDelta {
  var delta = nothing
  for _ in 0..<20 {
    let labels = ["cache": "c\(Int.random(in: 0..<caches, using: &random))"]
    let startMs = Int64.random(in: 0..<windows, using: &random) * 10_000
    // Tenths: no double holds them, so the order of adding shows.
    let sum = Double(Int.random(in: 1...90, using: &random)) / 10
    let bucket = Int32.random(in: 0..<200, using: &random)
    delta = delta.counting("hits_total", labels, at: startMs, Int64.random(in: 0...500, using: &random))
      .measuring("d_seconds", labels, at: startMs, [bucket: 2, bucket + 3: 1], sum: sum)
      .sampling("entries", labels, at: startMs + Int64.random(in: 0..<10_000, using: &random), 1)
  }
  return delta
}

@Test func compactionLeavesEverySumAsItWas() throws {
  let seed = SeededRandom.seed(for: "compactionLeavesEverySumAsItWas")
  var random = SeededRandom(state: seed)
  let folder = Folder()
  var store = try folder.open()
  for _ in 0..<6 {
    for _ in 0..<10 { try store.commit(randomDelta(&random)) }
    let before = try Reading(store)
    try store.compact(nowMs: 60_000_000)
    #expect(try Reading(store) == before, "RAMPART_SEED=\(seed)")
    #expect(try folder.integers("SELECT count(*) FROM journal") == [0])
    store = try folder.reopen(store)
    #expect(try Reading(store) == before, "RAMPART_SEED=\(seed), reopened")
  }
  #expect(try folder.integers("SELECT count(*) FROM block") == [Int64(3 * 6 * 6)], "six spans of 10,240 s a series")
  let totals = try folder.integers(
    "SELECT sum(count) FROM block JOIN series ON series.id = series_id WHERE kind = 1 GROUP BY series_id ORDER BY series_id")
  #expect(totals == store.series.filter { $0.key.kind == .counter }.map(\.count))
}

@Test func whatTheJournalHoldsIsThereAfterACrash() throws {
  let seed = SeededRandom.seed(for: "whatTheJournalHoldsIsThereAfterACrash")
  var random = SeededRandom(state: seed)
  let folder = Folder()
  let store = try folder.open()
  for round in 0..<4 {
    for _ in 0..<8 { try store.commit(randomDelta(&random)) }
    let copy = try folder.crashed().open()
    #expect(try Reading(copy) == Reading(store), "RAMPART_SEED=\(seed)")
    try copy.close()
    if round == 1 { try store.compact(nowMs: 60_000_000) }
  }
}

/// Whoever closes a descriptor of a file gives up every lock of the process on it: without SQLite's on the log's index, a
/// reader from elsewhere cuts the index off and the process with it.
@Test func compactionGivesUpNoLockOfSQLite() throws {
  let folder = Folder()
  let store = try folder.open()
  for second in 0..<3 {
    try store.commit(nothing.counting("hits_total", at: Int64(second) * 20_000, 1))
    try store.compact(nowMs: 100_000)
  }
  let index = try FileManager.default.attributesOfItem(atPath: folder.path + "/" + Store.fileName + "-shm")
  let inode = try #require(index[.systemFileNumber] as? Int)
  let locks = try String(contentsOfFile: "/proc/locks", encoding: .utf8).split(separator: "\n")
  #expect(locks.contains { $0.contains(":\(inode) ") && $0.contains(" \(ProcessInfo.processInfo.processIdentifier) ") }, "\(locks)")
  try store.close()
}

@Test func lateWindowsJoinTheirBlocks() throws {
  let folder = Folder()
  let store = try folder.open()
  try store.commit(nothing.counting("hits_total", at: 0, 1).counting("hits_total", at: 40_000, 2).sampling("entries", at: 5_000, 5))
  try store.compact(nowMs: 100_000)
  try store.commit(nothing.counting("hits_total", at: 20_000, 4).counting("hits_total", at: 40_000, 8))
  try store.commit(nothing.sampling("entries", at: 1_000, 1).sampling("entries", at: 5_000, 6))
  try store.compact(nowMs: 100_000)
  #expect(try store.listing(step: 20_000) == ["hits_total @0 1", "hits_total @1 4", "hits_total @2 10"])
  #expect(try folder.integers("SELECT entries FROM block ORDER BY series_id") == [3, 2])
  #expect(try folder.integers("SELECT count FROM block ORDER BY series_id") == [15, 2])
  #expect(try folder.integers("SELECT last_ms FROM block ORDER BY series_id") == [40_000, 5_000])
  #expect(store.states == ["hits_total 15 latest=40000", "entries = 6.0 latest=5000"])
  #expect(try store.sampleCount(equalTo: 5, sinceMs: 0) { _ in true } == 0, "of two samples of one time the later counts")
}

@Test func windowsBefore1970HaveTheirBlocksToo() throws {
  let folder = Folder()
  var store = try folder.open()
  try store.commit(
    nothing.counting("hits_total", at: -10_000, 1).counting("hits_total", at: 0, 2)
      .counting("hits_total", at: -10_240_000, 4).counting("hits_total", at: -10_250_000, 8))
  let expected = try Reading(store)
  try store.compact(nowMs: 0)
  #expect(try folder.integers("SELECT start_ms FROM block ORDER BY start_ms") == [-20_480_000, -10_240_000, 0])
  #expect(try Reading(store) == expected)
  #expect(try store.listing(from: -10_240_000, until: 0) == ["hits_total @0 5"])
  store = try folder.reopen(store)
  #expect(try Reading(store) == expected)
}

@Test func aStoreReopenedWithAnotherWidthKeepsAllSums() throws {
  let folder = Folder()
  let keepAll = { (configuration: inout StoreConfiguration) in configuration.retention.rawMs = .max / 2 }
  var store = try folder.open(with: keepAll)
  try store.commit(nothing.counting("hits_total", at: 10_000, 1).measuring("d_seconds", at: 10_000, [1: 1], sum: 1))
  try store.compact(nowMs: 50_000)
  try store.commit(nothing.counting("hits_total", at: 10_000, 2).counting("hits_total", at: 30_000, 4))
  store = try folder.reopen(store) {
    keepAll(&$0)
    $0.widthMs = 5_000
  }
  #expect(try folder.integers("SELECT count(*) FROM journal") == [0], "what was in it has the old width")
  try store.commit(nothing.counting("hits_total", at: 10_000, 8).counting("hits_total", at: 15_000, 16))
  let expected = ["hits_total @0 27", "hits_total @1 4", #"d_seconds @0 1 ["1:1"] sum=1.0"#]
  #expect(try store.listing(from: 10_000, step: 20_000) == expected)
  try store.compact(nowMs: 50_000)
  #expect(try store.listing(from: 10_000, step: 20_000) == expected)
  #expect(try folder.integers("SELECT width_ms FROM block WHERE series_id = 1 ORDER BY width_ms") == [5_000, 10_000])
  store = try folder.reopen(store, with: keepAll)
  #expect(try store.listing(from: 10_000, step: 20_000) == expected)
  #expect(store.states == ["hits_total 31 latest=30000", "d_seconds n=1 sum=1.0 latest=10000"])
}

// MARK: Failures

/// Makes the n-th change of a table fail, counted over transactions; 0 lets all pass.
private struct Fault {
  let folder: Folder
  let operation: String

  func install() throws {
    try folder.sqlite().write { db in
      try db.execute(
        sql: """
          CREATE TABLE fault (remaining INTEGER NOT NULL);
          INSERT INTO fault VALUES (-1);
          CREATE TRIGGER fault_now BEFORE \(operation) WHEN (SELECT remaining FROM fault) >= 0
          BEGIN
            UPDATE fault SET remaining = remaining - 1;
            SELECT RAISE(ABORT, 'fault') WHERE (SELECT remaining FROM fault) < 0;
          END
          """)
    }
  }

  /// - Parameter number: from 1; 0 for none.
  func set(_ number: Int) throws {
    try folder.sqlite().write { try $0.execute(sql: "UPDATE fault SET remaining = ?", arguments: [number - 1]) }
  }
}

// Seventy series are two transactions, so that a failure may come after one that was kept.
private func seventySeries(_ random: inout SeededRandom) -> BatchDelta {
  (0..<70).reduce(nothing) { delta, number in
    let labels = ["cache": "c\(number)"]
    let startMs = Int64.random(in: 0..<4_000, using: &random) * 10_000
    switch number % 3 {
    case 0: return delta.counting("hits_total", labels, at: startMs, Int64.random(in: 1...9, using: &random))
    case 1: return delta.measuring("d_seconds", labels, at: startMs, [3: 1], sum: 0.1)
    default: return delta.sampling("entries", labels, at: startMs, 1)
    }
  }
}

@Test(arguments: ["INSERT ON block", "INSERT ON series_state", "DELETE ON journal"])
func aCompactionThatFailsAtAnyPointChangesNoSum(operation: String) throws {
  let seed = SeededRandom.seed(for: "aCompactionThatFailsAtAnyPointChangesNoSum(\(operation))")
  var random = SeededRandom(state: seed)
  let folder = Folder()
  // Only the test compacts.
  let configure = { (configuration: inout StoreConfiguration) in configuration.compaction.intervalMs = 3_600_000 }
  var store = try folder.open(with: configure)
  let fault = Fault(folder: folder, operation: operation)
  try store.commit(seventySeries(&random))
  try fault.install()
  var failures = 0
  for number in 1... {
    // Two rows of the journal.
    for _ in 0..<2 { try store.commit(seventySeries(&random)) }
    let before = try Reading(store)
    func expectUnchanged(_ store: Store, _ when: String) throws {
      let after = try Reading(store)
      #expect(after == before, "RAMPART_SEED=\(seed): \(operation) \(number), \(when)")
    }
    try fault.set(number)
    do {
      try store.compact(nowMs: 40_000_000)
      try expectUnchanged(store, "without a failure")
      break
    } catch StoreError.failed(_, let reason) {
      #expect(reason == "fault")
      failures += 1
    }
    try expectUnchanged(store, "then")
    let crashed = try folder.crashed().open(with: configure)
    try expectUnchanged(crashed, "after a crash")
    try crashed.close()
    if number.isMultiple(of: 4) {
      store = try folder.reopen(store, with: configure)
      try expectUnchanged(store, "reopened")
    }
    try fault.set(0)
    if number.isMultiple(of: 2) { try store.commit(nothing.counting("other_total", at: Int64(number) * 10_000, 1)) }
    let complete = try Reading(store)
    try store.compact(nowMs: 40_000_000)
    #expect(try Reading(store) == complete, "RAMPART_SEED=\(seed): \(operation) \(number), compacted again")
    #expect(try folder.integers("SELECT count(*) FROM journal") == [0], "\(operation) \(number)")
  }
  print("\(operation): failed \(failures) times")
  #expect(failures >= (operation == "DELETE ON journal" ? 2 : 70))
}

@Test func aStoreWhoseJournalOutlivedItsCompactionTakesAnotherWidth() throws {
  let folder = Folder()
  var store = try folder.open()
  let fault = Fault(folder: folder, operation: "DELETE ON journal")
  try fault.install()
  try store.commit(nothing.counting("hits_total", at: 10_000, 1))
  try fault.set(1)
  #expect(throws: StoreError.self) { try store.compact(nowMs: 50_000) }
  try fault.set(0)
  store = try folder.reopen(store) { $0.widthMs = 5_000 }
  try store.commit(nothing.counting("hits_total", at: 15_000, 2))
  store = try folder.reopen(store) { $0.widthMs = 5_000 }
  #expect(try store.listing() == ["hits_total @0 3"])
  store = try folder.reopen(store)
  #expect(try store.listing() == ["hits_total @0 3"])
}

// MARK: By itself

/// A window of now: by itself a compaction goes by the clock, and what is older than retention goes.
private let nowMs = floor(Clock.wallMs(), to: 10_000)

private func wait(until condition: () throws -> Bool) throws {
  let deadlineMs = Clock.monotonicMs() + 30_000
  while try !condition() {
    try #require(Clock.monotonicMs() < deadlineMs, "no compaction within 30 s")
    Thread.sleep(forTimeInterval: 0.01)
  }
}

@Test func aJournalPastItsBoundIsCompactedByItself() throws {
  let folder = Folder()
  let store = try folder.open {
    $0.compaction.journalBytesMax = 1_000
    $0.compaction.intervalMs = 3_600_000
  }
  var sent: Int64 = 0
  try wait {
    try store.commit(nothing.counting("hits_total", at: nowMs, 1))
    sent += 1
    return try folder.integers("SELECT count(*) FROM block") == [1]
  }
  #expect(sent > 50, "a row of some ten bytes each")
  #expect(try store.listing() == ["hits_total @0 \(sent)"])
}

@Test func aJournalPastItsBoundIsCompactedAfterTheStart() throws {
  let folder = Folder()
  var store = try folder.open { $0.compaction.intervalMs = 3_600_000 }
  for _ in 0..<100 { try store.commit(nothing.counting("hits_total", at: nowMs, 1)) }
  store = try folder.reopen(store) {
    $0.compaction.journalBytesMax = 1_000
    $0.compaction.intervalMs = 3_600_000
  }
  try wait { try folder.integers("SELECT count(*) FROM journal") == [0] }
  #expect(try store.listing() == ["hits_total @0 100"])
}

@Test func aJournalIsCompactedWhenItsTimeHasCome() throws {
  let folder = Folder()
  let store = try folder.open { $0.compaction.intervalMs = 50 }
  try store.commit(nothing.counting("hits_total", at: nowMs, 1))
  try wait { try folder.integers("SELECT count(*) FROM journal") == [0] }
  #expect(try folder.integers("SELECT count(*) FROM block") == [1])
  #expect(try store.listing() == ["hits_total @0 1"])
}

@Test func aCleanCloseLeavesEverythingInTheFileItself() throws {
  let folder = Folder()
  let store = try folder.open()
  try store.commit(nothing.counting("hits_total", at: 0, 1).sampling("entries", at: 7, 1))
  try store.compact(nowMs: 100_000)
  try store.commit(nothing.counting("hits_total", at: 0, 2).measuring("d_seconds", at: 0, [1: 1], sum: 0.1))
  let before = try Reading(store)
  try store.close()
  let copy = Folder()
  try FileManager.default.createDirectory(atPath: copy.path, withIntermediateDirectories: true)
  try FileManager.default.copyItem(atPath: folder.path + "/" + Store.fileName, toPath: copy.path + "/" + Store.fileName)
  #expect(try Reading(copy.open()) == before)
}

@Test func aCompactionSaysHowLongItHeldTheWriter() throws {
  let store = try Folder().open()
  #expect(store.statistics.longestCompactionHoldSeconds == 0)
  try store.commit(nothing.counting("hits_total", at: 0, 1))
  try store.compact(nowMs: 10_000)
  #expect(store.statistics.longestCompactionHoldSeconds > 0)
}

@Test func aLogThatHoldsLittleIsLeftAloneHoweverLargeItsFileIs() throws {
  let folder = Folder()
  let store = try folder.open()
  func changed() throws -> Date {
    try #require(FileManager.default.attributesOfItem(atPath: folder.path + "/" + Store.fileName)[.modificationDate] as? Date)
  }
  let letters = (0..<2_000).map { DeadLetter(source: "events", line: $0, reason: "test", body: [UInt8](repeating: 32, count: 4_096)) }
  let empty = try changed()
  try store.commit(Submission(nothing, letters: letters))
  try store.compact(nowMs: 10_000)
  // A compaction folds behind what it moves.
  try store.commit(Submission(nothing.counting("hits_total", at: 0, 1)))
  try store.compact(nowMs: 20_000)
  let folded = try changed()
  #expect(folded > empty)
  for body in 2..<5 as Range<Int64> {
    try store.commit(Submission(nothing.counting("hits_total", at: body * 10_000, 1)))
    try store.compact(nowMs: body * 10_000 + 10_000)
  }
  #expect(try changed() == folded)
}

@Test func theLogIsFoldedIntoTheFileWhileTheStoreIsOpen() throws {
  let folder = Folder()
  let store = try folder.open()
  // Some 16 MiB of log, far more than it may have.
  for body in 0..<40 as Range<Int64> {
    let letters = (0..<100).map { DeadLetter(source: "events", line: $0, reason: "test", body: [UInt8](repeating: 32, count: 4_096)) }
    try store.commit(Submission(nothing.counting("hits_total", at: body * 10_000, 1), letters: letters))
    try store.compact(nowMs: 1_000_000)
  }
  let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/" + Store.fileName + "-wal")
  #expect((attributes[.size] as? Int64 ?? .max) < 8 << 20)
}
