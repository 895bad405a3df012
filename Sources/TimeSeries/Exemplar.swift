// SPDX-License-Identifier: Apache-2.0

// One event that stands for a bucket of a histogram, by which somebody finds its trace or log.
// https://prometheus.io/docs/specs/om/open_metrics_spec/#exemplars

/// An observation with the id of what it was part of.
package struct Exemplar: Sendable, Equatable {
  /// The one label of an exemplar.
  package static let label = "correlation_id"
  /// OpenMetrics: name and value of its labels have together at most 128 code points.
  package static let idScalarsMax = 128 - 14
  /// Longer ones, escapes counted, have too many code points: one takes six bytes at most, as an escape.
  package static let idBytesMax = 114 * 6

  package let id: String
  package let seconds: Double
  package let timeMs: Int64

  package init(id: String, seconds: Double, timeMs: Int64) {
    self.id = id
    self.seconds = seconds
    self.timeMs = timeMs
  }

  /// Whether an id can be shown: not empty, not too long, without control characters.
  package static func isShown(_ id: ArraySlice<UInt8>) -> Bool {
    var scalars = 0
    for byte in id {
      if byte < 0x20 || byte == 0x7f { return false }
      // All bytes of a character but the first begin with the bits 10.
      if byte & 0xc0 != 0x80 { scalars += 1 }
    }
    return scalars > 0 && scalars <= idScalarsMax
  }
}
