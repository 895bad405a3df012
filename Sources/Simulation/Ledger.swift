// SPDX-License-Identifier: Apache-2.0

// What was sent, counted exactly, in the names under which the server counts it. A ledger has no label `cohort`: who
// compares it with the server's series sums those over their cohorts.

/// Exact counts of generated events, by cache.
package struct Ledger: Equatable, Sendable {
  /// What is counted for each cache.
  package enum Counter: Int, CaseIterable, Sendable {
    case hitsL1, hitsL2, misses
    case bypassesFlagOff, bypassesSkipHeader, bypassesBreakerOpen
    case staleHitsL1, staleHitsL2, setsL1, setsL2
    case invalidations, invalidationErrors, invalidatedKeys
    case errorsGet, errorsSet, errorsDelete
    case lookupFailures
    case breakerClosed, breakerOpen, breakerHalfOpen
    case consistencyChecks, consistencyChecksFailed
  }

  /// What a duration belongs to.
  package enum Timing: Int, CaseIterable, Sendable {
    case hitL1, hitL2, miss, invalidation, bulkL2, bypass
  }

  /// One series and its value.
  package struct Entry: Equatable, Sendable {
    package let metric: String
    /// Ascending by name.
    package let labels: [(name: String, value: String)]
    package let value: Int

    package static func == (left: Entry, right: Entry) -> Bool {
      left.metric == right.metric && left.value == right.value
        && left.labels.elementsEqual(right.labels) { $0 == $1 }
    }
  }

  /// Lines that are cache events.
  package var accepted = 0
  /// Lines that are broken, or of a time that is refused.
  package var rejected = 0
  /// Lines that are well-formed but no cache events.
  package var ignored = 0

  // `allCases` makes an array each time it is asked; these are asked for every event.
  private static let cachesCount = SimulatedCache.allCases.count
  private static let countersCount = Counter.allCases.count
  private static let timingsCount = Timing.allCases.count

  private var counts = [Int](repeating: 0, count: cachesCount * countersCount)
  private var timingCounts = [Int](repeating: 0, count: cachesCount * timingsCount)
  private var timingSumsUs = [Int](repeating: 0, count: cachesCount * timingsCount)

  package init() {}

  package subscript(cache: SimulatedCache, counter: Counter) -> Int {
    get { counts[cache.rawValue &* Self.countersCount &+ counter.rawValue] }
    set { counts[cache.rawValue &* Self.countersCount &+ counter.rawValue] = newValue }
  }

  /// Adds one event's duration.
  package mutating func record(_ timing: Timing, of cache: SimulatedCache, durationUs: Int) {
    let index = cache.rawValue &* Self.timingsCount &+ timing.rawValue
    timingCounts[index] += 1
    timingSumsUs[index] += durationUs
  }

  /// How many durations were recorded, and their sum in microseconds.
  package func durations(_ timing: Timing, of cache: SimulatedCache) -> (count: Int, sumUs: Int) {
    let index = cache.rawValue * Self.timingsCount + timing.rawValue
    return (timingCounts[index], timingSumsUs[index])
  }

  /// Adds another ledger's counts to these.
  package mutating func add(_ other: Ledger) {
    accepted += other.accepted
    rejected += other.rejected
    ignored += other.ignored
    for index in counts.indices { counts[index] += other.counts[index] }
    for index in timingCounts.indices {
      timingCounts[index] += other.timingCounts[index]
      timingSumsUs[index] += other.timingSumsUs[index]
    }
  }

  /// A counter summed over the caches of a service, or over all.
  package func total(_ counter: Counter, system: TrafficSystem? = nil) -> Int {
    SimulatedCache.allCases.filter { system == nil || $0.system == system }.reduce(0) { $0 + self[$1, counter] }
  }
}
