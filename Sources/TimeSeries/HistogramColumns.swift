// SPDX-License-Identifier: Apache-2.0

// Windows of a histogram as columns: how many observations each window has, their sums, and then bucket by bucket which
// windows have how many in it. A query for one bucket, or for the sums alone, reads these and passes over the others;
// windows one after the other would have to be read whole. docs/store.md says the layout for people who read the file.

/// The windows of one histogram, of which each column is read when it is asked for.
package struct HistogramColumns: Sendable {
  /// One bucket that some window has observations in.
  private struct Column {
    var bucket: Int
    /// Of all windows together.
    var count: Int64
    /// Where its entries are, in the bytes or in the array.
    var entries: Range<Int>
  }

  /// How many observations a window has in a bucket.
  private struct Entry {
    var window: Int32
    var count: Int64
  }

  private enum Content {
    case encoded([UInt8], counts: Range<Int>, sumsAt: Int)
    /// The entries are there once `prepareBuckets` was called.
    case windows([HistogramWindow], [Entry])
  }

  /// Of the windows; ascending.
  package let startsMs: [Int64]
  /// Observations of all windows.
  package let count: Int64
  /// Sum of all observations in seconds.
  package let sum: Double
  private var content: Content
  /// Ascending by bucket.
  private var columns: [Column]

  /// - Throws: where the bytes cannot have been written by `encoded`. What a column holds is looked at when it is read.
  package init(_ bytes: [UInt8], startMs: Int64, widthMs: Int64) throws(DamagedBytes) {
    var reader = PackedReader(bytes)
    guard try reader.byte() == HistogramColumns.form else { throw reader.damage }
    startsMs = try HistogramColumns.readStarts(&reader, startMs: startMs, widthMs: widthMs)
    sum = try reader.double()
    var columns: [Column] = []
    var end = 0
    var total: Int64 = 0
    for _ in 0..<(try reader.count(max: DurationBuckets.count)) {
      let previous = columns.last?.bucket ?? -1
      let bucket = previous + 1 + (try reader.count(max: DurationBuckets.count - 2 - previous))
      let (sum, overflows) = total.addingReportingOverflow(Int64(try reader.count(max: Int.max)))
      let length = try reader.count(max: bytes.count - end)
      guard !overflows else { throw reader.damage }
      columns.append(Column(bucket: bucket, count: sum - total, entries: end..<end + length))
      total = sum
      end += length
    }
    count = total
    let countsLength = try reader.count(max: bytes.count)
    let counts = reader.position..<reader.position + countsLength
    let columnsAt = counts.upperBound + startsMs.count * 8
    guard columnsAt + end == bytes.count else { throw reader.damage }
    self.columns = columns.map { column in
      let entries = column.entries.lowerBound + columnsAt..<column.entries.upperBound + columnsAt
      return Column(bucket: column.bucket, count: column.count, entries: entries)
    }
    content = .encoded(bytes, counts: counts, sumsAt: counts.upperBound)
  }

  /// Windows that are in no block of columns.
  package init(_ windows: Timeline<HistogramWindow>) {
    let windows = windows.entries
    startsMs = windows.map(\.timeMs)
    sum = windows.reduce(0) { $0 + $1.sum }
    count = windows.reduce(0) { $0 + $1.count }
    columns = []
    content = .windows(windows, [])
  }

  /// Makes columns of windows that came as they are, which buckets are then read from. Linear in what they hold, and
  /// nothing the second time.
  package mutating func prepareBuckets() {
    guard case .windows(let windows, _) = content, columns.isEmpty else { return }
    columns = (0..<DurationBuckets.count).map { Column(bucket: $0, count: 0, entries: 0..<0) }
    for window in windows {
      for entry in window.buckets {
        columns[Int(entry.bucket)].count += entry.count
        columns[Int(entry.bucket)].entries = 0..<columns[Int(entry.bucket)].entries.count + 1
      }
    }
    columns.removeAll { $0.count == 0 }
    var end = 0
    var next = Array(repeating: 0, count: DurationBuckets.count)
    for index in columns.indices {
      next[columns[index].bucket] = end
      columns[index].entries = end..<end + columns[index].entries.count
      end = columns[index].entries.upperBound
    }
    var entries = Array(repeating: Entry(window: 0, count: 0), count: end)
    for (index, window) in windows.enumerated() {
      for entry in window.buckets {
        entries[next[Int(entry.bucket)]] = Entry(window: Int32(index), count: entry.count)
        next[Int(entry.bucket)] += 1
      }
    }
    content = .windows(windows, entries)
  }

  // MARK: Reading

  /// Hands the number of observations of each window to `body`.
  package func forEachCount(_ body: (_ window: Int, _ count: Int64) -> Void) throws(DamagedBytes) {
    switch content {
    case .windows(let windows, _):
      for (index, window) in windows.enumerated() { body(index, window.count) }
    case .encoded(let bytes, let counts, _):
      var reader = PackedReader(bytes, at: counts.lowerBound)
      var left = count
      for window in startsMs.indices {
        let count = Int64(try reader.count(max: Int(left)))
        left -= count
        body(window, count)
      }
      guard left == 0, reader.position == counts.upperBound else { throw reader.damage }
    }
  }

  /// Hands the sum of each window's observations, in seconds, to `body`.
  package func forEachSum(_ body: (_ window: Int, _ sum: Double) -> Void) throws(DamagedBytes) {
    switch content {
    case .windows(let windows, _):
      for (index, window) in windows.enumerated() { body(index, window.sum) }
    case .encoded(let bytes, _, let sumsAt):
      var reader = PackedReader(bytes, at: sumsAt)
      for window in startsMs.indices { body(window, try reader.double()) }
    }
  }

  /// Adds what each window observed in one bucket to `counts`. `prepareBuckets` comes first.
  ///
  /// - Parameters:
  ///   - first: index in `counts` of the first window; those of the others follow.
  ///   - indices: the index of each window in its place; empty where they follow.
  /// - Returns: how many observations the bucket has.
  package func addBucket(
    _ bucket: Int, to counts: inout [Int64], at first: Int, or indices: [Int] = []
  ) throws(DamagedBytes) -> Int64 {
    guard let column = column(bucket) else { return 0 }
    // Nearly all of a query for one bucket is spent here: spans spare the array's checks on each entry.
    let indices = indices.span
    var target = counts.mutableSpan
    switch content {
    case .windows(_, let entries):
      for entry in entries[column.entries] {
        target[indices.isEmpty ? first + Int(entry.window) : indices[Int(entry.window)]] += entry.count
      }
    case .encoded(let bytes, _, _):
      var entries = EntryReader(column.entries, count: column.count, windows: startsMs.count)
      let bytes = bytes.span
      while let window = try entries.next(bytes) {
        target[indices.isEmpty ? first + window : indices[window]] += entries.count
      }
    }
    return column.count
  }

  /// Adds the observations of all windows to `counts`, one entry for each of `DurationBuckets`. `prepareBuckets` comes
  /// first.
  package func addTotals(to counts: inout [Int64]) {
    for column in columns { counts[column.bucket] += column.count }
  }

  /// All columns put together.
  package func windows() throws(DamagedBytes) -> Timeline<HistogramWindow> {
    let bytes: [UInt8]
    switch content {
    case .windows(let windows, _): return Timeline(sorted: windows)
    case .encoded(let encoded, _, _): bytes = encoded
    }
    var windows = startsMs.map { HistogramWindow(startMs: $0, buckets: [], sum: 0) }
    for column in columns {
      var entries = EntryReader(column.entries, count: column.count, windows: windows.count)
      while let window = try entries.next(bytes.span) {
        windows[window].buckets.append(.init(bucket: Int32(column.bucket), count: entries.count))
      }
    }
    try forEachSum { windows[$0].sum = $1 }
    var isSound = true
    try forEachCount { isSound = isSound && windows[$0].count == $1 }
    guard isSound else { throw DamagedBytes(offset: 0) }
    return Timeline(sorted: windows)
  }

  private func column(_ bucket: Int) -> Column? {
    var low = 0
    var high = columns.count
    while low < high {
      let middle = (low + high) / 2
      if columns[middle].bucket < bucket { low = middle + 1 } else { high = middle }
    }
    return low < columns.count && columns[low].bucket == bucket ? columns[low] : nil
  }

  // MARK: Layout

  /// The first byte.
  static let form: UInt8 = 4

  /// - Parameter windows: starts are multiples of `widthMs` from `startMs` on.
  static func encoded(_ windows: Timeline<HistogramWindow>, startMs: Int64, widthMs: Int64) -> [UInt8] {
    let entries = windows.entries
    var writer = PackedWriter(capacity: entries.count * 24 + 64)
    writer.byte(form)
    writeStarts(entries, startMs: startMs, widthMs: widthMs, to: &writer)
    writer.double(entries.reduce(0) { $0 + $1.sum })
    var columns = ColumnWriters()
    var counts = PackedWriter(capacity: entries.count)
    for (index, window) in entries.enumerated() {
      counts.count(Int(window.count))
      for entry in window.buckets { columns.add(entry.count, ofBucket: Int(entry.bucket), window: index) }
    }
    columns.writeHeads(to: &writer)
    writer.count(counts.bytes.count)
    writer.append(counts.bytes)
    for window in entries { writer.double(window.sum) }
    columns.writeEntries(to: &writer)
    return writer.bytes
  }

  /// The number of runs of windows that follow one another, and of each how many widths were skipped before it and how
  /// many windows it has.
  private static func writeStarts(
    _ entries: [HistogramWindow], startMs: Int64, widthMs: Int64, to writer: inout PackedWriter
  ) {
    let runs = WindowRuns(of: entries, startMs: startMs, widthMs: widthMs).all
    writer.count(runs.count)
    for run in runs {
      writer.count(run.skipped)
      writer.count(run.entries.count)
    }
  }

  private static func readStarts(
    _ reader: inout PackedReader, startMs: Int64, widthMs: Int64
  ) throws(DamagedBytes) -> [Int64] {
    var grid = try WindowGrid(startMs: startMs, widthMs: widthMs, reader)
    var starts: [Int64] = []
    for _ in 0..<(try reader.count(max: WindowGrid.windowsMax)) {
      let windows = try grid.readRun(&reader)
      // Each has a count and a sum further on: damaged bytes do not ask for more memory than they are.
      guard windows <= reader.bytesLeft / 9 - starts.count else { throw reader.damage }
      for _ in 0..<windows { starts.append(grid.next()) }
    }
    return starts
  }
}

