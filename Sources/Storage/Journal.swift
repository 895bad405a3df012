// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// What one transaction adds, as the one row that a commit writes for it however many series it touches. Only numbers:
// series are told by their ids.

/// What a transaction adds to windows and gauges, by series. Not merged: the head does that after the commit.
struct JournalEntries: Sendable {
  struct Count: Equatable {
    /// Index in the catalog; the series' id less one.
    var series: Int
    var window: CounterWindow
  }

  struct Distribution: Equatable {
    var series: Int
    var window: HistogramWindow
  }

  struct Sample: Equatable {
    var series: Int
    var sample: GaugeSample
  }

  var counts: [Count] = []
  var distributions: [Distribution] = []
  var samples: [Sample] = []

  var isEmpty: Bool { counts.isEmpty && distributions.isEmpty && samples.isEmpty }
}

// Three lists, each with its length first. Series and times are differences from the entry before.
extension JournalEntries {
  private static let version: UInt8 = 1
  /// Of one list; a transaction's entries are bounded by the committer's queue.
  private static let entriesMax = 1 << 28

  func encoded() -> [UInt8] {
    var writer = PackedWriter(capacity: counts.count * 5 + distributions.count * 48 + samples.count * 14 + 8)
    writer.byte(JournalEntries.version)
    var place = Place()
    writer.count(counts.count)
    for entry in counts {
      place.write(entry.series, entry.window.timeMs, to: &writer)
      writer.varint(UInt64(entry.window.increment))
    }
    writer.count(distributions.count)
    for entry in distributions {
      place.write(entry.series, entry.window.timeMs, to: &writer)
      writer.double(entry.window.sum)
      Histogram.writeCounted(entry.window.buckets, to: &writer)
    }
    writer.count(samples.count)
    for entry in samples {
      place.write(entry.series, entry.sample.timeMs, to: &writer)
      writer.double(entry.sample.value)
    }
    return writer.bytes
  }

  /// - Parameter seriesCount: how many series there are; an entry of any other is damage.
  init(decoding bytes: [UInt8], seriesCount: Int) throws(DamagedBytes) {
    var reader = PackedReader(bytes)
    guard try reader.byte() == JournalEntries.version else { throw DamagedBytes(offset: 0) }
    var place = Place()
    var total: Int64 = 0
    for _ in 0..<(try reader.count(max: JournalEntries.entriesMax)) {
      try place.read(&reader, seriesCount)
      let window = CounterWindow(startMs: place.timeMs, increment: Int64(try reader.count(max: Int.max)))
      counts.append(Count(series: place.series, window: window))
    }
    for _ in 0..<(try reader.count(max: JournalEntries.entriesMax)) {
      try place.read(&reader, seriesCount)
      let sum = try reader.double()
      let buckets = try Histogram.readCounted(&reader, total: &total)
      let window = HistogramWindow(startMs: place.timeMs, buckets: buckets, sum: sum)
      distributions.append(Distribution(series: place.series, window: window))
    }
    for _ in 0..<(try reader.count(max: JournalEntries.entriesMax)) {
      try place.read(&reader, seriesCount)
      samples.append(Sample(series: place.series, sample: GaugeSample(timeMs: place.timeMs, value: try reader.double())))
    }
    guard reader.isAtEnd else { throw reader.damage }
  }

  private struct Place {
    private(set) var series = 0
    private(set) var timeMs: Int64 = 0

    mutating func write(_ series: Int, _ timeMs: Int64, to writer: inout PackedWriter) {
      writer.signed(Int64(series - self.series))
      writer.signed(timeMs - self.timeMs)
      (self.series, self.timeMs) = (series, timeMs)
    }

    mutating func read(_ reader: inout PackedReader, _ seriesCount: Int) throws(DamagedBytes) {
      let (next, overflows) = series.addingReportingOverflow(Int(try reader.signed()))
      guard !overflows, (0..<seriesCount).contains(next) else { throw reader.damage }
      series = next
      timeMs &+= try reader.signed()
    }
  }
}
