// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// Which samples a step sees. Times ascend on both sides, so that one walk over the samples serves all steps.

/// Finds, for ascending times, how many samples are not later.
struct SampleEdge {
  private var index = 0
  /// How far it went last. Scrapes and steps are regular, so that going as far again mostly meets the mark at once.
  private var stride = 1

  /// - Parameters:
  ///   - timeMs: not before the one of the last call.
  ///   - times: the same ones in every call.
  /// - Returns: the index of the first sample later than `timeMs`.
  @inline(__always)
  mutating func advance(past timeMs: Int64, in times: borrowing Span<Int64>) -> Int {
    let start = index
    let guess = min(start &+ stride, times.count)
    var position = guess
    if guess > start, times[guess &- 1] > timeMs {
      position = guess &- 1
      while position > start, times[position &- 1] > timeMs { position &-= 1 }
    } else {
      while position < times.count, times[position] <= timeMs { position &+= 1 }
    }
    stride = position &- start
    index = position
    return position
  }
}

/// The samples of a range vector at every step: `lows[step]..<highs[step]`, empty where there are none.
///
/// A window is open to the left: a sample exactly as old as the range is outside (Prometheus 3).
struct Windows {
  private(set) var lows: [Int] = []
  private(set) var highs: [Int] = []
  private(set) var longest = 0

  /// The steps.
  var indices: Range<Int> { 0..<lows.count }

  /// - Parameter ends: the steps' times less the offset.
  mutating func find(in samples: SampleBuffer, ends: Steps, rangeMs: Int64) {
    lows.removeAll(keepingCapacity: true)
    highs.removeAll(keepingCapacity: true)
    lows.reserveCapacity(ends.count)
    highs.reserveCapacity(ends.count)
    longest = 0
    let timesArray = samples.timesMs
    let times = timesArray.span
    var low = SampleEdge()
    var high = SampleEdge()
    for step in 0..<ends.count {
      let endMs = ends.timeMs(step)
      let first = low.advance(past: endMs &- rangeMs, in: times)
      let end = high.advance(past: endMs, in: times)
      lows.append(first)
      highs.append(end)
      longest = max(longest, end &- first)
    }
  }

  /// The number of samples in each of these windows, nil where they differ: they do not where samples and steps are
  /// regular.
  func commonCount(of steps: Range<Int>) -> Int? {
    let count = highs[steps.lowerBound] - lows[steps.lowerBound]
    for step in steps where highs[step] - lows[step] != count { return nil }
    return count
  }

  /// How many of the steps from `first` on have so many samples in their windows together, at least one.
  func slice(from first: Int, samples: Int) -> Range<Int> {
    var end = first
    var left = samples
    while end < lows.count, left > 0 {
      left -= highs[end] - lows[end] + 1
      end += 1
    }
    return first..<end
  }

  /// Sets each value of the steps to what `compute` makes of its window, or to `absent` where fewer than `samplesMin`
  /// are in it.
  @inline(__always)
  func fill(
    _ values: inout [Double], _ steps: Range<Int>, samplesMin: Int,
    _ compute: (_ low: Int, _ high: Int, _ step: Int) -> Double
  ) {
    for step in steps {
      let low = lows[step]
      let high = highs[step]
      values[step] = high &- low >= samplesMin ? compute(low, high, step) : absent
    }
  }
}