/// Walks through the entries of a column; the same bytes go into every call.
private struct EntryReader {
  private var position: Int
  private let end: Int
  private let windows: Int
  private var nextWindow = 0
  /// Observations of the entries to come.
  private var left: Int64
  /// Of the window that was read last.
  private(set) var count: Int64 = 0

  /// - Parameter count: of the whole column.
  init(_ range: Range<Int>, count: Int64, windows: Int) {
    position = range.lowerBound
    end = range.upperBound
    left = count
    self.windows = windows
  }

  /// The next window with observations; nil at the end.
  @inline(__always)
  mutating func next(_ bytes: Span<UInt8>) throws(DamagedBytes) -> Int? {
    guard position < end else {
      guard left == 0 else { throw DamagedBytes(offset: position) }
      return nil
    }
    let head = try Varint.read(bytes, &position, end: end)
    count = 1
    if head & 1 == 1 {
      let more = try Varint.read(bytes, &position, end: end)
      guard left >= 2, more <= UInt64(left - 2) else { throw DamagedBytes(offset: position) }
      count = 2 + Int64(more)
    }
    let gap = head >> 1
    guard left >= count, gap < UInt64(windows - nextWindow) else { throw DamagedBytes(offset: position) }
    left -= count
    let window = nextWindow + Int(gap)
    nextWindow = window + 1
    return window
  }
}

