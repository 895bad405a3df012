// SPDX-License-Identifier: Apache-2.0

// Sums, means and variances over the samples of one window. Each window is summed anew, in the order of time: taking
// old samples out of a running sum would leave their rounding behind.

enum OverTime {
  @inline(__always)
  static func sum(_ samples: borrowing Span<Double>, _ low: Int, _ high: Int) -> Double {
    var sum = KahanSum()
    for index in low..<high { sum.add(samples[index]) }
    return sum.sum.magnitude == .infinity ? sum.sum : sum.value
  }

  @inline(__always)
  static func average(_ samples: borrowing Span<Double>, _ low: Int, _ high: Int) -> Double {
    var mean = KahanMean(samples[low])
    for index in (low + 1)..<high { mean.add(samples[index]) }
    return mean.value
  }

  /// Welford's.
  static func variance(_ samples: borrowing Span<Double>, _ low: Int, _ high: Int) -> Double {
    var count = 0.0
    var mean = KahanSum()
    var squares = KahanSum()
    for index in low..<high {
      count += 1
      let delta = samples[index] - mean.value
      mean.add(delta / count)
      squares.add(delta * (samples[index] - mean.value))
    }
    return squares.value / count
  }

  /// The variances of four windows of one length. In one window each number waits for the one before it; four side by
  /// side take two thirds of the time.
  ///
  /// - Parameter lows: the first of each window.
  static func variances(_ samples: borrowing Span<Double>, lows: SIMD4<Int>, count: Int) -> SIMD4<Double> {
    var added = 0.0
    var mean = KahanSums()
    var squares = KahanSums()
    for offset in 0..<count {
      added += 1
      let values = SIMD4(
        samples[lows[0] + offset], samples[lows[1] + offset], samples[lows[2] + offset], samples[lows[3] + offset])
      let deltas = values - mean.values
      mean.add(deltas / added)
      mean.clearOverflowed()
      squares.add(deltas * (values - mean.values))
      squares.clearOverflowed()
    }
    return squares.values / added
  }
}

/// A straight line through the samples of a window, by least squares.
struct Regression {
  /// A second.
  let slope: Double
  /// At the origin of time.
  private let intercept: Double

  /// - Parameter originMs: near the samples, or the squares of the times lose the digits that matter.
  init(
    _ times: borrowing Span<Int64>, _ samples: borrowing Span<Double>, _ low: Int, _ high: Int, originMs: Int64
  ) {
    let count = Double(high - low)
    let first = samples[low]
    var isConstant = true
    // Of the seconds, the samples, their products, the squares of the seconds.
    var sums = KahanSums()
    for index in low..<high {
      let sample = samples[index]
      if sample != first, index > low { isConstant = false }
      let seconds = Double(times[index] &- originMs) / 1000
      sums.add(SIMD4(seconds, sample, seconds * sample, seconds * seconds))
    }
    if isConstant {
      slope = first.isInfinite ? .nan : 0
      intercept = first.isInfinite ? .nan : first
      return
    }
    sums.clearOverflowed()
    let totals = sums.values
    let (x, y, xy, xx) = (totals[0], totals[1], totals[2], totals[3])
    let covariance = xy - x * y / count
    let variance = xx - x * x / count
    slope = covariance / variance
    intercept = y / count - slope * x / count
  }

  func value(atSeconds seconds: Double) -> Double { slope * seconds + intercept }
}
