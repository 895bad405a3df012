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
