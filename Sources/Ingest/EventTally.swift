// SPDX-License-Identifier: Apache-2.0

// Counts events by label numbers and window, without an object for one. What the counts are called is
// `EventTally+Delta`. Its size follows the distinct rows of one body, which the body's size bounds.

import JSON
import TimeSeries

/// What events of one row have in common, in one word.
struct RowLabels {
  static let kindMask: UInt64 = 0xf
  static let tierMask: UInt64 = 0x30
  static let cohortMask: UInt64 = 0xc0
  /// Service and cache.
  static let placeMask: UInt64 = 0xff_ffff_ff00
  static let detailMask: UInt64 = 0xff_ff00_0000_0000

  private(set) var word: UInt64

  /// - Parameter detail: number of the reason or operation, or the breaker's state.
  @inline(__always)
  init(
    _ kind: CacheEvent.Kind, _ tier: CacheEvent.Tier, _ cohort: CacheEvent.Cohort, service: Int, cache: Int, detail: Int
  ) {
    word =
      UInt64(kind.rawValue) | UInt64(tier.rawValue) << 4 | UInt64(cohort.rawValue) << 6
      | UInt64(truncatingIfNeeded: service) << 8 | UInt64(truncatingIfNeeded: cache) << 24
      | UInt64(truncatingIfNeeded: detail) << 40
  }

  var kind: CacheEvent.Kind { CacheEvent.Kind(rawValue: UInt8(word & 0xf))! }
  var tier: CacheEvent.Tier { CacheEvent.Tier(rawValue: UInt8(word >> 4 & 3))! }
  var cohort: CacheEvent.Cohort { CacheEvent.Cohort(rawValue: UInt8(word >> 6 & 3))! }
  var service: Int { Int(word >> 8 & 0xffff) }
  var cache: Int { Int(word >> 24 & 0xffff) }
  var detail: Int { Int(word >> 40 & 0xffff) }
}

/// Sums of events, by labels and window.
struct EventTally {
  struct Row {
    var labels: RowLabels
    var windowStartMs: Int64
    var count: Int64 = 0
    var failures: Int64 = 0
    var staleHits: Int64 = 0
    /// Keys of invalidations, hits of bulk lookups.
    var keysOrHits: Int64 = 0
    var bulkMisses: Int64 = 0
    var durationSumMs = 0.0
    /// Its place in `users`, once the first event with a user came.
    var users = UserTally.unknown
  }

  /// What a `circuit_breaker` or `cache_stats` event says of its moment.
  struct Moment {
    var row: Int
    var timestampMs: Int64
    var entries: Double?
    var capacity: Double?
    var memoryBytes: Double?
  }

  /// Tables of more rows than this are given back after the body that needed them.
  private static let rowsKeptMax = 1 << 12

  private(set) var rows: [Row] = []
  private(set) var buckets = BucketCounts()
  private(set) var moments: [Moment] = []
  private(set) var exemplars = ExemplarTally()
  private(set) var users: UserTally
  private var rowSlots = [Int32](repeating: -1, count: 512)
  let seed: UInt64
  private let bucketIndex = BucketIndex()

  init(seed: UInt64) {
    self.seed = seed
    users = UserTally(seed: seed)
  }

  /// - Parameter receivedAtMs: of the body to come.
  mutating func begin(receivedAtMs: Int64) {
    users.oldestStartMs = UserSlices.oldestStartMs(nowMs: receivedAtMs)
    exemplars.begin(receivedAtMs: receivedAtMs)
  }

  mutating func removeAll() {
    // A row has 60 bytes of chunk numbers and at most 960 of counts, so the tables kept for it take 4 MB at most.
    buckets.removeAll(keepingCapacity: rows.count < EventTally.rowsKeptMax)
    rows.removeAll(keepingCapacity: rows.count < EventTally.rowsKeptMax)
    moments.removeAll(keepingCapacity: moments.count < EventTally.rowsKeptMax)
    exemplars.removeAll()
    users.removeAll()
    EventTally.clear(&rowSlots, 512)
  }

  /// - Parameters:
  ///   - event: not changed; `inout` because the compiler copies it where it is passed on as a value, which was 5 % of
  ///     the time of an event.
  ///   - timeMs: the event's own time; decides nothing but the moment of a gauge or an exemplar.
  ///   - bytes: those that the owner's range refers to.
  @inline(__always)
  mutating func add(
    _ event: inout CacheEvent, _ labels: RowLabels, windowStartMs: Int64, timeMs: Int64, _ owner: EventOwner,
    _ bytes: Span<UInt8>
  ) {
    let index = rowIndex(labels, windowStartMs)
    let hasDuration = event.durationMs != nil && EventTally.isTimed(event.kind)
    // One access to the row, since each of an array checks its bounds and that nobody else holds the array.
    EventTally.add(&event, hasDuration, to: &rows[index])
    if let hash = owner.userHash { addUser(hash, row: index) }
    if event.kind == .breaker || event.kind == .stats {
      moments.append(
        Moment(
          row: index, timestampMs: timeMs, entries: event.entries, capacity: event.capacity,
          memoryBytes: event.memoryBytes))
    }
    if hasDuration, let ms = event.durationMs {
      let bucket = bucketIndex.index(ofSeconds: ms / 1000)
      if buckets.add(row: index, bucket: bucket, isExemplar: owner.correlation.count > 0) {
        exemplars.add(row: index, bucket: bucket, timeMs: timeMs, ms: ms, owner.correlation, bytes)
      }
    }
  }

