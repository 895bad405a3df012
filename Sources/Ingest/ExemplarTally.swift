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

  /// Of a body.
  private static let entriesMax = 4_096

  private(set) var entries: [Entry] = []
  /// The ids, one after the other.
  private(set) var text: [UInt8] = []

  mutating func removeAll() {
    // At most 4,096 of some 500 bytes each.
    entries.removeAll(keepingCapacity: true)
    text.removeAll(keepingCapacity: true)
  }

  /// Keeps an event, unless its id is none that can be shown.
  @inline(never)
  mutating func add(row: Int, bucket: Int, timeMs: Int64, ms: Double, _ id: JSONString, _ bytes: Span<UInt8>) {
    guard entries.count < ExemplarTally.entriesMax, id.count <= Exemplar.idBytesMax else { return }
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
    // To the nanosecond: 4.2 / 1000 is no number that anybody would write.
    let seconds = (ms * 1e6).rounded() / 1e9
    entries.append(Entry(row: Int32(row), bucket: Int32(bucket), timeMs: timeMs, seconds: seconds, textEnd: text.count))
  }
}
