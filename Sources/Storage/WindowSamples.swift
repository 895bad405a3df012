// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// From windows to samples. A window's total stands at its end, where a scrape just after it would have read it; between
// events the total stays what it is, and is said again at each window's end, until the series has been silent for a day.

/// Which samples a range of time has, and what they are made of. Made once for all series of a histogram, whose samples
/// stand at the same times.
struct SamplePlan {
  /// Of the samples; ascending.
  private(set) var timesMs: [Int64] = []
  /// How many slots each sample's total has behind it; `SamplePlan.stale` where the series has ended.
  private var passed: [Int] = []
  /// Samples within a slot that was rolled up, ascending by sample.
  private var shares: [Share] = []

  private static let stale = -1

  /// A sample that has part of a slot's increment.
  private struct Share {
    var sample: Int
    /// 0…1.
    var part: Double
  }

  private let range: WindowSamples

  init(_ windows: SeriesWindows, _ range: WindowSamples) {
    self.range = range
    var endMs = windows.previousEndMs
    let slots = windows.slots.prefix { $0.startMs < range.throughMs }
    for (index, slot) in slots.enumerated() {
      let grid = WindowSamples.grid(slot.widthMs)
      if let end = endMs, slot.startMs - end < WindowSamples.lifeMs {
        hold(index, afterMs: end, beforeMs: slot.startMs + grid, grid)
      } else {
        if let end = endMs { end24h(index, end, grid) }
        // The total before the first event, or before the first after a long silence: without it the increment that
        // follows would count for nothing.
        sample(slot.startMs, index)
      }
      if slot.widthMs >= Hour.widthMs { spread(slot, index) }
      sample(slot.endMs > range.asOfMs ? min(slot.endMs, range.throughMs) : slot.endMs, index + 1)
      endMs = max(endMs ?? .min, slot.endMs)
    }
    if let end = endMs { end24h(slots.count, end, range.widthMs) }
  }

  /// An hour's increment spread evenly: nothing better is known once its windows are gone.
  private mutating func spread(_ slot: WindowSlot, _ index: Int) {
    var timeMs = slot.startMs + WindowSamples.hourStepMs
    while timeMs < min(slot.endMs, range.asOfMs) {
      if sample(timeMs, index) {
        if shares.last?.sample == timesMs.count - 1 { shares.removeLast() }
        shares.append(Share(sample: timesMs.count - 1, part: Double(timeMs - slot.startMs) / Double(slot.widthMs)))
      }
      timeMs += WindowSamples.hourStepMs
    }
  }

  /// After the last event: the total for a day, then the marker that it has ended.
  private mutating func end24h(_ index: Int, _ endMs: Int64, _ grid: Int64) {
    let lastMs = endMs + WindowSamples.lifeMs
    hold(index, afterMs: endMs, beforeMs: min(lastMs, range.throughMs) + 1, grid)
    if lastMs < range.throughMs { sample(lastMs + grid, SamplePlan.stale) }
  }

  private mutating func hold(_ index: Int, afterMs: Int64, beforeMs: Int64, _ grid: Int64) {
    range.forEachMultiple(of: grid, afterMs: afterMs, beforeMs: beforeMs) { sample($0, index) }
  }

  /// - Returns: whether the time is in the range.
  @inline(__always) @discardableResult
  private mutating func sample(_ timeMs: Int64, _ slotsPassed: Int) -> Bool {
    guard timeMs >= range.fromMs, timeMs <= range.throughMs else { return false }
    if let last = timesMs.last, timeMs <= last {
      // Windows of several widths may overlap where one came late: the last total is the whole one.
      passed[passed.count - 1] = slotsPassed
      if shares.last?.sample == timesMs.count - 1 { shares.removeLast() }
    } else {
      timesMs.append(timeMs)
      passed.append(slotsPassed)
    }
    return true
  }

  // MARK: Values

