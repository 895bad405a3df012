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

// The stored form: for each non-empty bucket the distance from the bucket before it and its count, as LEB128 varints.
extension Histogram {
  /// - Throws: `HistogramDecodingError` for bytes that `encoded(_:)` cannot have written.
  package static func decode(_ bytes: [UInt8]) throws(HistogramDecodingError) -> [BatchDelta.BucketCount] {
    var buckets: [BatchDelta.BucketCount] = []
    var position = 0
    var bucket: UInt64 = 0
    var total: Int64 = 0
    while position < bytes.count {
      let distance = try varint(bytes, &position)
      let count = try varint(bytes, &position)
      // Sixty-three bits each, so neither sum can pass what its type holds but the total's.
      bucket += distance
      let (sum, overflows) = total.addingReportingOverflow(Int64(count))
      let isAscending = buckets.isEmpty || distance > 0
      guard isAscending, bucket < UInt64(DurationBuckets.count), count > 0, !overflows else {
        throw HistogramDecodingError(offset: position)
      }
      buckets.append(.init(bucket: Int32(bucket), count: Int64(count)))
      total = sum
    }
    return buckets
  }

  /// - Parameter buckets: ascending, counts of at least 1.
  package static func encoded(_ buckets: [BatchDelta.BucketCount]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(buckets.count * 3)
    var previous: Int32 = 0
    for entry in buckets {
      append(varint: UInt64(entry.bucket - previous), to: &bytes)
      append(varint: UInt64(entry.count), to: &bytes)
      previous = entry.bucket
    }
    return bytes
  }

  /// The non-empty buckets, ascending.
  package var nonEmpty: [BatchDelta.BucketCount] {
    counts.indices.compactMap { counts[$0] == 0 ? nil : .init(bucket: Int32($0), count: counts[$0]) }
  }

  private static func append(varint value: UInt64, to bytes: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private static func varint(_ bytes: [UInt8], _ position: inout Int) throws(HistogramDecodingError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < bytes.count, shift < 63 {
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw HistogramDecodingError(offset: position)
  }
}

/// A stored histogram that cannot have been written by this program: the file is damaged.
package struct HistogramDecodingError: Error, Equatable, CustomStringConvertible {
  package let offset: Int
  package var description: String { "stored histogram: damaged at byte \(offset)" }
}
