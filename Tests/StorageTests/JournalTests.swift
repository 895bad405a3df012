// SPDX-License-Identifier: Apache-2.0

// The rows of the journal, by what a store opened again makes of them.

import Foundation
import GRDB
import Storage
import Testing
import TimeSeries

private func readingAfterReopening(_ delta: BatchDelta) throws -> (before: [String], after: [String]) {
  let folder = Folder()
  let store = try folder.open()
  try store.commit(delta)
  let before = try store.listing(from: -.max / 4) + store.states
  let reopened = try folder.reopen(store)
  return (before, try reopened.listing(from: -.max / 4) + reopened.states)
}

@Test func everyNumberOfAJournalRowComesBack() throws {
  let delta = nothing
    .counting("a_total", at: 0, 0).counting("a_total", at: 10_000, 127).counting("a_total", at: -10_000, 128)
    .counting("b_total", at: 1_900_000_000_000, 1 << 62).counting("a_total", at: -1_900_000_000_000, 1)
    .measuring("d_seconds", at: 0, [0: 1, 237: 1 << 61], sum: 0.1).measuring("d_seconds", at: 10_000, [:], sum: 0)
    .sampling("entries", at: 1, -0.0).sampling("entries", at: 3, .infinity).sampling("bytes", at: -5, -1e300)
  let (before, after) = try readingAfterReopening(delta)
  #expect(before.count == 3 + 5, "three sums and five states")
  #expect(after == before)
}

@Test func aSampleThatIsNoNumberLeavesTheValueThereWas() throws {
  let (before, after) = try readingAfterReopening(nothing.sampling("entries", at: 1, 4).sampling("entries", at: 2, .nan))
  #expect(before == ["entries = 4.0 latest=2"])
  #expect(after == before)
}

@Test func aSeriesEndsInTheJournalAndInItsBlocks() throws {
  let folder = Folder()
  let store = try folder.open()
  try store.commit(nothing.sampling("level", at: 1_000, 1).sampling("level", at: 2_000, StaleMarker.value).sampling("level", at: 3_000, .nan))
  func bits(_ store: Store) throws -> [UInt64] {
    try store.reading("test") { snapshot in
      let source = StoreSource(snapshot, asOfMs: 10_000, widthMs: 10_000)
      var samples = SampleBuffer()
      let matcher = try Matcher("__name__", .equal, "level")
      for series in try source.series(matching: [matcher], fromMs: 0, throughMs: 10_000) {
        try source.appendSamples(of: series, fromMs: 0, throughMs: 10_000, to: &samples)
      }
      return samples.values.map { $0.isNaN && !StaleMarker.isStale($0) ? Double.nan.bitPattern : $0.bitPattern }
    }
  }
  let expected = [Double(1).bitPattern, StaleMarker.bits, Double.nan.bitPattern]
  #expect(try bits(store) == expected)
  try store.compact(nowMs: 10_000)
  #expect(try bits(store) == expected)
  try store.close()
  let reopened = try folder.open()
  #expect(try bits(reopened) == expected)
}

/// A folder with two series and one journal row of these bytes; `change` makes them from what was written.
private func folder(withRow change: ([UInt8]) -> [UInt8]) throws -> Folder {
  let folder = Folder()
  let store = try folder.open()
  try store.commit(
    nothing.counting("a_total", at: 10_000, 300).counting("a_total", at: 20_000, 5)
      .measuring("d_seconds", at: 10_000, [3: 1, 9: 2], sum: 0.5).sampling("entries", at: 12_345, 2.5))
  try store.close()
  try FileManager.default.removeItem(atPath: folder.path + "/lock")
  try folder.sqlite().write { db in
    let bytes = Array(try Data.fetchOne(db, sql: "SELECT data FROM journal") ?? Data())
    try db.execute(sql: "UPDATE journal SET data = ?", arguments: [Data(change(bytes))])
  }
  return folder
}

private let damages: [(what: String, change: @Sendable ([UInt8]) -> [UInt8])] = [
  ("nothing", { _ in [] }),
  ("another version", { [2] + $0.dropFirst() }),
  ("the last byte missing", { Array($0.dropLast()) }),
  ("a byte too many", { $0 + [0] }),
  ("a series that does not exist", { [1, 1, 6] + $0.dropFirst(3) }),
  ("a series before the first", { [1, 1, 1] + $0.dropFirst(3) }),
  ("more entries than bytes", { [1, 0xff, 0xff, 0xff, 0x7f] + $0.dropFirst(2) }),
]

@Test(arguments: damages.indices)
func aJournalRowThatWasNeverWrittenIsRefused(index: Int) throws {
  let what = damages[index].what
  let folder = try folder(withRow: damages[index].change)
  do {
    _ = try folder.open()
    Issue.record("\(what): opened")
  } catch {
    guard case .damaged(let reason) = error as? StoreError else { throw error }
    #expect(reason.hasPrefix("journal row 1: "), "\(what): \(reason)")
  }
}

@Test func damagedJournalRowsNeverTrap() throws {
  let seed = SeededRandom.seed(for: "damagedJournalRowsNeverTrap")
  var random = SeededRandom(state: seed)
  for _ in 0..<150 {
    let folder = try folder { original in
      var bytes = original
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        bytes[Int.random(in: 1..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      return bytes
    }
    do {
      _ = try folder.open().sums(fromMs: 0, untilMs: 1 << 50) { _ in true }
    } catch StoreError.damaged {
      continue
    }
  }
}