  /// Appends the samples of a running total.
  ///
  /// - Parameter increments: what each slot adds.
  @inline(__always)
  func append<Number: SignedNumeric>(
    base: Number, _ increments: borrowing [Number], to samples: inout SampleArrays, _ double: (Number) -> Double
  ) {
    samples.timesMs += timesMs
    samples.values.reserveCapacity(samples.values.count + timesMs.count)
    let increments = increments.span
    var total = base
    var added = 0
    var share = 0
    for sample in passed.indices {
      let count = passed[sample]
      guard count != SamplePlan.stale else {
        samples.values.append(StaleMarker.value)
        continue
      }
      while added < count {
        total += increments[added]
        added += 1
      }
      var value = double(total)
      if share < shares.count, shares[share].sample == sample {
        value += part(shares[share].part, of: double(increments[count]))
        share += 1
      }
      samples.values.append(value)
    }
  }

  /// Whole numbers stay whole.
  private func part(_ part: Double, of increment: Double) -> Double {
    let share = increment * part
    return increment == increment.rounded() ? share.rounded(.down) : share
  }
}

/// The range of time that samples are asked for.
struct WindowSamples {
  /// For how long a series without events goes on being said.
  static let lifeMs: Int64 = 86_400_000
  /// How often a rolled-up hour is said, so that a query's lookback of five minutes always meets a sample.
  static let hourStepMs: Int64 = 300_000

  let fromMs: Int64
  let throughMs: Int64
  /// Now. A window that has not ended by then stands at the end of the range, so that a query sees what was just
  /// acknowledged even when its own clock is a little behind.
  let asOfMs: Int64
  /// Width of the newest windows.
  let widthMs: Int64

  static func grid(_ widthMs: Int64) -> Int64 { widthMs >= Hour.widthMs ? hourStepMs : widthMs }

  /// Calls `body` with each multiple of `grid` in the range that lies strictly between two times.
  @inline(__always)
  func forEachMultiple(of grid: Int64, afterMs: Int64, beforeMs: Int64, _ body: (Int64) -> Void) {
    // Mostly the next window follows at once.
    guard beforeMs - afterMs > 1 else { return }
    var timeMs = floor(max(afterMs, fromMs - 1), to: grid) + grid
    let endMs = min(beforeMs, throughMs + 1)
    while timeMs < endMs {
      body(timeMs)
      timeMs += grid
    }
  }

  // MARK: Gauges

  /// - Parameter holds: whether the value stays until another is said, as for what services say only when it changes.
  func append(_ gauge: [GaugeSample], holds: Bool, to samples: inout SampleArrays) {
    var previous: GaugeSample?
    for entry in gauge {
      guard entry.timeMs <= throughMs else { break }
      if holds, let previous { hold(previous, beforeMs: entry.timeMs, to: &samples) }
      if entry.timeMs >= fromMs { samples.append(entry.timeMs, entry.value) }
      previous = entry
    }
    if holds, let previous { hold(previous, beforeMs: .max, to: &samples) }
  }

  /// A value until the next, or for a day, and then the marker that it has ended.
  private func hold(_ gauge: GaugeSample, beforeMs: Int64, to samples: inout SampleArrays) {
    let lastMs = gauge.timeMs + WindowSamples.lifeMs
    forEachMultiple(of: widthMs, afterMs: gauge.timeMs, beforeMs: min(beforeMs, lastMs + 1)) {
      samples.append($0, gauge.value)
    }
    let endMs = lastMs + widthMs
    if endMs < beforeMs, endMs >= fromMs, endMs <= throughMs { samples.append(endMs, StaleMarker.value) }
  }
}

/// The arrays of a `SampleBuffer` while samples are appended to them: its own `append` is a call into another module.
struct SampleArrays {
  var timesMs: [Int64]
  var values: [Double]

  @inline(__always)
  mutating func append(_ timeMs: Int64, _ value: Double) {
    timesMs.append(timeMs)
    values.append(value)
  }

  /// Runs `body` on a buffer's arrays, moved out and in without a copy.
  static func of(_ buffer: inout SampleBuffer, _ body: (inout SampleArrays) throws -> Void) rethrows {
    try buffer.write { timesMs, values in
      var arrays = SampleArrays(timesMs: [], values: [])
      swap(&arrays.timesMs, &timesMs)
      swap(&arrays.values, &values)
      defer {
        swap(&arrays.timesMs, &timesMs)
        swap(&arrays.values, &values)
      }
      try body(&arrays)
    }
  }
}
