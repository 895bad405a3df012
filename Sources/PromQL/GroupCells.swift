// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// What a group of an aggregation holds at one step while its series go by.

/// Collects the values of a group at one step.
protocol GroupCell {
  /// Without a value.
  init()
  mutating func add(_ value: Double)
  /// `absent` where none was added.
  var value: Double { get }
}

struct SumCell: GroupCell {
  private var sum = KahanSum(absent)

  @inline(__always)
  mutating func add(_ value: Double) {
    if isAbsent(sum.sum) { sum = KahanSum(value) } else { sum.add(value) }
  }

  var value: Double { isAbsent(sum.sum) ? absent : sum.value }
}

struct AverageCell: GroupCell {
  private var mean: KahanMean?

  @inline(__always)
  mutating func add(_ value: Double) {
    if mean == nil { mean = KahanMean(value) } else { mean!.add(value) }
  }

  var value: Double { mean?.value ?? absent }
}

struct CountCell: GroupCell {
  private var count = 0.0

  @inline(__always)
  mutating func add(_ value: Double) { count += 1 }

  var value: Double { count == 0 ? absent : count }
}

/// `group`: 1 where there is a series.
struct PresenceCell: GroupCell {
  private(set) var value = absent

  @inline(__always)
  mutating func add(_ value: Double) { self.value = 1 }
}

/// NaN gives way to every other value.
struct MinimumCell: GroupCell {
  private(set) var value = absent

  @inline(__always)
  mutating func add(_ value: Double) {
    if self.value > value || self.value.isNaN { self.value = value }
  }
}

struct MaximumCell: GroupCell {
  private(set) var value = absent

  @inline(__always)
  mutating func add(_ value: Double) {
    if self.value < value || self.value.isNaN { self.value = value }
  }
}

struct VarianceCell: GroupCell {
  private var count = 0.0
  private var mean = 0.0
  private var squares = 0.0

  /// Welford's. An infinite value makes it NaN, the first one too.
  @inline(__always)
  mutating func add(_ value: Double) {
    count += 1
    let delta = value - mean
    mean = count == 1 ? value : mean + delta / count
    squares += count == 1 ? (value.isFinite ? 0 : .nan) : delta * (value - mean)
  }

  var value: Double { count == 0 ? absent : squares / count }
}

struct DeviationCell: GroupCell {
  private var variance = VarianceCell()

  @inline(__always)
  mutating func add(_ value: Double) { variance.add(value) }

  var value: Double {
    let value = variance.value
    return isAbsent(value) ? value : sqrt(value)
  }
}
