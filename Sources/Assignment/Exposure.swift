// SPDX-License-Identifier: Apache-2.0

// What a flag did to its users from a moment on. Ingest asks for the past as well, since late events belong to the
// cohort of their own time.

/// Whom a flag treats from a moment on.
package struct Exposure: Equatable, Sendable {
  package let flag: String
  /// Epoch milliseconds from which on it holds.
  package let atMs: Int64
  /// 0...10000: the buckets below it are in treatment. 0 while the flag is disabled or killed.
  package let treatedBuckets: Int
  package let salt: String
  package let bucketing: Bucketing
  /// The caches whose events are told apart; none for a flag that was deleted.
  package let caches: [String]

  /// - Parameter treatedBuckets: 0...10000.
  package init(flag: String, atMs: Int64, treatedBuckets: Int, salt: String, bucketing: Bucketing, caches: [String]) {
    precondition((0...Bucketing.bucketCount).contains(treatedBuckets), "buckets are 0..<\(Bucketing.bucketCount)")
    self.flag = flag
    self.atMs = atMs
    self.treatedBuckets = treatedBuckets
    self.salt = salt
    self.bucketing = bucketing
    self.caches = caches
  }
}
