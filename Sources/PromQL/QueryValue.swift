// SPDX-License-Identifier: Apache-2.0

package import TimeSeries

// What a query answers.

/// The value of a query.
package enum QueryValue: Sendable {
  /// Of an instant query.
  case scalar(Double, timeMs: Int64)
  /// Of an instant query.
  case string(String, timeMs: Int64)
  /// Of an instant query: in the order of `sort` and `topk` where the query asks for one, otherwise in no order.
  case vector([InstantSample])
  /// Of a range query, or of an instant query for a range vector: ascending by labels, no series empty.
  case matrix([SampleSeries])
}

/// One series of an instant vector.
package struct InstantSample: Sendable, Equatable {
  package let labels: Labels
  package let timeMs: Int64
  package let value: Double

  package init(labels: Labels, timeMs: Int64, value: Double) {
    self.labels = labels
    self.timeMs = timeMs
    self.value = value
  }
}

/// One series of a matrix.
package struct SampleSeries: Sendable, Equatable {
  package let labels: Labels
  /// Ascending. Series with a sample at every step share one array.
  package let timesMs: [Int64]
  /// One for each time.
  package let values: [Double]

  package init(labels: Labels, timesMs: [Int64], values: [Double]) {
    self.labels = labels
    self.timesMs = timesMs
    self.values = values
  }
}

/// A query's value and what there is to say about it.
package struct QueryResult: Sendable {
  package let value: QueryValue
  package let annotations: Annotations
}
