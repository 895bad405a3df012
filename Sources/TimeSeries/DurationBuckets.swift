// SPDX-License-Identifier: Apache-2.0

// The histogram boundaries of `cache_operation_duration_seconds`, the same for every series and every release:
// a boundary that moves would make old and new counts incomparable.

/// Boundaries of the duration histogram, in seconds.
///
/// Twenty-three boundaries a decade from 10 µs to 10 s, at most 12.5 % apart. Linear interpolation inside a bucket of
/// relative width w is off by about w²/8 · |x·f′/f|, so even in a steep tail (x·f′/f = 10) a quantile is within 2 %.
package enum DurationBuckets {
  /// Ascending, without +Inf.
  package static let upperBoundsSeconds: [Double] = {
    let decade = [
      1.0, 1.1, 1.2, 1.35, 1.5, 1.65, 1.8, 2.0, 2.25, 2.5, 2.75, 3.0, 3.3, 3.6, 4.0, 4.5, 5.0, 5.5, 6.0, 6.6, 7.3, 8.0, 9.0,
    ]
    var bounds: [Double] = [1e-6, 2e-6, 3e-6, 5e-6, 7e-6]
    // Dividing by a power of ten rounds to the double nearest to the decimal, multiplying by 1e-5 would not.
    for divisor in [1e5, 1e4, 1e3, 1e2, 1e1, 1e0] {
      bounds += decade.map { ($0 * 100).rounded() / (100 * divisor) }
    }
    return bounds + [10, 15, 30, 60]
  }()

  /// How many buckets there are, the one up to +Inf included.
  package static let count = upperBoundsSeconds.count + 1

  /// The bucket that holds a duration: the first whose upper bound is at least `seconds`. Logarithmic in `count`.
  package static func index(ofSeconds seconds: Double) -> Int {
    var low = 0
    var high = upperBoundsSeconds.count
    while low < high {
      let middle = (low + high) / 2
      if seconds <= upperBoundsSeconds[middle] { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
