// SPDX-License-Identifier: Apache-2.0

// What one body of events adds to the store: sums per series and window, never one entry an event, so that the cost of
// a commit grows with the series touched.

/// How the values of a series combine.
package enum SeriesKind: Int, Sendable, Hashable {
  /// Increments, added up.
  case counter = 1
  /// Samples; at one time the last written counts.
  case gauge = 2
  /// Counts by duration bucket, added up (`DurationBuckets`).
  case histogram = 3
}

/// What identifies a series in the store.
package struct SeriesKey: Hashable, Sendable {
  package let kind: SeriesKind
  package let labels: Labels

  package init(kind: SeriesKind, labels: Labels) {
    self.kind = kind
    self.labels = labels
  }
}

/// What one body adds. Adding the same delta to a store twice counts it twice: the dedupe key beside it prevents that.
package struct BatchDelta: Sendable {
  package typealias SeriesKey = TimeSeries.SeriesKey

  /// Events of one counter in one window.
  package struct Count: Sendable, Equatable {
    /// Index into `BatchDelta.series`.
    package var series: Int
    /// Start of the window, a multiple of the resolution.
    package var windowStartMs: Int64
    /// At least 0.
    package var increment: Int64

    package init(series: Int, windowStartMs: Int64, increment: Int64) {
      self.series = series
      self.windowStartMs = windowStartMs
      self.increment = increment
    }
  }

  /// How many observations fell into one histogram bucket.
  package struct BucketCount: Sendable, Equatable {
    /// Index as of `DurationBuckets.index(ofSeconds:)`.
    package var bucket: Int32
    /// At least 1; not cumulative.
    package var count: Int64

    package init(bucket: Int32, count: Int64) {
      self.bucket = bucket
      self.count = count
    }
  }

  /// Observations of one histogram in one window.
  package struct Distribution: Sendable, Equatable {
    /// Index into `BatchDelta.series`.
    package var series: Int
    /// Start of the window, a multiple of the resolution.
    package var windowStartMs: Int64
    /// Ascending by bucket, no bucket twice.
    package var buckets: [BucketCount]
    /// Sum of the observations in seconds.
    package var sum: Double

    package init(series: Int, windowStartMs: Int64, buckets: [BucketCount], sum: Double) {
      self.series = series
      self.windowStartMs = windowStartMs
      self.buckets = buckets
      self.sum = sum
    }
  }

  /// One sample of a gauge.
  package struct Gauge: Sendable, Equatable {
    /// Index into `BatchDelta.series`.
    package var series: Int
    package var timestampMs: Int64
    package var value: Double

    package init(series: Int, timestampMs: Int64, value: Double) {
      self.series = series
      self.timestampMs = timestampMs
      self.value = value
    }
  }

  /// Users that were seen in one slice of time (`UserSlices`).
  package struct Users: Sendable, Equatable {
    /// Index into `BatchDelta.series`.
    package var series: Int
    package var sliceStartMs: Int64
    /// The registers that they raise in a sketch (`UserRegister`), as often as the users were seen.
    package var registers: [UInt32]

    package init(series: Int, sliceStartMs: Int64, registers: [UInt32]) {
      self.series = series
      self.sliceStartMs = sliceStartMs
      self.registers = registers
    }
  }

  /// One event that stands for a bucket of a histogram.
  package struct BucketExemplar: Sendable, Equatable {
    /// Index into `BatchDelta.series`.
    package var series: Int
    package var bucket: Int32
    package var timeMs: Int64
    package var seconds: Double
    /// Its id in `exemplarText`, as `Exemplar.isShown` wants it.
    package var text: Range<Int>

    package init(series: Int, bucket: Int32, timeMs: Int64, seconds: Double, text: Range<Int>) {
      self.series = series
      self.bucket = bucket
      self.timeMs = timeMs
      self.seconds = seconds
      self.text = text
    }
  }

  /// Unique; the other members point into it.
  package var series: [SeriesKey] = []
  package var counts: [Count] = []
  package var distributions: [Distribution] = []
  /// In the order the events came in.
  package var gauges: [Gauge] = []
  /// A series in a slice may appear more than once.
  package var users: [Users] = []
  /// At most one for a series and bucket: the latest.
  package var exemplars: [BucketExemplar] = []
  package var exemplarText: [UInt8] = []

  package init() {}

  package var isEmpty: Bool { counts.isEmpty && distributions.isEmpty && gauges.isEmpty && users.isEmpty }
}
