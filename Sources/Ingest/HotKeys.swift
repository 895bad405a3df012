// SPDX-License-Identifier: Apache-2.0

// The keys that are looked up most, of each cache, over about the last hour. Misra and Gries' summary, which is
// Space-Saving's less what any key may have lost, and which adds up (Agarwal et al., Mergeable Summaries): every ten
// minutes a new one begins, bodies are merged into it in whatever order, and an answer is the sum of the last six.

/// Frequent keys by service and cache. A copy is taken in constant time and can be asked while the original goes on.
package struct HotKeys: Sendable {
  /// A cache of a service.
  package struct Place: Hashable, Comparable, Sendable {
    package let service: String
    package let cache: String

    package init(service: String, cache: String) {
      self.service = service
      self.cache = cache
    }

    package static func < (left: Place, right: Place) -> Bool {
      (left.service, left.cache) < (right.service, right.cache)
    }
  }

  /// One key of an answer.
  package struct Key: Sendable, Equatable {
    package let key: [UInt8]
    /// Estimated lookups.
    package let count: Int64
    /// The true number lies no further from `count`; where lookups were sampled, in 19 of 20 cases.
    package let error: Int64
  }

  /// One cache of an answer.
  package struct Cache: Sendable {
    package let place: Place
    /// Of keys; estimated where they were sampled.
    package let lookups: Int64
    /// Descending by count.
    package let keys: [Key]
  }

  package static let windowMs: Int64 = 3_600_000
  package static let sliceMs: Int64 = 600_000
  private static let sliceCount = windowMs / sliceMs
  /// An event that came later than this says nothing of what is hot now.
  static let lateMsMax = sliceMs
  /// Counters of a cache in a slice; twice as many between two prunings. What is lost is at most a part in so many of the
  /// slice's lookups.
  package static let countersMax = 256
  /// In a slice; lookups of more are passed over. With keys of 40 bytes six slices of as many take 50 MB, with keys of
  /// 256 bytes 120 MB.
  package static let placesMax = 100

  /// Ascending by number, at most `sliceCount`.
  private var slices: [Slice] = []
  private let startedMs: Int64

  /// - Parameter startedMs: before which nothing was seen.
  package init(startedMs: Int64) {
    self.startedMs = startedMs
  }

  /// Adds what a body looked up.
  ///
  /// - Parameter receivedMs: decides its slice; of one that is no longer kept nothing is added.
  package mutating func add(_ samples: KeySamples, receivedMs: Int64) {
    guard !samples.isEmpty else { return }
    let number = receivedMs / HotKeys.sliceMs
    let newest = max(number, slices.last?.number ?? number)
    guard number > newest - HotKeys.sliceCount else { return }
    slices.removeAll { $0.number <= newest - HotKeys.sliceCount }
    var index = slices.count
    while index > 0, slices[index - 1].number >= number { index -= 1 }
    if index == slices.count || slices[index].number != number { slices.insert(Slice(number: number), at: index) }
    slices[index].add(samples)
  }

  /// When counting began of what an answer given now holds.
  package func sinceMs(nowMs: Int64) -> Int64 { max(firstSlice(nowMs) * HotKeys.sliceMs, startedMs) }

  /// - Parameters:
  ///   - service, cache: nil for all.
  ///   - limit: most keys of each cache.
  /// - Returns: ascending by place.
  package func caches(service: String?, cache: String?, limit: Int, nowMs: Int64) -> [Cache] {
    let first = firstSlice(nowMs)
    var sums: [Place: Sum] = [:]
    for slice in slices where slice.number >= first {
      for (place, index) in slice.indexes where service ?? place.service == place.service && cache ?? place.cache == place.cache {
        sums[place, default: Sum()].add(slice.tables[index])
      }
    }
    return sums.sorted { $0.key < $1.key }.map { place, sum in
      Cache(place: place, lookups: sum.lookups, keys: sum.keys(limit: limit))
    }
  }

  private func firstSlice(_ nowMs: Int64) -> Int64 { nowMs / HotKeys.sliceMs - HotKeys.sliceCount + 1 }
}

