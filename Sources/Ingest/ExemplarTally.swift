// SPDX-License-Identifier: Apache-2.0

// Events that stand for the bucket their duration fell into: at most one for each row and bucket of a body, so that next
// to none of them is copied. Which are kept in the end is the store's business.

import JSON
import TimeSeries

/// Exemplars of a body.
struct ExemplarTally {
  struct Entry {
    let row: Int32
    let bucket: Int32
    let timeMs: Int64
    let seconds: Double
    /// Of its id in `text`, which begins where the one before ends.
    let textEnd: Int
  }

  /// Of a second. The store keeps one for each bucket, so that a stream of full bodies need not bring more.
  private static let entriesMax = 4_096
  private var second: Int64 = .min
  private var entriesOfSecond = 0

  private(set) var entries: [Entry] = []
  /// The ids, one after the other.
  private(set) var text: [UInt8] = []

  mutating func begin(receivedAtMs: Int64) {
    let second = floor(receivedAtMs, to: 1_000)
    if second != self.second { entriesOfSecond = 0 }
    self.second = second
  }

  mutating func removeAll() {
    // At most 4,096 of some 500 bytes each.
    entries.removeAll(keepingCapacity: true)
    text.removeAll(keepingCapacity: true)
  }

  /// Keeps an event, unless its id is none that can be shown.
  @inline(never)
  mutating func add(row: Int, bucket: Int, timeMs: Int64, ms: Double, _ id: JSONString, _ bytes: Span<UInt8>) {
    guard entriesOfSecond < ExemplarTally.entriesMax, id.count <= Exemplar.idBytesMax else { return }
    let start = text.count
    if id.hasEscapes {
      JSONCursor.append(id, of: bytes, to: &text)
    } else {
      for index in id.start..<id.end { text.append(bytes[index]) }
    }
    guard Exemplar.isShown(text[start...]) else {
      text.removeLast(text.count - start)
      return
    }
    entriesOfSecond += 1
    // To the nanosecond: 4.2 / 1000 is no number that anybody would write.
    let seconds = (ms * 1e6).rounded() / 1e9
    entries.append(Entry(row: Int32(row), bucket: Int32(bucket), timeMs: timeMs, seconds: seconds, textEnd: text.count))
  }
}
