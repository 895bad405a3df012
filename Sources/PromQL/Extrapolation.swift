// SPDX-License-Identifier: Apache-2.0

// rate(), increase() and delta(): from the samples inside of a window to its edges.

/// How far a counter or gauge moved in a window (Prometheus: functions#rate and `extrapolatedRate` in functions.go).
struct Extrapolation {
  let isCounter: Bool
  let isPerSecond: Bool
  let rangeMs: Int64

  /// - Parameters:
  ///   - moved: last value less first, resets added.
  ///   - count: at least 2.
  ///   - endMs: of the window.
  @inline(__always)
  func value(moved: Double, first: Double, firstMs: Int64, lastMs: Int64, count: Int, endMs: Int64) -> Double {
    // Most buckets of most histograms stand still, and no factor changes that.
    if moved == 0 { return moved }
    var toStart = Double(firstMs &- (endMs &- rangeMs)) / 1000
    var toEnd = Double(endMs &- lastMs) / 1000
    let sampled = Double(lastMs &- firstMs) / 1000
    let average = sampled / Double(count &- 1)
    // A sample is missing rather than late when it is due for more than a tenth of the interval: then the series began
    // or ended about half an interval outside of its samples.
    let threshold = average * 1.1
    if toStart >= threshold { toStart = average / 2 }
    if isCounter, moved > 0, first >= 0 {
      // A counter was 0 before it was anything else; it is not followed back below.
      toStart = min(toStart, sampled * (first / moved))
    }
    if toEnd >= threshold { toEnd = average / 2 }
    var factor = sampled != 0 ? (sampled + toStart + toEnd) / sampled : 1
    if isPerSecond { factor /= Double(rangeMs) / 1000 }
    return moved * factor
  }

  /// Sets each value for its window.
  ///
  /// - Parameter resets: memory for the places where the counter fell.
  func fill(
    _ values: inout [Double], _ windows: Windows, ends: Steps, _ times: borrowing Span<Int64>,
    _ samples: borrowing Span<Double>, resets: inout [Int]
  ) {
    if isCounter { Extrapolation.findResets(in: samples, &resets) }
    var next = 0
    for step in windows.indices {
      let low = windows.lows[step]
      let high = windows.highs[step]
      guard high &- low >= 2 else {
        values[step] = absent
        continue
      }
      let first = samples[low]
      var moved = samples[high &- 1] - first
      if isCounter {
        // Resets are rare: the ones of the window are added anew, which no rounding of earlier ones disturbs.
        while next < resets.count, resets[next] <= low { next &+= 1 }
        var reset = next
        while reset < resets.count, resets[reset] < high {
          moved += samples[resets[reset] &- 1]
          reset &+= 1
        }
      }
      values[step] = value(
        moved: moved, first: first, firstMs: times[low], lastMs: times[high &- 1], count: high &- low,
        endMs: ends.timeMs(step))
    }
  }

  private static func findResets(in samples: borrowing Span<Double>, _ resets: inout [Int]) {
    resets.removeAll(keepingCapacity: true)
    guard samples.count > 1 else { return }
    var previous = samples[0]
    for index in 1..<samples.count {
      let sample = samples[index]
      if sample < previous { resets.append(index) }
      previous = sample
    }
  }
}
