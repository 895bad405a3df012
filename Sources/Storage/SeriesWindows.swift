// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// The windows of one counter or histogram that a range of time shows, blocks and memory put together, with what was
// counted before them. Blocks that end before the range are not decoded, nor is more of later ones than their sums: what
// came before the range is the total of all time less what is in it and after it.

/// One window of a series, wherever it is stored.
struct WindowSlot: Comparable {
  var startMs: Int64
  var widthMs: Int64

  var endMs: Int64 { startMs + widthMs }

  static func < (left: WindowSlot, right: WindowSlot) -> Bool {
    (left.startMs, left.widthMs) < (right.startMs, right.widthMs)
  }
}

/// Windows of a counter or a histogram. What they count is read column by column.
struct SeriesWindows {
  let index: Int
  let fromMs: Int64
  let throughMs: Int64
  /// Ascending; windows of different widths overlap only where one came late. Some may lie outside the range.
  let slots: [WindowSlot]
  /// End of the last window before them, if it may still matter.
  let previousEndMs: Int64?
  private var pieces: [WindowPiece]
  private let later: LaterBlocks
  private let state: SeriesState
  private var cumulative: Cumulative

  init(_ snapshot: StoreSnapshot, index: Int, fromMs: Int64, throughMs: Int64, newestWidthMs: Int64) throws {
    self.index = index
    self.fromMs = fromMs
    self.throughMs = throughMs
    state = snapshot.series[index]
    var later = LaterBlocks(state.key.kind)
    var pieces: [WindowPiece] = []
    var previousEndMs: Int64?
    let isHistogram = state.key.kind == .histogram
    try snapshot.forEachBlock(
      ofSeries: index, fromMs: fromMs - WindowSamples.lifeMs - Hour.widthMs, untilMs: .max, dataFromMs: fromMs,
      dataUntilMs: isHistogram ? .max : throughMs + 1
    ) { block in
      guard let data = block.data else {
        if block.place.startMs > throughMs {
          later.count += block.count
        } else {
          previousEndMs = max(previousEndMs ?? .min, block.lastMs + block.place.widthMs)
        }
        return
      }
      if !isHistogram {
        pieces.append(WindowPiece(try BlockTable.counter(data, at: block.place), widthMs: block.place.widthMs))
      } else {
        let columns = try BlockTable.columns(data, at: block.place)
        if block.place.startMs > throughMs {
          later.add(columns)
        } else {
          pieces.append(WindowPiece(columns, widthMs: block.place.widthMs))
        }
      }
    }
    if let head = snapshot.heads.head(index) {
      pieces.append(
        isHistogram
          ? WindowPiece(HistogramColumns(head.histogram), widthMs: newestWidthMs)
          : WindowPiece(head.counter, widthMs: newestWidthMs))
    }
    slots = WindowPiece.place(&pieces)
    cumulative = Cumulative(slots: slots.count)
    (self.previousEndMs, self.pieces, self.later) = (previousEndMs, pieces, later)
  }

  // MARK: Columns

  /// What each window adds, and what was counted before the first.
  struct Column<Number: Sendable> {
    var base: Number
    /// By slot.
    var increments: [Number]
  }

  /// A counter's increments; of a histogram the number of observations.
  func counts() throws(StoreError) -> Column<Int64> {
    var increments = Array(repeating: Int64(0), count: slots.count)
    for piece in pieces {
      try sound { () throws(DamagedBytes) in try piece.forEachCount { increments[$0] += $1 } }
    }
    return Column(base: state.count - later.count - increments.reduce(0, +), increments: increments)
  }

  /// A histogram's sums, in seconds.
  func sums() throws(StoreError) -> Column<Double> {
    var increments = Array(repeating: 0.0, count: slots.count)
    var count = later.count
    for piece in pieces {
      count += piece.columns?.count ?? 0
      try sound { () throws(DamagedBytes) in try piece.forEachSum { increments[$0] += $1 } }
    }
    let base = (state.histogram?.sum ?? 0) - later.sum - increments.reduce(0, +)
    // Sums of doubles in another order: what is left of nothing may be some last bits.
    return Column(base: count == state.count ? 0 : max(base, 0), increments: increments)
  }

  /// A histogram's observations up to the bound of a bucket. Cheapest for one bucket after the other; the array is lent.
  mutating func withObservations<Answer>(
    upToBucket bucket: Int, _ body: (_ base: Int64, _ increments: borrowing [Int64]) throws -> Answer
  ) throws -> Answer {
    if cumulative.bucket > bucket { cumulative = Cumulative(slots: slots.count) }
    for index in pieces.indices { pieces[index].columns?.prepareBuckets() }
    while cumulative.bucket < bucket {
      cumulative.bucket += 1
      cumulative.counted += (state.histogram?.counts[cumulative.bucket] ?? 0) - later.buckets[cumulative.bucket]
      for piece in pieces { try addBucket(of: piece) }
    }
    return try body(cumulative.counted - cumulative.held, cumulative.increments)
  }

