// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// From windows to samples. A window's total stands at its end, where a scrape just after it would have read it; between
// events the total stays what it is, and is said again at each window's end, until the series has been silent for a day.

/// The samples of a range.
struct WindowSamples {
  /// For how long a series without events goes on being said.
  static let lifeMs: Int64 = 86_400_000
  static let hourMs: Int64 = 3_600_000
  /// How often a rolled-up hour is said, so that a query's lookback of five minutes always meets a sample.
  private static let hourStepMs: Int64 = 300_000

  let fromMs: Int64
  let throughMs: Int64
  /// Now. A window that has not ended by then stands at the end of the range, so that a query sees what was just
  /// acknowledged even when its own clock is a little behind.
  let asOfMs: Int64
  /// Width of the newest windows.
  let widthMs: Int64

  // MARK: Running totals

  func append(_ total: RunningTotal, to samples: inout SampleBuffer) {
    var value = total.base
    var endMs: Int64?
    for step in total.steps {
      guard step.startMs < throughMs else { break }
      let grid = WindowSamples.grid(step.widthMs)
      if let end = endMs, step.startMs - end < WindowSamples.lifeMs {
        hold(value, afterMs: end, beforeMs: step.startMs + grid, grid, to: &samples)
      } else {
        if let end = endMs { end24h(value, end, grid, to: &samples) }
        // The total before the first event, or before the first after a long silence: without it the increment that
        // follows would count for nothing.
        sample(step.startMs, value, to: &samples)
      }
      let next = value + step.increment
      if step.widthMs >= WindowSamples.hourMs { spread(step, from: value, to: &samples) }
      value = next
      let stepEndMs = step.startMs + step.widthMs
      sample(stepEndMs > asOfMs ? min(stepEndMs, throughMs) : stepEndMs, value, to: &samples)
      endMs = max(endMs ?? .min, step.startMs + step.widthMs)
    }
    if let end = endMs { end24h(value, end, widthMs, to: &samples) }
  }

  /// An hour's increment spread evenly: nothing better is known once its windows are gone. Whole numbers stay whole.
  private func spread(_ step: RunningTotal.Step, from value: Double, to samples: inout SampleBuffer) {
    let isWhole = step.increment == step.increment.rounded()
    var timeMs = step.startMs + WindowSamples.hourStepMs
    while timeMs < min(step.startMs + step.widthMs, asOfMs) {
      let share = step.increment * Double(timeMs - step.startMs) / Double(step.widthMs)
      sample(timeMs, value + (isWhole ? share.rounded(.down) : share), to: &samples)
      timeMs += WindowSamples.hourStepMs
    }
  }

  /// After the last event: the total for a day, then the marker that it has ended.
  private func end24h(_ value: Double, _ endMs: Int64, _ grid: Int64, to samples: inout SampleBuffer) {
    let lastMs = endMs + WindowSamples.lifeMs
    hold(value, afterMs: endMs, beforeMs: min(lastMs, throughMs) + 1, grid, to: &samples)
    if lastMs < throughMs { sample(lastMs + grid, StaleMarker.value, to: &samples) }
  }

  private static func grid(_ widthMs: Int64) -> Int64 { widthMs >= hourMs ? hourStepMs : widthMs }

  // MARK: Gauges

  /// - Parameter holds: whether the value stays until another is said, as for what services say only when it changes.
  func append(_ gauge: [GaugeSample], holds: Bool, to samples: inout SampleBuffer) {
    var previous: GaugeSample?
    for entry in gauge {
      guard entry.timeMs <= throughMs else { break }
      if holds, let previous {
        let untilMs = min(entry.timeMs, previous.timeMs + WindowSamples.lifeMs)
        hold(previous.value, afterMs: previous.timeMs, beforeMs: untilMs, widthMs, to: &samples)
      }
      sample(entry.timeMs, entry.value, to: &samples)
      previous = entry
    }
    if holds, let previous { end24h(previous.value, previous.timeMs, widthMs, to: &samples) }
  }

  // MARK: Samples

  /// The value at each multiple of `grid` strictly between two times.
  private func hold(
    _ value: Double, afterMs: Int64, beforeMs: Int64, _ grid: Int64, to samples: inout SampleBuffer
  ) {
    var timeMs = floor(max(afterMs, fromMs - 1), to: grid) + grid
    let endMs = min(beforeMs, throughMs + 1)
    while timeMs < endMs {
      sample(timeMs, value, to: &samples)
      timeMs += grid
    }
  }

  @inline(__always)
  private func sample(_ timeMs: Int64, _ value: Double, to samples: inout SampleBuffer) {
    guard timeMs >= fromMs, timeMs <= throughMs else { return }
    // Windows of several widths may overlap where one came late: the last total is the whole one.
    guard timeMs > samples.timesMs.last ?? .min else { return samples.replaceLast(value: value) }
    samples.append(timeMs: timeMs, value: value)
  }
}
