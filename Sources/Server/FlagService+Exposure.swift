// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Flags
internal import Storage
internal import Synchronization

// Whom flags treat, as it changes: what ingest tells the cohorts of users by. Events carry no environment, so it is
// production's flags that do.

/// The exposures of production's flags.
final class Exposures: Sendable {
  static let limits = ExposureLimits(perFlagMax: StoredExposure.perFlagMax, totalMax: StoredExposure.totalMax)

  private let history: Mutex<ExposureHistory>

  /// Reads what the store keeps.
  ///
  /// - Throws: `StoreError`, `FlagError` for a bucketing that this version does not know.
  init(_ store: Store) throws {
    history = Mutex(try Exposures.history(store))
  }

  /// The cohorts as they are told apart now. Holds a lock for the copy of a reference.
  func picture() -> CohortPicture { history.withLock { $0.picture } }

  /// - Throws: as `init`.
  static func history(_ store: Store) throws -> ExposureHistory {
    ExposureHistory(try store.exposures(environment: FlagService.defaultEnvironment).map(Exposure.init), limits: limits)
  }

  fileprivate func add(_ stored: StoredExposure) throws(FlagError) {
    let exposure = try Exposure(stored)
    history.withLock { $0.add(exposure) }
  }
}

extension FlagService {
  /// Applies changes, each with its exposure where it changes whom the flag treats. Every change of a flag or a ramp goes
  /// this way; the caller holds the lock on changes and publishes afterwards.
  ///
  /// - Parameters:
  ///   - flags: with each flag as it is after the change, nil for one that is deleted, and its ramp, nil for none.
  ///   - isUrgent: whether it may use the room that the store keeps for what must not wait.
  /// - Returns: the store's revision after the changes.
  func write(
    _ flags: [(change: FlagChange, flag: Flag?, rollout: Rollout?)], _ segments: [SegmentChange] = [], isUrgent: Bool = false
  ) throws(StoreError) -> Int64 {
    let changes = flags.map { change, flag, rollout in
      var change = change
      let id = FlagID(environment: change.environment, key: change.key)
      let atMs = change.audit.last?.atMs ?? 0
      let new = FlagService.exposure(id, flag, isKilled: rollout?.state == .killed, atMs: atMs)
      let published = published(id)
      let old = FlagService.exposure(id, published.flag, isKilled: published.rollout?.state == .killed, atMs: atMs)
      if new != old { change.exposure = new }
      return change
    }
    let revision = try store.apply(changes, segments, isUrgent: isUrgent)
    for change in changes {
      let id = FlagID(environment: change.environment, key: change.key)
      revisions.changed(id, FlagRevision(revision: revision, atMs: change.audit.last?.atMs ?? 0))
      if let exposure = change.exposure, id.environment == FlagService.defaultEnvironment { take(exposure) }
    }
    return revision
  }

  private func take(_ exposure: StoredExposure) {
    do throws(FlagError) {
      try exposures.add(exposure)
    } catch {
      preconditionFailure("an exposure that was written is none: \(error)")
    }
  }

  private static func exposure(_ id: FlagID, _ flag: Flag?, isKilled: Bool, atMs: Int64) -> StoredExposure {
    StoredExposure(
      environment: id.environment, flag: id.key, atMs: atMs, hundredths: flag?.rollout?.percent.hundredths ?? 0,
      salt: flag?.salt ?? "", bucketing: (flag?.bucketing ?? .murmur3v2).rawValue, isEnabled: flag?.enabled == true && !isKilled,
      caches: flag?.caches ?? [])
  }
}

extension Exposure {
  fileprivate init(_ stored: StoredExposure) throws(FlagError) {
    guard let bucketing = Bucketing(rawValue: stored.bucketing) else {
      let known = Bucketing.allCases.map(\.rawValue).joined(separator: ", ")
      throw FlagError(field: "bucketing", value: stored.bucketing, expected: "must be one of \(known)")
    }
    self.init(
      flag: stored.flag, atMs: stored.atMs, treatedBuckets: stored.isEnabled ? stored.hundredths : 0, salt: stored.salt,
      bucketing: bucketing, caches: stored.caches)
  }
}
