// SPDX-License-Identifier: Apache-2.0

// A histogram of durations as numbers: adding, the quantile, and the compact form that the store keeps.

/// Counts by duration bucket with their sum.
package struct Histogram: Sendable, Equatable {
  /// One entry for each of `DurationBuckets`, not cumulative.
  package private(set) var counts: [Int64]
  /// Sum of the observations in seconds.
  package private(set) var sum: Double

  package init() {
    counts = Array(repeating: 0, count: DurationBuckets.count)
    sum = 0
  }

  /// Number of observations.
  package var count: Int64 { counts.reduce(0, +) }

  package mutating func add(_ buckets: [BatchDelta.BucketCount], sum: Double) {
    for bucket in buckets { counts[Int(bucket.bucket)] += bucket.count }
    self.sum += sum
  }

  package mutating func add(_ other: Histogram) {
    for index in counts.indices { counts[index] += other.counts[index] }
    sum += other.sum
  }

  /// The quantile as PromQL's `histogram_quantile` computes it: linear within a bucket, 0 below the lowest, the
  /// highest finite bound for what lies above it. Nil without observations.
  ///
  /// - Parameter quantile: 0…1.
  package func quantile(_ quantile: Double) -> Double? {
    let total = count
    guard total > 0 else { return nil }
    let bounds = DurationBuckets.upperBoundsSeconds
    let rank = quantile * Double(total)
    var below: Int64 = 0
    for index in bounds.indices {
      let through = below + counts[index]
      if Double(through) >= rank, counts[index] > 0 {
        let lower = index == 0 ? 0 : bounds[index - 1]
        return lower + (bounds[index] - lower) * (rank - Double(below)) / Double(counts[index])
      }
      below = through
    }
    return bounds[bounds.count - 1]
  }
}

// The stored form: for each non-empty bucket the distance from the bucket before it and its count, as varints.
extension Histogram {
  /// - Throws: `DamagedBytes` for bytes that `encoded(_:)` cannot have written.
  package static func decode(_ bytes: [UInt8]) throws(DamagedBytes) -> [BatchDelta.BucketCount] {
    var reader = PackedReader(bytes)
    var buckets: [BatchDelta.BucketCount] = []
    var total: Int64 = 0
    while !reader.isAtEnd { try readBucket(&reader, &buckets, &total) }
    return buckets
  }

  /// - Parameter buckets: ascending, counts of at least 1.
  package static func encoded(_ buckets: [BatchDelta.BucketCount]) -> [UInt8] {
    var writer = PackedWriter(capacity: buckets.count * 3)
    write(buckets, to: &writer)
    return writer.bytes
  }

  /// The buckets with their number before them, for where more follows.
  package static func writeCounted(_ buckets: [BatchDelta.BucketCount], to writer: inout PackedWriter) {
    writer.count(buckets.count)
    write(buckets, to: &writer)
  }

  /// - Parameter total: what was read before; the sum must stay countable.
  package static func readCounted(
    _ reader: inout PackedReader, total: inout Int64
  ) throws(DamagedBytes) -> [BatchDelta.BucketCount] {
    let count = try reader.count(max: DurationBuckets.count)
    var buckets: [BatchDelta.BucketCount] = []
    buckets.reserveCapacity(count)
    for _ in 0..<count { try readBucket(&reader, &buckets, &total) }
    return buckets
  }

  /// The non-empty buckets, ascending.
  package var nonEmpty: [BatchDelta.BucketCount] {
    counts.indices.compactMap { counts[$0] == 0 ? nil : .init(bucket: Int32($0), count: counts[$0]) }
  }

  private static func write(_ buckets: [BatchDelta.BucketCount], to writer: inout PackedWriter) {
    var previous: Int32 = 0
    for entry in buckets {
      writer.varint(UInt64(entry.bucket - previous))
      writer.varint(UInt64(entry.count))
      previous = entry.bucket
    }
  }

  /// - Parameter total: what the buckets before hold; their sum must stay countable.
  private static func readBucket(
    _ reader: inout PackedReader, _ buckets: inout [BatchDelta.BucketCount], _ total: inout Int64
  ) throws(DamagedBytes) {
    let previous = buckets.last.map { Int($0.bucket) }
    let distance = try reader.count(max: DurationBuckets.count - 1 - (previous ?? 0))
    let count = try reader.count(max: Int.max)
    let (sum, overflows) = total.addingReportingOverflow(Int64(count))
    guard previous == nil || distance > 0, count > 0, !overflows else { throw reader.damage }
    buckets.append(.init(bucket: Int32((previous ?? 0) + distance), count: Int64(count)))
    total = sum
  }
}
