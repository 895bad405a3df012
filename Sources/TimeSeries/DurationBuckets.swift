// SPDX-License-Identifier: Apache-2.0

// The histogram boundaries of `cache_operation_duration_seconds`, the same for every series and every release:
// a boundary that moves would make old and new counts incomparable.

/// Boundaries of the duration histogram, in seconds.
///
/// Thirty-eight boundaries a decade from 10 µs to 10 s, at most 7.4 % apart. Interpolation inside a bucket errs most where
/// the data end at a wall inside it: a uniform distribution's p99 is then off by at most (√w − √0.01)², 2.97 % at w = 7.4 %,
/// and every smooth distribution's by far less.
package enum DurationBuckets {
  /// Ascending, without +Inf.
  package static let upperBoundsSeconds: [Double] = {
    let decade = [
      1.0, 1.07, 1.14, 1.22, 1.31, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0, 2.1, 2.25, 2.4, 2.5, 2.65, 2.8, 3.0, 3.2, 3.4, 3.6, 3.8,
      4.0, 4.25, 4.5, 4.75, 5.0, 5.3, 5.6, 6.0, 6.4, 6.8, 7.3, 7.8, 8.3, 8.8, 9.4,
    ]
    var bounds: [Double] = [1e-6, 2e-6, 3e-6, 5e-6, 7e-6]
    // Dividing by a power of ten rounds to the double nearest to the decimal, multiplying by 1e-5 would not.
    for divisor in [1e5, 1e4, 1e3, 1e2, 1e1, 1e0] {
      bounds += decade.map { ($0 * 100).rounded() / (100 * divisor) }
    }
    return bounds + [10, 15, 30, 60]
  }()

  /// The `le` of each bucket. OpenMetrics asks for canonical floats (`1.0`), which the text format reads as well.
  package static let boundNames: [String] = upperBoundsSeconds.map(\.description) + ["+Inf"]

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
