// SPDX-License-Identifier: Apache-2.0

// What the nodes of an expression hand to each other: one series with its values at all steps.

internal import TimeSeries

/// Bits of a step without a sample: the stale marker's, which no sample that a query sees can have.
private let absentBits: UInt64 = 0x7ff0_0000_0000_0002

/// Stands for a step without a sample. It is a signalling NaN: arithmetic does not keep it, so test before computing.
var absent: Double {
  @inline(__always) get { Double(bitPattern: absentBits) }
}

@inline(__always)
func isAbsent(_ value: Double) -> Bool { value.bitPattern == absentBits }

/// One series of an expression at every step.
struct Row: Sendable {
  var labels: Labels
  /// Its `__name__` goes when the query is done: until then `label_replace` and `by (__name__)` may still ask for it
  /// (Prometheus: delayed name removal).
  var dropsName: Bool
  /// One for each step, `absent` where there is no sample.
  var values: [Double]

  init(labels: Labels = Labels([]), dropsName: Bool = false, values: [Double] = []) {
    self.labels = labels
    self.dropsName = dropsName
    self.values = values
  }

  /// Starts the next series in the same memory.
  mutating func reset(_ labels: Labels, dropsName: Bool, count: Int) {
    self.labels = labels
    self.dropsName = dropsName
    // The one who was handed the row may have taken the values for itself.
    if values.count != count { values = Array(repeating: absent, count: count) }
  }

  /// Hands the values over without a copy.
  mutating func takeValues() -> [Double] {
    var taken: [Double] = []
    swap(&taken, &values)
    return taken
  }

  @inline(__always)
  mutating func map(_ transform: (Double) -> Double) {
    for index in values.indices {
      let value = values[index]
      if !isAbsent(value) { values[index] = transform(value) }
    }
  }

  /// Whether no step has a sample.
  var isEmpty: Bool { !values.contains { !isAbsent($0) } }

  var presentCount: Int {
    var count = 0
    for value in values where !isAbsent(value) { count &+= 1 }
    return count
  }
}

/// All series of an expression, kept together, and what they cost the query's budget.
struct Frame: Sendable {
  var rows: [Row] = []
  var cost = 0
}
