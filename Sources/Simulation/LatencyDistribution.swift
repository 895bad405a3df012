// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// How long something takes: lognormal, as latencies are. The quantile function is tabulated once in whole
// microseconds, so a draw is an index and an interpolation of integers, equal on every machine.

/// A lognormal distribution of durations, cut at its 0.01 and 99.99 percentiles.
package struct LatencyDistribution: Sendable {
  private static let stepsCount = 1_024
  private let quantilesUs: [Int32]

  /// - Parameters: the 1st and 99th percentile in microseconds; 0 < p1 <= p99.
  package init(p1Us: Int, p99Us: Int) {
    precondition(0 < p1Us && p1Us <= p99Us, "percentiles of a latency ascend from above 0")
    let low = log(Double(p1Us))
    let high = log(Double(p99Us))
    let mean = (low + high) / 2
    let deviation = (high - low) / (2 * Self.normalQuantile(0.99))
    quantilesUs = (0...Self.stepsCount).map { step in
      let share = min(max(Double(step) / Double(Self.stepsCount), 0.0001), 0.9999)
      return Int32(exp(mean + deviation * Self.normalQuantile(share)).rounded())
    }
  }

  /// A duration in microseconds, at least 1.
  package func sampleUs(_ random: inout SeededGenerator) -> Int {
    let bits = random.next()
    let step = Int(truncatingIfNeeded: bits &>> 54)
    let fraction = Int(truncatingIfNeeded: (bits &>> 34) & 0xF_FFFF)
    let from = Int(quantilesUs[step])
    let to = Int(quantilesUs[step &+ 1])
    return max(1, from &+ (((to &- from) &* fraction) &>> 20))
  }

  // Abramowitz and Stegun 26.2.23; its error below 4.5e-4 is far under the width of a histogram bucket.
  private static func normalQuantile(_ share: Double) -> Double {
    if share < 0.5 { return -normalQuantile(1 - share) }
    let t = (-2 * log(1 - share)).squareRoot()
    let numerator = 2.515517 + t * (0.802853 + t * 0.010328)
    let denominator = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308))
    return t - numerator / denominator
  }
}
