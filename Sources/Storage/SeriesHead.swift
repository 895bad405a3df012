// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// The newest windows of a series, in memory: what is in the journal and in no block.

/// Windows or samples of one series; which of the three it has is its kind's.
struct SeriesHead: Sendable, Equatable {
  var counter = Timeline<CounterWindow>()
  var histogram = Timeline<HistogramWindow>()
  var gauge = Timeline<GaugeSample>()

  func merging(_ later: SeriesHead) -> SeriesHead {
    SeriesHead(
      counter: counter.merging(later.counter), histogram: histogram.merging(later.histogram),
      gauge: gauge.merging(later.gauge))
  }
}

/// Heads by series. Two generations: a compaction moves the frozen one into blocks while commits fill the other.
struct HeadTable: Sendable {
  private(set) var active: [Int: SeriesHead] = [:]
  private(set) var frozen: [Int: SeriesHead] = [:]
  /// The newest journal row whose entries are here; 0 for none.
  private(set) var journalID: Int64 = 0

  mutating func add(_ entries: JournalEntries, journalID: Int64) {
    for entry in entries.counts { active[entry.series, default: SeriesHead()].counter.add(entry.window) }
    for entry in entries.distributions { active[entry.series, default: SeriesHead()].histogram.add(entry.window) }
    for entry in entries.samples { active[entry.series, default: SeriesHead()].gauge.add(entry.sample) }
    self.journalID = journalID
  }

  /// Everything that the blocks lack of a series.
  func head(_ series: Int) -> SeriesHead? {
    guard let old = frozen[series] else { return active[series] }
    return active[series].map { old.merging($0) } ?? old
  }

  /// Makes what is here the frozen generation. Call it only when the last one is gone.
  mutating func freeze() {
    precondition(frozen.isEmpty, "a compaction is under way")
    swap(&active, &frozen)
  }

  /// Forgets frozen heads whose blocks are on disk.
  mutating func dropFrozen(_ series: some Sequence<Int>) {
    for index in series { frozen[index] = nil }
  }

  /// Puts what no block took back among the active ones, after a compaction that failed.
  mutating func thaw() {
    for (index, head) in frozen { active[index] = active[index].map { head.merging($0) } ?? head }
    frozen = [:]
  }
}
