// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import Storage
internal import Synchronization

// When each flag last changed: whoever holds an older revision does not have it.

/// The newest change of each flag.
final class FlagRevisions: Sendable {
  private let newest: Mutex<[FlagService.FlagID: FlagRevision]>

  /// Reads them off the audit.
  init(_ store: Store) throws(StoreError) {
    var newest: [FlagService.FlagID: FlagRevision] = [:]
    for row in try store.flagRevisions() {
      newest[FlagService.FlagID(environment: row.environment, key: row.flag)] = row.change
    }
    self.newest = Mutex(newest)
  }

  subscript(id: FlagService.FlagID) -> FlagRevision {
    newest.withLock { $0[id] } ?? FlagRevision(revision: 0, atMs: 0)
  }

  func changed(_ id: FlagService.FlagID, _ revision: FlagRevision) {
    newest.withLock { $0[id] = revision }
  }
}

extension FlagService {
  /// A flag's newest change, of whatever kind; those who hold its revision have it.
  func revision(of id: FlagID) -> FlagRevision { revisions[id] }

  /// Whom a flag's ramp waits for.
  func instances(of id: FlagID) -> GuardEvidence.Instances {
    let (seen, current) = propagation.standingOfNamed(
      environment: id.environment, flag: id.key, sinceRevision: revisions[id].revision)
    return GuardEvidence.Instances(seen: seen, current: current)
  }
}