  private mutating func addBucket(of piece: WindowPiece) throws(StoreError) {
    let bucket = cumulative.bucket
    var held: Int64 = 0
    do {
      held = try piece.addBucket(bucket, to: &cumulative.increments)
    } catch {
      throw damaged(error)
    }
    cumulative.held += held
  }

  private func sound(_ read: () throws(DamagedBytes) -> Void) throws(StoreError) {
    do { try read() } catch { throw damaged(error) }
  }

  private func damaged(_ error: DamagedBytes) -> StoreError {
    .damaged("a block of series \(state.id) between \(fromMs) and \(throughMs): \(error)")
  }
}

/// Observations up to the bound of a bucket: buckets are asked for one after the other, so each adds to the last.
private struct Cumulative {
  var bucket = -1
  /// By slot.
  var increments: [Int64]
  /// Of all time, less what later blocks hold.
  var counted: Int64 = 0
  /// By the slots together.
  var held: Int64 = 0

  init(slots: Int) {
    increments = Array(repeating: 0, count: slots)
  }
}

/// Sums of the blocks after a range.
private struct LaterBlocks {
  var count: Int64 = 0
  var sum = 0.0
  /// By bucket; empty of a counter.
  var buckets: [Int64]

  init(_ kind: SeriesKind) {
    buckets = kind == .histogram ? Array(repeating: 0, count: DurationBuckets.count) : []
  }

  mutating func add(_ columns: HistogramColumns) {
    count += columns.count
    sum += columns.sum
    columns.addTotals(to: &buckets)
  }
}

/// Windows from one block or from memory, and which slots they are.
private struct WindowPiece {
  private let counter: [CounterWindow]
  var columns: HistogramColumns?
  private let widthMs: Int64
  /// The slot of its first window, where the others follow.
  private var offset = 0
  /// The slot of each window where windows of other pieces lie between.
  private var scattered: [Int] = []

  init(_ windows: Timeline<CounterWindow>, widthMs: Int64) {
    counter = windows.entries
    columns = nil
    self.widthMs = widthMs
  }

  init(_ columns: HistogramColumns, widthMs: Int64) {
    counter = []
    self.columns = columns
    self.widthMs = widthMs
  }

  /// Gives every window its slot. Of one window, some may be in its block and some in memory.
  static func place(_ pieces: inout [WindowPiece]) -> [WindowSlot] {
    var slots: [WindowSlot] = []
    var isOrdered = true
    for index in pieces.indices {
      pieces[index].offset = slots.count
      let own = pieces[index].slots
      if let last = slots.last, let first = own.first, first <= last { isOrdered = false }
      slots += own
    }
    if isOrdered { return slots }
    slots.sort()
    var distinct: [WindowSlot] = []
    for slot in slots where slot != distinct.last { distinct.append(slot) }
    for index in pieces.indices { pieces[index].scatter(over: distinct) }
    return distinct
  }

  private var slots: [WindowSlot] {
    columns?.startsMs.map { WindowSlot(startMs: $0, widthMs: widthMs) }
      ?? counter.map { WindowSlot(startMs: $0.timeMs, widthMs: widthMs) }
  }

  /// - Parameter all: has every slot of this piece.
  private mutating func scatter(over all: [WindowSlot]) {
    var next = 0
    scattered = slots.map { slot in
      while all[next] < slot { next += 1 }
      return next
    }
  }

  @inline(__always)
  private func slot(_ window: Int) -> Int { scattered.isEmpty ? offset + window : scattered[window] }

  func forEachCount(_ body: (_ slot: Int, _ count: Int64) -> Void) throws(DamagedBytes) {
    for (window, entry) in counter.enumerated() { body(slot(window), entry.increment) }
    try columns?.forEachCount { body(slot($0), $1) }
  }

  func forEachSum(_ body: (_ slot: Int, _ sum: Double) -> Void) throws(DamagedBytes) {
    try columns?.forEachSum { body(slot($0), $1) }
  }

  /// Adds a bucket's observations to the slots.
  ///
  /// - Returns: how many there are.
  func addBucket(_ bucket: Int, to slots: inout [Int64]) throws(DamagedBytes) -> Int64 {
    guard let columns else { return 0 }
    return try columns.addBucket(bucket, to: &slots, at: offset, or: scattered)
  }
}
