// SPDX-License-Identifier: Apache-2.0

// What one series holds, window by window or sample by sample, in order of time.

/// Something at one time that combines with another of the same time.
package protocol TimelineEntry: Sendable, Equatable {
  /// Start of a window, or time of a sample; milliseconds since 1970.
  var timeMs: Int64 { get }
  /// Takes over what came later for the same time.
  mutating func merge(_ later: Self)
}

/// What one window adds to a counter.
package struct CounterWindow: TimelineEntry {
  package var timeMs: Int64
  /// At least 0.
  package var increment: Int64

  package init(startMs: Int64, increment: Int64) {
    timeMs = startMs
    self.increment = increment
  }

  package mutating func merge(_ later: CounterWindow) { increment += later.increment }
}

/// What one window adds to a histogram.
package struct HistogramWindow: TimelineEntry {
  package var timeMs: Int64
  /// Ascending by bucket, counts of at least 1.
  package var buckets: [BatchDelta.BucketCount]
  /// In seconds.
  package var sum: Double

  package init(startMs: Int64, buckets: [BatchDelta.BucketCount], sum: Double) {
    timeMs = startMs
    self.buckets = buckets
    self.sum = sum
  }

  /// Number of observations.
  package var count: Int64 { buckets.reduce(0) { $0 + $1.count } }

  package mutating func merge(_ later: HistogramWindow) {
    buckets = HistogramWindow.merged(buckets, later.buckets)
    sum += later.sum
  }

  private static func merged(
    _ left: [BatchDelta.BucketCount], _ right: [BatchDelta.BucketCount]
  ) -> [BatchDelta.BucketCount] {
    var result: [BatchDelta.BucketCount] = []
    result.reserveCapacity(max(left.count, right.count))
    var rightIndex = 0
    for entry in left {
      while rightIndex < right.count, right[rightIndex].bucket < entry.bucket {
        result.append(right[rightIndex])
        rightIndex += 1
      }
      var sum = entry
      if rightIndex < right.count, right[rightIndex].bucket == entry.bucket {
        sum.count += right[rightIndex].count
        rightIndex += 1
      }
      result.append(sum)
    }
    return result + right[rightIndex...]
  }
}

/// One sample of a gauge.
package struct GaugeSample: TimelineEntry {
  package var timeMs: Int64
  /// A stale marker where the series has ended.
  package var value: Double

  package init(timeMs: Int64, value: Double) {
    self.timeMs = timeMs
    self.value = value
  }

  package mutating func merge(_ later: GaugeSample) { value = later.value }
}

/// Entries of one series in order.
package struct Timeline<Entry: TimelineEntry>: Sendable, Equatable {
  /// Ascending by time, none twice.
  package private(set) var entries: [Entry]

  package init() { entries = [] }

  /// - Parameter entries: ascending by time, none twice.
  package init(sorted entries: [Entry]) {
    self.entries = entries
  }

  package var isEmpty: Bool { entries.isEmpty }

  /// Adds one entry; of the same time they merge. Cheap near the end, where nearly all come.
  package mutating func add(_ entry: Entry) {
    guard let last = entries.last, last.timeMs >= entry.timeMs else { return entries.append(entry) }
    let index = firstIndex(notBefore: entry.timeMs)
    if entries[index].timeMs == entry.timeMs {
      entries[index].merge(entry)
    } else {
      entries.insert(entry, at: index)
    }
  }

  /// These entries with later ones merged in. Linear in both.
  package func merging(_ later: Timeline) -> Timeline {
    guard let first = later.entries.first, let last = entries.last else { return isEmpty ? later : self }
    if last.timeMs < first.timeMs { return Timeline(sorted: entries + later.entries) }
    var result: [Entry] = []
    result.reserveCapacity(entries.count + later.entries.count)
    var index = 0
    for entry in later.entries {
      while index < entries.count, entries[index].timeMs < entry.timeMs {
        result.append(entries[index])
        index += 1
      }
      var merged = entry
      if index < entries.count, entries[index].timeMs == entry.timeMs {
        merged = entries[index]
        merged.merge(entry)
        index += 1
      }
      result.append(merged)
    }
    return Timeline(sorted: result + entries[index...])
  }

  /// The entries with `fromMs <= time < untilMs`.
  package func entries(fromMs: Int64, untilMs: Int64) -> ArraySlice<Entry> {
    let start = firstIndex(notBefore: fromMs)
    return entries[start..<max(start, firstIndex(notBefore: untilMs))]
  }

  /// Index of the first entry at `timeMs` or later; the count where there is none. Logarithmic.
  package func firstIndex(notBefore timeMs: Int64) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].timeMs < timeMs { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// The greatest multiple of `width` that is not above `value`: the start of a time's window.
package func floor(_ value: Int64, to width: Int64) -> Int64 {
  let rest = value % width
  return value - (rest < 0 ? rest + width : rest)
}
