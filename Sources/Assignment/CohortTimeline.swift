// SPDX-License-Identifier: Apache-2.0

// Who is in treatment, for one cache, at any time: the exposures of all flags that govern it as one row of segments.

/// The cohorts of one cache over time.
package struct CohortTimeline: Equatable, Sendable {
  /// A span of time in which one flag decides, or none.
  package struct Segment: Equatable, Sendable {
    /// Epoch milliseconds; the segment holds at this one already.
    package let startMs: Int64
    /// 0...10000; nil where no flag governs the cache.
    package let treatedBuckets: Int?
    fileprivate let salted: Murmur3

    /// Whether a user is in treatment; otherwise in control.
    ///
    /// - Parameter userID: the bytes that are hashed after the salt. Allocates nothing.
    package func isTreated(_ userID: Span<UInt8>) -> Bool {
      // Nobody and everybody need no hash.
      guard let treatedBuckets, treatedBuckets > 0 else { return false }
      guard treatedBuckets < Bucketing.bucketCount else { return true }
      return Bucketing.scale(Bucketing.hash(salted, userID), to: Bucketing.bucketCount) < treatedBuckets
    }
  }

  /// Ascending by start, no start twice; neighbours differ.
  package let segments: [Segment]

  /// - Parameters:
  ///   - cache: its name.
  ///   - exposures: in the order in which they came, of any flags. Where the clock went back meanwhile, a later one takes
  ///     the place of those of its flag that begin at its time or after.
  package init(cache: String, _ exposures: [Exposure]) {
    var segments: [Segment] = []
    var governing: [String: Change] = [:]
    var deciding: Change?
    for change in CohortTimeline.inOrderOfTime(exposures) {
      governing[change.exposure.flag] = change.exposure.caches.contains(cache) ? change : nil
      if governing[change.exposure.flag] != nil {
        deciding = change
      } else if deciding?.exposure.flag == change.exposure.flag {
        deciding = governing.values.max { ($0.exposure.atMs, $0.number) < ($1.exposure.atMs, $1.number) }
      }
      CohortTimeline.append(Segment(startMs: change.exposure.atMs, deciding?.exposure), to: &segments)
    }
    self.segments = segments
  }

  /// The index of the segment that a time falls into; nil before the first one.
  package func index(atMs timeMs: Int64) -> Int? {
    // Most events are of now.
    if let last = segments.last, timeMs >= last.startMs { return segments.count - 1 }
    var low = 0
    var high = segments.count
    while low < high {
      let middle = (low + high) / 2
      if segments[middle].startMs <= timeMs { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? nil : low - 1
  }

  private struct Change {
    let number: Int
    let exposure: Exposure
  }

  private static func inOrderOfTime(_ exposures: [Exposure]) -> [Change] {
    var changes: [String: [Change]] = [:]
    for (number, exposure) in exposures.enumerated() {
      var own = changes.removeValue(forKey: exposure.flag) ?? []
      while let last = own.last, last.exposure.atMs >= exposure.atMs { own.removeLast() }
      own.append(Change(number: number, exposure: exposure))
      changes[exposure.flag] = own
    }
    return changes.values.flatMap { $0 }.sorted { ($0.exposure.atMs, $0.number) < ($1.exposure.atMs, $1.number) }
  }

  private static func append(_ segment: Segment, to segments: inout [Segment]) {
    // Of several changes at one time the last one decides.
    if segments.last?.startMs == segment.startMs { segments.removeLast() }
    guard segments.last.map({ !$0.decidesLike(segment) }) ?? true else { return }
    segments.append(segment)
  }
}

extension CohortTimeline.Segment {
  fileprivate init(startMs: Int64, _ exposure: Exposure?) {
    self.startMs = startMs
    treatedBuckets = exposure?.treatedBuckets
    switch exposure?.bucketing {
    case .murmur3v2: salted = Bucketing.salted((exposure?.salt ?? "").utf8.span)
    case nil: salted = Murmur3()
    }
  }

  fileprivate func decidesLike(_ other: Self) -> Bool {
    treatedBuckets == other.treatedBuckets && salted == other.salted
  }
}