  @inline(__always)
  private static func add(_ event: inout CacheEvent, _ hasDuration: Bool, to row: inout Row) {
    row.count += 1
    row.failures += event.isSuccess ? 0 : 1
    row.staleHits += event.isStale ? 1 : 0
    row.keysOrHits += event.kind == .bulk ? event.hits : event.keys
    row.bulkMisses += event.misses
    if hasDuration { row.durationSumMs += event.durationMs ?? 0 }
  }

  @inline(__always)
  private mutating func addUser(_ hash: UInt64, row: Int) {
    var place = rows[row].users
    if place == UserTally.unknown {
      place = users.place(rows[row].labels, windowStartMs: rows[row].windowStartMs)
      rows[row].users = place
    }
    users.add(hash, at: place)
  }

  /// Whether durations of a kind are kept.
  @inline(__always)
  static func isTimed(_ kind: CacheEvent.Kind) -> Bool {
    switch kind {
    case .hit, .miss, .invalidation, .bulk, .bypass: true
    case .set, .error, .breaker, .stats, .consistencyCheck: false
    }
  }

  /// The `operation` label of kinds whose duration is kept (`isTimed`).
  static func operation(of kind: CacheEvent.Kind) -> String? {
    switch kind {
    case .hit: "hit"
    case .miss: "miss"
    case .invalidation: "invalidation"
    case .bulk: "bulk"
    case .bypass: "bypass"
    case .set, .error, .breaker, .stats, .consistencyCheck: nil
    }
  }

  @inline(__always)
  private mutating func rowIndex(_ labels: RowLabels, _ windowStartMs: Int64) -> Int {
    var slot = self.slot(labels.word, UInt64(bitPattern: windowStartMs), rowSlots.count)
    while rowSlots[slot] >= 0 {
      let index = Int(rowSlots[slot])
      if rows[index].labels.word == labels.word, rows[index].windowStartMs == windowStartMs { return index }
      slot = (slot + 1) & (rowSlots.count - 1)
    }
    return addRow(labels, windowStartMs, slot)
  }

  @inline(never)
  private mutating func addRow(_ labels: RowLabels, _ windowStartMs: Int64, _ slot: Int) -> Int {
    let index = rows.count
    rows.append(Row(labels: labels, windowStartMs: windowStartMs))
    buckets.addRow()
    rowSlots[slot] = Int32(index)
    // A quarter full: a second slot to look at is a branch that no processor guesses.
    guard rows.count * 4 > rowSlots.count else { return index }
    rowSlots = Array(repeating: -1, count: rowSlots.count * 2)
    for (index, row) in rows.enumerated() {
      var slot = self.slot(row.labels.word, UInt64(bitPattern: row.windowStartMs), rowSlots.count)
      while rowSlots[slot] >= 0 { slot = (slot + 1) & (rowSlots.count - 1) }
      rowSlots[slot] = Int32(index)
    }
    return index
  }

  @inline(__always)
  private func slot(_ first: UInt64, _ second: UInt64, _ size: Int) -> Int {
    let hash = Word.mix(first ^ seed, second &+ 0x9e37_79b9_7f4a_7c15)
    return Int(truncatingIfNeeded: Word.mix(hash, 0xd6e8_feb8_6659_fd93) >> 20) & (size - 1)
  }

  private static func clear(_ slots: inout [Int32], _ leastCount: Int) {
    if slots.count > rowsKeptMax * 4 {
      slots = Array(repeating: -1, count: leastCount)
    } else {
      for index in slots.indices { slots[index] = -1 }
    }
  }
}

/// `DurationBuckets.index(ofSeconds:)` by a table over the upper bits of the double, followed by a step or two.
struct BucketIndex {
  /// Exponents −20 (the first bound is just above 2^-20) to 5 (the last is below 2^6), thirty-two cells each: 3.1 % wide
  /// at most where neighbouring bounds are at least 4 % apart, so that no cell holds two bounds.
  private static let leastCell = (1023 - 20) << 5
  private static let cellCount = 26 << 5
  private let bounds: [Double]
  private let firsts: [UInt8]

  init() {
    bounds = DurationBuckets.upperBoundsSeconds + [.infinity]
    precondition(bounds.count <= 256, "a bucket is kept in eight bits")
    firsts = (0..<BucketIndex.cellCount).map { cell in
      let edge = Double(bitPattern: UInt64(BucketIndex.leastCell + cell) << 47)
      return UInt8(DurationBuckets.index(ofSeconds: edge))
    }
    for (left, right) in zip(firsts, firsts.dropFirst()) { precondition(right - left <= 1, "two bounds in one cell") }
  }

  /// - Parameter seconds: 0 or more, finite.
  @inline(__always)
  func index(ofSeconds seconds: Double) -> Int {
    let cell = Int(truncatingIfNeeded: seconds.bitPattern &>> 47) &- BucketIndex.leastCell
    let index = Int(firsts[min(max(cell, 0), BucketIndex.cellCount - 1)])
    // A value to add and no loop to guess: which side of a bound a duration falls on follows no pattern.
    return index &+ (seconds > bounds[index] ? 1 : 0)
  }
}
