// SPDX-License-Identifier: Apache-2.0

// Sums that keep the digits a plain sum rounds away, step for step as Prometheus computes them (util/kahansum).

/// Kahan's sum with Neumaier's improvement.
struct KahanSum {
  var sum: Double
  /// What `sum` lacks.
  var compensation = 0.0

  @inline(__always)
  init(_ first: Double = 0) {
    sum = first
  }

  @inline(__always)
  mutating func add(_ value: Double) {
    let total = sum + value
    if total.magnitude == .infinity {
      compensation = 0
    } else if sum.magnitude >= value.magnitude {
      compensation += (sum - total) + value
    } else {
      compensation += (value - total) + sum
    }
    sum = total
  }

  @inline(__always)
  var value: Double { sum + compensation }
}

/// Four sums side by side, each with the very bits of a `KahanSum`.
struct KahanSums {
  private var sums = SIMD4<Double>.zero
  /// What `sums` lack.
  private var compensations = SIMD4<Double>.zero

  /// Before `values` is asked for, `clearOverflowed` must be called.
  @inline(__always)
  mutating func add(_ values: SIMD4<Double>) {
    let totals = sums + values
    // What a total lacks, whichever of the two was greater (Knuth's two-sum): the number that KahanSum branches for.
    let added = totals - sums
    compensations += (sums - (totals - added)) + (values - added)
    sums = totals
  }

  /// Nothing is lacking where a sum is infinite. What was infinite once is so ever after, or NaN, so once after all
  /// additions is as good as after each.
  @inline(__always)
  mutating func clearOverflowed() {
    let overflowed = (sums .== SIMD4(repeating: .infinity)) .| (sums .== SIMD4(repeating: -.infinity))
    compensations.replace(with: 0, where: overflowed)
  }

  @inline(__always)
  var values: SIMD4<Double> { sums + compensations }
}

/// A mean that is the sum divided by the count until the sum would overflow, and runs along from there on.
struct KahanMean {
  private var sum: KahanSum
  private(set) var count = 1.0
  /// Whether `sum` holds the mean itself.
  private var isRunning = false

  @inline(__always)
  init(_ first: Double) {
    sum = KahanSum(first)
  }

  @inline(__always)
  mutating func add(_ value: Double) {
    count += 1
    if !isRunning {
      var next = sum
      next.add(value)
      if next.sum.magnitude != .infinity {
        sum = next
        return
      }
    }
    addRunning(value)
  }

  private mutating func addRunning(_ value: Double) {
    if !isRunning {
      isRunning = true
      sum.sum /= count - 1
      sum.compensation /= count - 1
    }
    let weight = (count - 1) / count
    sum.sum *= weight
    sum.compensation *= weight
    sum.add(value / count)
  }

  var value: Double { isRunning ? sum.value : sum.sum / count + sum.compensation / count }
}
