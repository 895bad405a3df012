// SPDX-License-Identifier: Apache-2.0

// What a window costs on disk, with rows, pages and indexes.

import GRDB
import Storage
import Testing
import TimeSeries

private let seriesCount: Int64 = 40

/// Pages of `block` and its indexes for each entry, after nine hours that were compacted every ten minutes.
private func bytesPerEntry(_ seed: UInt64, _ add: (inout BatchDelta, _ startMs: Int64, inout SeededRandom) -> Void) throws -> Double {
  var random = SeededRandom(state: seed)
  let folder = Folder()
  let store = try folder.open { configuration in
    configuration.compaction.intervalMs = 86_400_000
    configuration.compaction.journalBytesMax = .max
  }
  for startMs in stride(from: 0 as Int64, to: 9 * 3_600_000, by: 600_000) {
    var delta = BatchDelta()
    for timeMs in stride(from: startMs, to: startMs + 600_000, by: 10_000) { add(&delta, timeMs, &random) }
    try store.commit(delta)
    try store.compact(nowMs: startMs)
  }
  let bytes = try folder.integers("SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%block%'")
  let entries = try folder.integers("SELECT sum(entries) FROM block")
  #expect(entries == [seriesCount * 9 * 360])
  return Double(bytes[0]) / Double(entries[0])
}

private func keys(_ kind: SeriesKind) -> [SeriesKey] {
  (0..<seriesCount).map { SeriesKey(kind: kind, labels: Labels(metric: "m", [Label("cache", "c\($0)")])) }
}

@Test(arguments: [40, 150] as [Int64])
func aWindowOfABusyCounterTakesAtMostTwoBytesOnDisk(mean: Int64) throws {
  let seed = SeededRandom.seed(for: "aWindowOfABusyCounterTakesAtMostTwoBytesOnDisk(\(mean))")
  let perWindow = try bytesPerEntry(seed) { delta, startMs, random in
    delta.series = keys(.counter)
    for series in delta.series.indices {
      // As wide as a Poisson distribution's middle 99 % around 150.
      let increment = Int64.random(in: mean - 30...mean + 30, using: &random)
      delta.counts.append(.init(series: series, windowStartMs: startMs, increment: increment))
    }
  }
  print("a counter around \(mean): \(perWindow) bytes a window on disk")
  #expect(perWindow <= 2, "RAMPART_SEED=\(seed)")
}

@Test func aSampleOfAGaugeThatMovesHalfOfTheTimeTakesAtMostOneAndAHalfBytesOnDisk() throws {
  let seed = SeededRandom.seed(for: "aSampleOfAGaugeThatMovesHalfOfTheTimeTakesAtMostOneAndAHalfBytesOnDisk")
  var values = Array(repeating: 5_000, count: Int(seriesCount))
  let perSample = try bytesPerEntry(seed) { delta, startMs, random in
    delta.series = keys(.gauge)
    for series in delta.series.indices {
      // Ten minutes of changes, ten of rest: a cache that fills, is full, and is emptied.
      if startMs / 600_000 % 2 == 0 { values[series] += Int.random(in: -20...20, using: &random) }
      delta.gauges.append(.init(series: series, timestampMs: startMs + 1_234, value: Double(values[series])))
    }
  }
  print("a gauge: \(perSample) bytes a sample on disk")
  #expect(perSample <= 1.5, "RAMPART_SEED=\(seed)")
}
