// SPDX-License-Identifier: Apache-2.0

// Each instance by itself, for whoever asks which ones a change has not reached.

extension Propagation {
  /// An instance that polls a flag, by itself or with all others of its environment.
  package struct Instance: Sendable, Equatable {
    package let name: String
    /// False where it is only an address, which several instances behind a proxy may share.
    package let isNamed: Bool
    /// The newest that it was answered from.
    package let revision: Int64
    package let isCurrent: Bool
    package let firstSeenMs: Int64
    package let lastSeenMs: Int64
    /// When it came to hold the revision that was asked for, or a newer one; nil while it does not, where it held it when
    /// it was first seen, and where its last changes reach no further back.
    package let acknowledgedMs: Int64?
    package let isExpired: Bool
    package let polls: Int64
  }

  /// Those who poll a flag, the vanished included: first those whom the change has not reached, then the vanished, then the
  /// others; the one seen longest ago first.
  ///
  /// - Parameter sinceRevision: that of the change.
  package func instances(environment: String, flag: String, sinceRevision: Int64) -> [Instance] {
    let (own, all) = members(environment: environment, flag: flag)
    var readings: [Name: [AcknowledgementTable.Reading]] = [:]
    for member in own + all { readings[member.name, default: []].append(table.reading(member.place)) }
    let oldestMs = nowMs - limits.expiryMs
    return readings.map { Instance($0.key, $0.value, sinceRevision: sinceRevision, oldestMs: oldestMs) }.sorted {
      ($0.rank, $0.lastSeenMs, $0.name) < ($1.rank, $1.lastSeenMs, $1.name)
    }
  }

  /// How many instances poll each flag of an environment.
  ///
  /// - Returns: in the order of the flags.
  func seen(environment: String, flags: [String]) -> [Int] {
    // Who polls all flags is counted once for all of them.
    let all = seen(environment: environment)
    return flags.map { flag in
      isPolled(environment: environment, flag: flag)
        ? standing(environment: environment, flag: flag, sinceRevision: 0).seen : all
    }
  }
}

extension Propagation.Instance {
  /// - Parameter readings: of its polls of the flag and of all flags; at least one.
  fileprivate init(
    _ name: Propagation.Name, _ readings: [AcknowledgementTable.Reading], sinceRevision: Int64, oldestMs: Int64
  ) {
    let revision = readings.map(\.revision).max() ?? 0
    let lastSeenMs = readings.map(\.lastMs).max() ?? 0
    self.init(
      name: name.text, isNamed: name.isNamed, revision: revision, isCurrent: revision >= sinceRevision,
      firstSeenMs: readings.map(\.firstMs).min() ?? 0, lastSeenMs: lastSeenMs,
      acknowledgedMs: readings.reachedMs(sinceRevision), isExpired: lastSeenMs < oldestMs,
      polls: readings.reduce(0) { $0 + $1.polls })
  }

  fileprivate var rank: Int { isExpired ? 1 : isCurrent ? 2 : 0 }
}

extension [AcknowledgementTable.Reading] {
  /// When the instance, in whatever way it polled, came from an older revision to this or a newer one.
  fileprivate func reachedMs(_ sinceRevision: Int64) -> Int64? {
    let most = AcknowledgementTable.transitionsMax
    let isForgotten = contains { $0.transitions.count == most && $0.transitions[0].revision >= sinceRevision }
    let transitions = flatMap(\.transitions).sorted { ($0.atMs, $0.revision) < ($1.atMs, $1.revision) }
    guard !isForgotten, let index = transitions.firstIndex(where: { $0.revision >= sinceRevision }), index > 0 else { return nil }
    return transitions[index].atMs
  }
}
