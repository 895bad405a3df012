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
    var (x, y, xy, xx) = (KahanSum(), KahanSum(), KahanSum(), KahanSum())
    for index in low..<high {
      let sample = samples[index]
      if sample != first, index > low { isConstant = false }
      let seconds = Double(times[index] - originMs) / 1000
      x.add(seconds)
      y.add(sample)
      xy.add(seconds * sample)
      xx.add(seconds * seconds)
    }
    if isConstant {
      slope = first.isInfinite ? .nan : 0
      intercept = first.isInfinite ? .nan : first
      return
    }
    let covariance = xy.value - x.value * y.value / count
    let variance = xx.value - x.value * x.value / count
    slope = covariance / variance
    intercept = y.value / count - slope * x.value / count
  }

  func value(atSeconds seconds: Double) -> Double { slope * seconds + intercept }
}
