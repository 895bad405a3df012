// SPDX-License-Identifier: Apache-2.0

// How many durations of each row fell into each bucket, and whether one of them has been kept as its exemplar. Sixteen
// buckets share a chunk, made when the first of them is counted: finding one takes two loads and no search, they come out
// ascending, and the size follows what was counted.

import TimeSeries

/// Counts by row and duration bucket.
struct BucketCounts {
  private static let chunkSize = 16
  /// Of a count whose bucket has an exemplar. A body never has as many events.
  private static let mark: UInt32 = 1 << 31
  private static let chunksOfRow = (DurationBuckets.count + chunkSize - 1) / chunkSize

  /// For each row its chunks' numbers, 0 for those that are not there.
  private var chunks: [Int32] = []
  /// Chunk by chunk; number 0 is none.
  private var counts = [UInt32](repeating: 0, count: BucketCounts.chunkSize)

  /// Makes room for one more row.
  mutating func addRow() {
    chunks.append(contentsOf: repeatElement(0, count: BucketCounts.chunksOfRow))
  }

  /// - Parameter isExemplar: whether the duration may stand for its bucket.
  /// - Returns: whether it is the first of its bucket that may.
  @inline(__always)
  mutating func add(row: Int, bucket: Int, isExemplar: Bool) -> Bool {
    let place = row &* BucketCounts.chunksOfRow &+ bucket / BucketCounts.chunkSize
    var chunk = Int(chunks[place])
    if chunk == 0 { chunk = addChunk(place) }
    let index = chunk &* BucketCounts.chunkSize &+ bucket % BucketCounts.chunkSize
    let count = counts[index] &+ 1
    let isFirst = isExemplar && count < BucketCounts.mark
    counts[index] = isFirst ? count | BucketCounts.mark : count
    return isFirst
  }

  /// The counts of one row, ascending by bucket, without empty ones.
  func buckets(ofRow row: Int) -> [BatchDelta.BucketCount] {
    var buckets: [BatchDelta.BucketCount] = []
    var isFirst = true
    for index in 0..<BucketCounts.chunksOfRow {
      let chunk = Int(chunks[row * BucketCounts.chunksOfRow + index])
      guard chunk > 0 else { continue }
      // Most rows of a body of many series have few durations, so that a second allocation is rare.
      if isFirst { buckets.reserveCapacity(BucketCounts.chunkSize) }
      isFirst = false
      for offset in 0..<BucketCounts.chunkSize {
        let count = counts[chunk * BucketCounts.chunkSize + offset] & ~BucketCounts.mark
        guard count > 0 else { continue }
        buckets.append(.init(bucket: Int32(index * BucketCounts.chunkSize + offset), count: Int64(count)))
      }
    }
    return buckets
  }

  mutating func removeAll(keepingCapacity: Bool) {
    chunks.removeAll(keepingCapacity: keepingCapacity)
    counts.removeAll(keepingCapacity: keepingCapacity)
    counts.append(contentsOf: repeatElement(0, count: BucketCounts.chunkSize))
  }

  @inline(never)
  private mutating func addChunk(_ place: Int) -> Int {
    let chunk = counts.count / BucketCounts.chunkSize
    counts.append(contentsOf: repeatElement(0, count: BucketCounts.chunkSize))
    chunks[place] = Int32(chunk)
    return chunk
  }
}
