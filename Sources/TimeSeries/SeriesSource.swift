// SPDX-License-Identifier: Apache-2.0

// What a query reads from: the store's reader and the test language's memory are its two conformers. No SQL and no
// blocks here.

/// Samples of one series, reused from series to series so that a query over many allocates for the longest.
package struct SampleBuffer: Sendable {
  /// Milliseconds since 1970, ascending, none twice.
  package private(set) var timesMs: [Int64] = []
  /// One for each time. A stale marker is `StaleMarker.value`; other NaN are values.
  package private(set) var values: [Double] = []

  package init() {}

  package var count: Int { timesMs.count }

  /// - Parameter timeMs: later than the last one.
  package mutating func append(timeMs: Int64, value: Double) {
    timesMs.append(timeMs)
    values.append(value)
  }

  /// Lends both arrays to one who appends many: from another module `append` is a call for each sample, some 10 ns.
  ///
  /// - Parameter body: must leave as many values as times, and the times ascending.
  package mutating func write(_ body: (_ timesMs: inout [Int64], _ values: inout [Double]) throws -> Void) rethrows {
    defer { precondition(timesMs.count == values.count, "\(timesMs.count) times have \(values.count) values") }
    try body(&timesMs, &values)
  }

  /// Replaces the newest value; its time stays.
  package mutating func replaceLast(value: Double) {
    values[values.count - 1] = value
  }

  package mutating func removeAll() {
    timesMs.removeAll(keepingCapacity: true)
    values.removeAll(keepingCapacity: true)
  }

  /// Leaves out the stale markers, as every range vector does.
  package mutating func removeStaleMarkers() {
    guard let first = values.firstIndex(where: { StaleMarker.isStale($0) }) else { return }
    var kept = first
    for index in first..<values.count where !StaleMarker.isStale(values[index]) {
      timesMs[kept] = timesMs[index]
      values[kept] = values[index]
      kept += 1
    }
    timesMs.removeLast(timesMs.count - kept)
    values.removeLast(values.count - kept)
  }

  package mutating func reserve(_ count: Int) {
    timesMs.reserveCapacity(count)
    values.reserveCapacity(count)
  }
}

/// The sample that says a series has ended: a NaN of its own, told from every other by its bits (Prometheus,
/// `model/value/value.go`).
package enum StaleMarker {
  package static let bits: UInt64 = 0x7ff0_0000_0000_0002
  package static let value = Double(bitPattern: bits)

  @inline(__always)
  package static func isStale(_ value: Double) -> Bool { value.bitPattern == bits }
}

/// Series to be queried, as one snapshot: what is read of it does not change while it is used.
package protocol SeriesSource {
  associatedtype Series

  /// The series that all matchers match and that may have samples in the range; in any order, none twice.
  ///
  /// - Parameters:
  ///   - fromMs: first time wanted.
  ///   - throughMs: last time wanted, included.
  func series(matching matchers: [Matcher], fromMs: Int64, throughMs: Int64) throws -> [Series]

  /// The labels of a series, `__name__` included.
  func labels(of series: Series) -> Labels

  /// Appends the samples of a series with `fromMs <= time <= throughMs`, ascending, stale markers included.
  func appendSamples(of series: Series, fromMs: Int64, throughMs: Int64, to samples: inout SampleBuffer) throws
}