/// The columns while they are written.
private struct ColumnWriters {
  private struct Column {
    var writer = PackedWriter()
    var count: Int64 = 0
    /// The window after the last one with an entry.
    var next = 0
  }

  private var columns: [Column] = Array(repeating: Column(), count: DurationBuckets.count)

  /// An entry is how many windows lie between it and the one before, doubled, and its count: of a single observation
  /// nothing more, of more the gap has one added and the count less two follows.
  mutating func add(_ count: Int64, ofBucket bucket: Int, window: Int) {
    let gap = UInt64(window - columns[bucket].next) << 1
    if count == 1 {
      columns[bucket].writer.varint(gap)
    } else {
      columns[bucket].writer.varint(gap | 1)
      columns[bucket].writer.varint(UInt64(count - 2))
    }
    columns[bucket].count += count
    columns[bucket].next = window + 1
  }

  /// How many buckets there are; of each its distance from the one before less one, all its observations, and the length
  /// of its entries.
  func writeHeads(to writer: inout PackedWriter) {
    let present = columns.indices.filter { columns[$0].count > 0 }
    writer.count(present.count)
    var previous = -1
    for bucket in present {
      writer.count(bucket - previous - 1)
      writer.count(Int(columns[bucket].count))
      writer.count(columns[bucket].writer.bytes.count)
      previous = bucket
    }
  }

  func writeEntries(to writer: inout PackedWriter) {
    for column in columns { writer.append(column.writer.bytes) }
  }
}
