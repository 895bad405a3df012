// SPDX-License-Identifier: Apache-2.0

// Quantiles and fractions of a histogram whose buckets are series with an upper bound `le` and a cumulative count.

/// The buckets of one histogram at one step, ascending by bound; the memory serves step after step.
struct ClassicHistogram {
  private(set) var bounds: [Double] = []
  private(set) var counts: [Double] = []

  mutating func removeAll() {
    bounds.removeAll(keepingCapacity: true)
    counts.removeAll(keepingCapacity: true)
  }

  /// - Parameter bound: not below the last one; the counts of equal ones are added.
  mutating func append(bound: Double, count: Double) {
    if bounds.last == bound {
      counts[counts.count - 1] += count
    } else {
      bounds.append(bound)
      counts.append(count)
    }
  }

  /// φ-quantile by linear interpolation inside of a bucket (Prometheus: functions#histogram_quantile).
  ///
  /// - Parameter repair: told where counts fell from one bucket to the next.
  mutating func quantile(_ quantile: Double, repair: (MonotonicityRepair) -> Void, timeMs: Int64) -> Double {
    if quantile.isNaN { return .nan }
    if quantile < 0 { return -.infinity }
    if quantile > 1 { return .infinity }
    guard bounds.last == .infinity else { return .nan }
    if let made = makeMonotonic(timeMs: timeMs) { repair(made) }
    let last = counts.count - 1
    guard last > 0, counts[last] != 0 else { return .nan }
    var rank = quantile * counts[last]
    let index = firstIndex(reaching: rank)
    // Nothing is known of what lies above the highest bound, or below a lowest one that is not positive.
    if index == last { return bounds[last - 1] }
    if index == 0, bounds[0] <= 0 { return bounds[0] }
    guard index > 0 else { return bounds[0] * (rank / counts[0]) }
    rank -= counts[index - 1]
    return bounds[index - 1] + (bounds[index] - bounds[index - 1]) * (rank / (counts[index] - counts[index - 1]))
  }

  /// The first bucket but the last whose count reaches the rank, or the last.
  private func firstIndex(reaching rank: Double) -> Int {
    var low = 0
    var high = counts.count - 1
    while low < high {
      let middle = (low + high) / 2
      if counts[middle] >= rank { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Differences below this are what adding and dividing floats leaves, and are passed over in silence
  /// (Prometheus: `smallDeltaTolerance`).
  private static let tolerance = 1e-12

  /// Raises counts that are less than the one before.
  private mutating func makeMonotonic(timeMs: Int64) -> MonotonicityRepair? {
    var repair: MonotonicityRepair?
    var previous = counts[0]
    for index in counts.indices.dropFirst() {
      let count = counts[index]
      if count == previous { continue }
      if Tolerance.areEqual(previous, count, ClassicHistogram.tolerance) {
        counts[index] = previous
      } else if count < previous {
        counts[index] = previous
        let bound = bounds[index]
        let made = MonotonicityRepair(
          fromMs: timeMs, throughMs: timeMs, lowestBound: bound, highestBound: bound, largestDrop: previous - count)
        repair = repair?.merged(with: made) ?? made
      } else {
        previous = count
      }
    }
    repair?.sampleCount = 1
    return repair
  }

  /// The part of the observations between two values.
  func fraction(from lower: Double, through upper: Double) -> Double {
    guard bounds.last == .infinity, let total = counts.last else { return .nan }
    if total == 0 || lower.isNaN || upper.isNaN { return .nan }
    if lower >= upper { return 0 }
    return (min(rank(of: upper), total) - min(rank(of: lower), total)) / total
  }

  /// How many observations are below a value, by linear interpolation; in a bucket without an end on one side there
  /// is none.
  private func rank(of value: Double) -> Double {
    var lowerBound = bounds[0] <= 0 ? -Double.infinity : 0
    var below = 0.0
    for index in bounds.indices {
      if lowerBound >= value { return below }
      if bounds[index] > value {
        if lowerBound == -.infinity { return counts[index] }
        return below + (counts[index] - below) * (value - lowerBound) / (bounds[index] - lowerBound)
      }
      below = counts[index]
      lowerBound = bounds[index]
    }
    return counts[counts.count - 1]
  }
}

/// When two floats are the same but for rounding (Prometheus: `util/almost`).
enum Tolerance {
  /// - Parameter epsilon: of their sum.
  static func areEqual(_ left: Double, _ right: Double, _ epsilon: Double) -> Bool {
    if isAbsent(left) || isAbsent(right) { return isAbsent(left) && isAbsent(right) }
    if left == right || (left.isNaN && right.isNaN) { return true }
    let sum = left.magnitude + right.magnitude
    let difference = (left - right).magnitude
    if left == 0 || right == 0 || sum < .leastNormalMagnitude { return difference < epsilon * .leastNormalMagnitude }
    return difference / min(sum, .greatestFiniteMagnitude) < epsilon
  }
}
