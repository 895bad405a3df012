// SPDX-License-Identifier: Apache-2.0

// What became of one body.

package import TimeSeries

/// One record that was not counted, and why.
package struct Rejection: Sendable, Equatable {
  /// Line, or index of the array element or object, from 1.
  package var line: Int
  package let reason: String
  package let record: RejectedRecord
  /// Whether `record` is all of it; else it was cut.
  package let isWhole: Bool

  package var bytes: [UInt8] { record.bytes }
}

/// A record that was not counted, with what its protocol said of it beside its bytes.
package struct RejectedRecord: Sendable, Equatable {
  package var bytes: [UInt8]
  /// The time that counts where the record tells none; nil for the time of receipt.
  package var timeMs: Int64?
  /// Of its source; empty where that says nothing.
  package var service: String
  package var cache: String

  package init(bytes: [UInt8], timeMs: Int64?, service: String, cache: String) {
    self.bytes = bytes
    self.timeMs = timeMs
    self.service = service
    self.cache = cache
  }
}

/// What one body adds, and how its records fared: `accepted + rejected + ignored` is their number.
package struct DecodedBatch: Sendable {
  package var delta = BatchDelta()
  package var accepted = 0
  package var rejected = 0
  /// Well-formed, but no cache event.
  package var ignored = 0
  /// The first `rejectionsKeptMax`, in order.
  package var rejections: [Rejection] = []
  /// Whether some event had a non-empty `correlation_id` or `id`, so that an equal body is the same body.
  package var carriesIdentity = false
  /// The latest time of an accepted event.
  package var newestEventMs: Int64?
  /// How many times a label value became `__overflow__` because the body held too many.
  package var overflowedLabels = 0
  /// What was looked up, for `HotKeys`.
  package var keys = KeySamples()
  /// What is kept as it was received.
  package var recent = RecentEvents()
}

extension DecodedBatch {
  /// The batch of a body that began behind so many lines of something longer.
  package consuming func numbered(from lines: Int64) -> DecodedBatch {
    for index in rejections.indices { rejections[index].line += Int(lines) }
    return self
  }
}
