// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// The windows of one series from some time on, blocks and memory put together, with what was counted before them.

/// Steps of a running total.
struct RunningTotal {
  struct Step {
    /// Start of the window.
    var startMs: Int64
    var widthMs: Int64
    /// What the window adds.
    var increment: Double
  }

  /// Before the first step.
  var base: Double
  /// Ascending by start; windows of different widths do not overlap but where one came late.
  var steps: [Step]
}

/// All windows of a series that a query may need.
struct SeriesWindows {
  let index: Int
  let fromMs: Int64
  private(set) var counter = RunningTotal(base: 0, steps: [])
  private(set) var gauge: [GaugeSample] = []
  private var histograms: [(widthMs: Int64, window: HistogramWindow)] = []
  private let total: SeriesState
  private var cumulative: Cumulative?

  /// - Parameter fromMs: windows that a series' life carries into the range are read as well.
  init(_ snapshot: StoreSnapshot, index: Int, fromMs: Int64, newestWidthMs: Int64) throws {
    self.index = index
    self.fromMs = fromMs
    total = snapshot.series[index]
    let earliestMs = fromMs - WindowSamples.lifeMs - WindowSamples.hourMs
    var pieces: [(widthMs: Int64, head: SeriesHead)] = []
    try snapshot.forEachPiece(ofSeries: index, fromMs: earliestMs, untilMs: .max) { head, widthMs in
      pieces.append((widthMs ?? newestWidthMs, head))
    }
    switch total.key.kind {
    case .counter: readCounter(pieces)
    case .gauge: gauge = pieces.reduce(Timeline()) { $0.merging($1.head.gauge) }.entries
    case .histogram: readHistogram(pieces)
    }
  }

  private mutating func readCounter(_ pieces: [(widthMs: Int64, head: SeriesHead)]) {
    var steps = pieces.flatMap { piece in
      piece.head.counter.entries.map {
        RunningTotal.Step(startMs: $0.timeMs, widthMs: piece.widthMs, increment: Double($0.increment))
      }
    }
    if pieces.count > 1 { SeriesWindows.sort(&steps) }
    // What came before the windows read, retention's victims included, is the total less what they hold.
    let held = pieces.reduce(0) { $0 + $1.head.counter.entries.reduce(0) { $0 + $1.increment } }
    counter = RunningTotal(base: Double(total.count - held), steps: steps)
  }

  private mutating func readHistogram(_ pieces: [(widthMs: Int64, head: SeriesHead)]) {
    var windows = pieces.flatMap { piece in piece.head.histogram.entries.map { (piece.widthMs, $0) } }
    if pieces.count > 1 {
      windows.sort { ($0.1.timeMs, $0.0) < ($1.1.timeMs, $1.0) }
      // Of one window, some in its block and some in memory.
      var merged: [(Int64, HistogramWindow)] = []
      for window in windows {
        if let last = merged.last, last.0 == window.0, last.1.timeMs == window.1.timeMs {
          merged[merged.count - 1].1.merge(window.1)
        } else {
          merged.append(window)
        }
      }
      windows = merged
    }
    histograms = windows.map { (widthMs: $0.0, window: $0.1) }
  }

  private static func sort(_ steps: inout [RunningTotal.Step]) {
    steps.sort { ($0.startMs, $0.widthMs) < ($1.startMs, $1.widthMs) }
    var merged: [RunningTotal.Step] = []
    merged.reserveCapacity(steps.count)
    for step in steps {
      if let last = merged.last, last.startMs == step.startMs, last.widthMs == step.widthMs {
        merged[merged.count - 1].increment += step.increment
      } else {
        merged.append(step)
      }
    }
    steps = merged
  }

  // MARK: Histograms

  func histogramSum() -> RunningTotal {
    let held = histograms.reduce(0) { $0 + $1.window.sum }
    let base = (total.histogram?.sum ?? 0) - held
    // Sums of doubles in another order: what is left of nothing may be some last bits.
    let isNothing = total.count == histograms.reduce(0) { $0 + $1.window.count }
    return RunningTotal(base: isNothing ? 0 : max(base, 0), steps: steps { $0.sum })
  }

  func histogramCount() -> RunningTotal {
    let held = histograms.reduce(0) { $0 + $1.window.count }
    return RunningTotal(
      base: Double(total.count - held), steps: steps { Double($0.count) })
  }

  /// The running total of observations up to the bound of a bucket. Cheapest for one bucket after the other.
  mutating func histogramBucket(_ bucket: Int) -> RunningTotal {
    if (cumulative?.bucket ?? .max) > bucket { cumulative = Cumulative(windows: histograms.count) }
    while cumulative!.bucket < bucket { cumulative!.advance(over: histograms) }
    let counted = (total.histogram?.counts ?? []).prefix(bucket + 1).reduce(0, +)
    var held: Int64 = 0
    var steps: [RunningTotal.Step] = []
    steps.reserveCapacity(histograms.count)
    for (index, entry) in histograms.enumerated() {
      let increment = cumulative!.increments[index]
      held += increment
      steps.append(.init(startMs: entry.window.timeMs, widthMs: entry.widthMs, increment: Double(increment)))
    }
    return RunningTotal(base: Double(counted - held), steps: steps)
  }

  private func steps(_ increment: (HistogramWindow) -> Double) -> [RunningTotal.Step] {
    histograms.map { .init(startMs: $0.window.timeMs, widthMs: $0.widthMs, increment: increment($0.window)) }
  }
}

/// What windows observed up to the bound of a bucket: buckets are asked for one after the other, so each adds to the last.
private struct Cumulative {
  private(set) var bucket = -1
  /// By window.
  private(set) var increments: [Int64]
  /// Position in the buckets of each window.
  private var positions: [Int]

  init(windows: Int) {
    increments = Array(repeating: 0, count: windows)
    positions = increments.map { _ in 0 }
  }

  mutating func advance(over histograms: [(widthMs: Int64, window: HistogramWindow)]) {
    bucket += 1
    for index in histograms.indices {
      let position = positions[index]
      guard position < histograms[index].window.buckets.count else { continue }
      let entry = histograms[index].window.buckets[position]
      guard Int(entry.bucket) == bucket else { continue }
      increments[index] += entry.count
      positions[index] = position + 1
    }
  }
}
