// SPDX-License-Identifier: Apache-2.0

// The bounds and defaults of reading events. Where they come from (configuration, a source) is not known here.

package import Assignment

/// How events are read.
package struct IngestSettings: Sendable {
  /// Width of a window in ms, at least 1.
  package var resolutionMs: Int64 = 10_000
  /// Events older than this before the time of receipt are rejected; by default two years.
  package var oldestMs: Int64 = 730 * 86_400_000
  /// Events further ahead of the time of receipt are rejected.
  package var futureMs: Int64 = 600_000
  /// Longest line or array element.
  package var lineBytesMax: Int = 256 << 10
  package var keyPatterns = KeyPatterns()
  /// The service of events that neither say theirs nor have a key that tells.
  package var defaultService: String?
  /// The cache of events that neither say theirs nor have a key that tells.
  package var defaultCache: String?
  /// How many rejections an answer lists.
  package var errorsMax = 20
  /// How many rejections of one body are kept with their bytes.
  package var rejectionsKeptMax = 1000
  /// How much of a rejected record is kept: all of one that is not too long.
  package var rejectedLineBytesMax = 256 << 10
  /// How many bytes of rejected records of one body are kept; of those behind, `rejectedExcerptBytesMax` each.
  package var rejectedBodyBytesMax = 4 << 20
  package var rejectedExcerptBytesMax = 4096
  /// Distinct values of one label in one body that come from outside; the rest become `__overflow__`.
  package var labelValuesMax = 1000
  /// About how many events a second of one decoder are looked at for the keys they look up, so that at any load it takes
  /// less than a thousandth of a processor; 0 for none.
  package var keySamplesPerSecond = 4_096
  /// Seeds the hashes of users, which only those of one seed can be merged of; the store's, so that nobody outside can
  /// choose ids that count for more.
  package var userSeed: UInt64 = 0
  /// About how many events a second of one decoder are kept as they were received, beside those that always are.
  package var recentEventsPerSecond = 200
  /// How many bytes of such events one body may leave; 0 keeps none.
  package var recentBytesMax = 8 << 20

  /// Which flags tell the users of which caches apart; asked once for each body.
  package var cohorts: @Sendable () -> CohortPicture = { .empty }

  package init() {}
}