/// What is known of how often one key was looked up.
private struct KeyCount {
  /// At least as many, since it is watched without a break.
  var least: Int64 = 0
  /// `least` without what was lost meanwhile: by this the largest are told.
  var rank: Int64 = 0
  /// Of `least`, as far as it was sampled.
  var variance = 0.0

  init() {}

  /// - Parameter weight: the one that is counted was taken of so many, each as likely.
  init(weight: Int32) {
    least = Int64(weight)
    rank = least
    variance = Double(weight) * Double(weight - 1)
  }

  static func += (left: inout KeyCount, right: KeyCount) {
    left.least += right.least
    left.rank += right.rank
    left.variance += right.variance
  }
}

/// Ten minutes, by time of receipt.
private struct Slice {
  /// Time of receipt over `HotKeys.sliceMs`.
  let number: Int64
  private(set) var tables: [KeyTable] = []
  private(set) var indexes: [HotKeys.Place: Int] = [:]

  init(number: Int64) {
    self.number = number
  }

  mutating func add(_ samples: KeySamples) {
    let indexes = samples.places.map { index(of: $0) }
    var start = 0
    for entry in samples.entries {
      if let index = indexes[Int(entry.place)] { tables[index].add(entry, samples.bytes[start..<entry.keyEnd]) }
      start = entry.keyEnd
    }
  }

  /// Nil where there is no room for one more.
  private mutating func index(of place: HotKeys.Place) -> Int? {
    if let index = indexes[place] { return index }
    guard tables.count < HotKeys.placesMax else { return nil }
    indexes[place] = tables.count
    tables.append(KeyTable())
    return tables.count - 1
  }
}

/// The counters of one cache in one slice.
private struct KeyTable {
  struct Counter {
    let hash: UInt64
    let key: [UInt8]
    var count: KeyCount
  }

  private(set) var counters: [Counter] = []
  private var indexes: [UInt64: Int] = [:]
  private(set) var lookups: Int64 = 0
  /// How much the rank of any key may be too low.
  private(set) var lost: Int64 = 0

  /// Two keys with one hash are one: of 64 bits with a secret seed nobody meets them.
  mutating func add(_ entry: KeySamples.Entry, _ key: ArraySlice<UInt8>) {
    let count = KeyCount(weight: entry.weight)
    lookups += count.least
    if let index = indexes[entry.hash] {
      counters[index].count += count
      return
    }
    indexes[entry.hash] = counters.count
    counters.append(Counter(hash: entry.hash, key: Array(key), count: count))
    if counters.count == HotKeys.countersMax * 2 { prune() }
  }

  /// Keeps those with the highest ranks, each less the highest rank that goes.
  private mutating func prune() {
    let loss = counters.map(\.count.rank).sorted(by: >)[HotKeys.countersMax]
    lost += loss
    counters.removeAll { $0.count.rank <= loss }
    indexes.removeAll(keepingCapacity: true)
    for index in counters.indices {
      counters[index].count.rank -= loss
      indexes[counters[index].hash] = index
    }
  }
}

/// A cache over several slices.
private struct Sum {
  private var counts: [UInt64: (key: [UInt8], count: KeyCount)] = [:]
  private(set) var lookups: Int64 = 0
  private var lost: Int64 = 0

  mutating func add(_ table: KeyTable) {
    lookups += table.lookups
    lost += table.lost
    for counter in table.counters { counts[counter.hash, default: (counter.key, KeyCount())].count += counter.count }
  }

  func keys(limit: Int) -> [HotKeys.Key] {
    let keys = counts.values.map { key, count in
      // Two standard deviations.
      let chance = Int64((2 * count.variance.squareRoot()).rounded(.up))
      return HotKeys.Key(key: key, count: count.rank + lost, error: count.rank + lost - count.least + chance)
    }
    return Array(keys.sorted { $0.count != $1.count ? $0.count > $1.count : $0.key.lexicographicallyPrecedes($1.key) }.prefix(limit))
  }
}
