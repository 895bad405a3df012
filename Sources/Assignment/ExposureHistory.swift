// SPDX-License-Identifier: Apache-2.0

// What the flags of one environment did to their users, as far back as it is kept. A change makes a new picture, of which
// only the timelines of the caches that the flag ever governed are new.

/// How many exposures are kept.
package struct ExposureLimits: Sendable {
  /// Of one flag; the oldest go.
  package var perFlagMax: Int
  /// Of all; the oldest go but each flag's newest.
  package var totalMax: Int

  package init(perFlagMax: Int, totalMax: Int) {
    precondition(perFlagMax > 0 && totalMax > 0, "the newest exposure of a flag is always kept")
    self.perFlagMax = perFlagMax
    self.totalMax = totalMax
  }
}

/// The exposures of the flags of one environment.
package struct ExposureHistory: Sendable {
  private struct Entry {
    let number: Int
    let exposure: Exposure
  }

  private let limits: ExposureLimits
  private var byFlag: [String: [Entry]] = [:]
  private var flagsByCache: [String: Set<String>] = [:]
  private var timelines: [String: CohortTimeline] = [:]
  private var next = 0
  private var count = 0
  package private(set) var picture = CohortPicture.empty

  /// - Parameter exposures: in the order in which they came.
  package init(_ exposures: [Exposure], limits: ExposureLimits) {
    self.limits = limits
    for exposure in exposures { keep(exposure) }
    dropOldest()
    rebuild(Set(flagsByCache.keys))
  }

  /// The newest exposure of a flag; nil where there is none.
  package func newest(flag: String) -> Exposure? { byFlag[flag]?.last?.exposure }

  package mutating func add(_ exposure: Exposure) {
    keep(exposure)
    // Once for many, since it looks at all of them.
    if count > limits.totalMax + limits.totalMax / 16 {
      dropOldest()
      return rebuild(Set(flagsByCache.keys))
    }
    rebuild((byFlag[exposure.flag] ?? []).reduce(into: []) { $0.formUnion($1.exposure.caches) })
  }

  private mutating func keep(_ exposure: Exposure) {
    byFlag[exposure.flag, default: []].append(Entry(number: next, exposure: exposure))
    next += 1
    count += 1
    for cache in exposure.caches { flagsByCache[cache, default: []].insert(exposure.flag) }
    if let kept = byFlag[exposure.flag]?.count, kept > limits.perFlagMax {
      byFlag[exposure.flag]?.removeFirst()
      count -= 1
    }
  }

  private mutating func dropOldest() {
    let surplus = count - limits.totalMax
    guard surplus > 0 else { return }
    let superseded = byFlag.values.flatMap { $0.dropLast().map(\.number) }.sorted()
    guard let last = superseded.prefix(surplus).last else { return }
    for (flag, entries) in byFlag {
      let kept = entries.enumerated().filter { $0.element.number > last || $0.offset == entries.count - 1 }.map(\.element)
      count -= entries.count - kept.count
      byFlag[flag] = kept
    }
  }

  private mutating func rebuild(_ caches: Set<String>) {
    for cache in caches {
      let entries = (flagsByCache[cache] ?? []).flatMap { byFlag[$0] ?? [] }.sorted { $0.number < $1.number }
      timelines[cache] = CohortTimeline(cache: cache, entries.map(\.exposure))
    }
    picture = CohortPicture(timelines)
  }
}
