// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import JSON
internal import Storage
internal import Synchronization

// Flags and ramps as the server holds them: an immutable picture that every evaluation reads, and one way to change it:
// check, one transaction with the audit rows, a new picture, listeners told. Changes run one at a time.

/// The flags of all environments.
final class FlagService: Sendable {
  struct FlagID: Hashable, Sendable {
    let environment: String
    let key: String
  }

  /// Which version of a flag a change is meant for (`If-Match`).
  enum ExpectedVersion: Sendable {
    case any, existing, absent
    case exactly(Int64)
  }

  /// What is true at one revision.
  struct Picture: Sendable {
    var revision: Int64
    var sets: [String: FlagSet] = [:]
    var rollouts: [FlagID: Rollout] = [:]
  }

  static let defaultEnvironment = "production"
  static let environmentsMax = 20
  /// How often the progress of a soak clock is written: what a crash may cost it.
  private static let progressIntervalMs: Int64 = 5_000

  let store: Store
  /// What ingest tells cohorts by.
  let exposures: Exposures
  /// Who polls, and what they hold.
  let propagation = Propagation()
  let revisions: FlagRevisions
  let streams: ChangeStreams
  private let resolutionMs: Int64
  private let review: @Sendable (CompiledGuard) throws(RequestError) -> Void
  let picture: Mutex<Picture>
  let writing = Mutex(())
  private let savedMs = Mutex<[FlagID: Int64]>([:])
  /// In force, and not on disk because the store could not write.
  private let unwritten = Mutex<[FlagID: (change: FlagChange, flag: Flag, rollout: Rollout)]>([:])

  /// Reads the flags and ramps of the store; a new store gets `ENABLE_PROFILE_CACHE`, off.
  ///
  /// - Parameters:
  ///   - resolutionMs: width of the windows that a guard is measured in.
  ///   - review: says what stands against a plan that a ramp is about to follow.
  init(
    store: Store, streams: ChangeStreams, resolutionMs: Int64, nowMs: Int64,
    review: @escaping @Sendable (CompiledGuard) throws(RequestError) -> Void
  ) throws {
    self.store = store
    self.review = review
    self.resolutionMs = resolutionMs
    self.streams = streams
    picture = Mutex(try FlagService.load(store))
    exposures = try Exposures(store)
    revisions = try FlagRevisions(store)
    if try store.revision() == 0 { try createProfileFlag(nowMs: nowMs) }
  }

  // MARK: Reading

  /// The flags of an environment; none where it has none. Holds a lock for a copy of a reference.
  ///
  /// - Parameter environment: nil for `production`.
  /// - Throws: `RequestError` for a text that is no environment's name.
  func flagSet(environment: String?) throws(RequestError) -> FlagSet {
    let name = try FlagService.checked(environment: environment)
    let (set, revision) = picture.withLock { ($0.sets[name], $0.revision) }
    return set ?? FlagSet(environment: name, revision: revision, flags: [])
  }

  func flag(_ id: FlagID) throws(RequestError) -> Flag {
    guard let flag = try flagSet(environment: id.environment).flag(key: id.key) else {
      throw FlagService.noFlag(id.key, id.environment)
    }
    return flag
  }

  static func noFlag(_ key: String, _ environment: String) -> RequestError {
    .notFound("flag \(key): not in environment \(environment): create it with PUT /api/v1/flags/\(key)")
  }

  /// The ramp of a flag; one that has not begun where none was ever started.
  func rollout(_ id: FlagID, nowMs: Int64) throws(RequestError) -> Rollout {
    let flag = try flag(id)
    return picture.withLock { $0.rollouts[id] } ?? FlagService.unstarted(flag, id, nowMs: nowMs)
  }

  /// A flag and its ramp as they are published; nil where there is none.
  func published(_ id: FlagID) -> (flag: Flag?, rollout: Rollout?) {
    picture.withLock { ($0.sets[id.environment]?.flag(key: id.key), $0.rollouts[id]) }
  }

  /// Every flag with its ramp, ascending by environment, then key.
  func allFlags() -> [(id: FlagID, flag: Flag, rollout: Rollout?)] {
    let (sets, rollouts) = picture.withLock { ($0.sets, $0.rollouts) }
    return sets.sorted { $0.key < $1.key }.flatMap { environment, set in
      set.flags.map { flag in
        let id = FlagID(environment: environment, key: flag.key)
        return (id, flag, rollouts[id])
      }
    }
  }

  /// Every ramp that was ever started, in no order.
  func allRollouts() -> [FlagID: Rollout] { picture.withLock { $0.rollouts } }

  /// Ramps that own their flag's percentage, with the caches their flag governs and whether it is enabled.
  func activeRollouts() -> [(id: FlagID, rollout: Rollout, caches: [String], isEnabled: Bool)] {
    picture.withLock { picture in
      picture.rollouts.filter { $0.value.isActive }.map { id, rollout in
        let flag = picture.sets[id.environment]?.flag(key: id.key)
        return (id, rollout, flag?.caches ?? [], flag?.enabled ?? false)
      }
    }
  }

  /// - Parameter environment: a query parameter; nil for `production`.
  static func checked(environment: String?) throws(RequestError) -> String {
    guard let environment, environment != defaultEnvironment else { return defaultEnvironment }
    let isName = (1...64).contains(environment.utf8.count) && environment.utf8.allSatisfy { byte in
      byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
        || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
    guard isName else {
      throw .badRequest("environment: \(environment.prefix(80)): must be 1 to 64 of a-z, 0-9, - and _")
    }
    return environment
  }

  // MARK: Changing ramps

  /// Starts a ramp.
  ///
  /// - Parameter plan: nil takes the flag's own.
  func start(_ id: FlagID, plan: RolloutPlan?, reason: String, nowMs: Int64) throws -> Rollout {
    try writing.withLock { _ in
      let flag = try flag(id)
      let plan = try self.plan(plan, of: flag)
      guard !flag.caches.isEmpty else {
        throw RequestError.conflict("flag \(id.key): governs no caches, so nothing could guard the ramp: set its caches first")
      }
      guard flag.enabled else {
        throw RequestError.conflict("flag \(id.key): disabled, so the ramp would admit nobody: enable it first")
      }
      guard flag.rollout?.variant != flag.defaultVariant else {
        throw RequestError.conflict(
          "flag \(id.key): its rollout hands out \(flag.defaultVariant), which is the default variant, so the ramp would change nothing: "
            + "set another variant first")
      }
      guard flag.rampVariant != nil else {
        throw RequestError.conflict(
          "flag \(id.key): several variants beside the default, so nothing says which one the ramp hands out: "
            + "set its rollout's variant first")
      }
      // The guard judges whole windows within its span, of which the first is rarely whole.
      guard plan.windowMs >= 2 * resolutionMs else {
        let least = DurationText.spoken(milliseconds: 2 * resolutionMs)
        throw RequestError.badRequest(
          "guard.window: \(DurationText.spoken(milliseconds: plan.windowMs)): must be at least \(least), twice the resolution")
      }
      try review(try CompiledGuard(plan))
      var rollout = try rollout(id, nowMs: nowMs)
      let changes = try rollout.start(
        plan, flagPercent: flag.rollout?.percent ?? .zero, actor: Actor.localUser, reason: reason, nowMs: nowMs)
      try commit(changes, rollout, flag, id, action: "rollout start")
      return rollout
    }
  }

  /// The plan that a start follows.
  ///
  /// - Parameter plan: nil takes the flag's own.
  func plan(_ plan: RolloutPlan?, of flag: Flag) throws(RequestError) -> RolloutPlan {
    if let plan = plan ?? flag.plan { return plan }
    throw .badRequest(
      "steps: missing: flag \(flag.key) has no plan of its own: send one, such as "
        + #"{"steps":[{"percent":10,"bake":"1h"},{"percent":100}]}"#)
  }

  /// An operator's action on a ramp.
  func apply(_ action: RolloutAction, to id: FlagID, reason: String, nowMs: Int64) throws -> Rollout {
    try writing.withLock { _ in
      let flag = try flag(id)
      var rollout = try rollout(id, nowMs: nowMs)
      let changes = try rollout.apply(action, actor: Actor.localUser, reason: reason, nowMs: nowMs)
      do {
        try commit(changes, rollout, flag, id, action: "rollout \(action.rawValue)")
      } catch where isUnwritten(id) {
        throw RequestError.unavailable(
          "rollout \(action.rawValue): in force from now on, and not on disk yet, so that a restart would lose it: \(error)")
      }
      return rollout
    }
  }

  /// Gives a ramp its time and its evidence.
  ///
  /// - Parameter measured: the ramp as it was when the evidence was measured; of a step that was left meanwhile it says nothing
  ///   about the next.
  /// - Returns: what changed; all of it is on disk.
  func tick(
    _ id: FlagID, _ measured: Rollout, elapsedMs: Int64, nowMs: Int64, _ evidence: GuardEvidence
  ) throws(StoreError) -> [RolloutChange] {
    let result: Result<[RolloutChange], StoreError> = writing.withLock { _ in
      guard var rollout = picture.withLock({ $0.rollouts[id] }), rollout.isActive, let flag = try? flag(id) else { return .success([]) }
      guard rollout.stepSinceMs == measured.stepSinceMs else { return .success([]) }
      let changes = rollout.tick(elapsedMs: elapsedMs, nowMs: nowMs, evidence: evidence)
      do throws(StoreError) {
        if changes.isEmpty {
          // A restart must still know how many instances there were when the step began.
          let beginsToWait = measured.phase.watch?.reach.awaited == nil
          try keepProgress(rollout, id, atOnce: beginsToWait, nowMs: nowMs)
        } else {
          try commit(changes, rollout, flag, id, action: nil)
        }
        return .success(changes)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Writes changes of a ramp, with the flag's percentage where they set it, and one audit row each.
  ///
  /// - Parameter action: what an operator did; nil names each change by itself.
  private func commit(
    _ changes: [RolloutChange], _ rollout: Rollout, _ flag: Flag, _ id: FlagID, action: String?
  ) throws(StoreError) {
    guard let last = changes.last else { return }
    let flagAfter = changes.contains(where: \.setsPercent) ? FlagService.atPercent(last.percent, flag, nowMs: last.atMs) : flag
    var percent = flag.rollout?.percent ?? .zero
    let audit = changes.map { change in
      defer { percent = change.percent }
      return AuditEntry(
        atMs: change.atMs, actor: change.actor, action: action ?? change.auditAction, environment: id.environment, flag: id.key,
        reason: change.reason, before: RolloutChange.auditDocument(change.from, nil, percent),
        after: RolloutChange.auditDocument(change.to, change.step, change.percent), details: change.evidence?.text)
    }
    let change = FlagChange(
      environment: id.environment, key: id.key, expectedVersion: flag.version,
      content: flagAfter == flag ? .keep : .put(FlagService.stored(flagAfter, id)),
      rollout: FlagService.stored(rollout, id, nowMs: last.atMs), audit: audit)
    do throws(StoreError) {
      let revision = try write([(change, flagAfter, rollout)], isUrgent: true)
      publish(id, flagAfter, rollout: rollout, revision: revision)
      savedMs.withLock { $0[id] = last.atMs }
      tell(changes, id, flagAfter, revision: revision)
    } catch {
      // What takes a flag back counts at once, whatever the disk says, and is written when that can be.
      guard [.rolledBack, .killed].contains(last.to) else { throw error }
      keepUnwritten(change, flagAfter, rollout, id)
      publish(id, flagAfter, rollout: rollout, revision: picture.withLock { $0.revision })
      tell(changes, id, flagAfter, revision: picture.withLock { $0.revision })
      throw error
    }
  }

  private func tell(_ changes: [RolloutChange], _ id: FlagID, _ flag: Flag, revision: Int64) {
    streams.flagChanged(
      key: id.key, environment: id.environment, version: flag.version, revision: revision, atMs: changes.last?.atMs ?? 0,
      rollouts: changes.map {
        streams.rolloutEvent(
          key: id.key, environment: id.environment, state: $0.to.rawValue, step: $0.step, percent: $0.percent.value, reason: $0.reason)
      })
  }

  // MARK: What could not be written

  /// Of one flag there is one change: later ones join the first.
  private func keepUnwritten(_ change: FlagChange, _ flag: Flag, _ rollout: Rollout, _ id: FlagID) {
    unwritten.withLock { unwritten in
      var change = change
      if let first = unwritten[id]?.change {
        change.expectedVersion = first.expectedVersion
        change.audit = first.audit + change.audit
        if case .put = first.content, case .keep = change.content { change.content = .put(FlagService.stored(flag, id)) }
      }
      unwritten[id] = (change, flag, rollout)
    }
  }

  /// Whether a ramp's newest change is in force and not on disk.
  func isUnwritten(_ id: FlagID) -> Bool { unwritten.withLock { $0[id] != nil } }

  /// Tries again to write what is in force and not on disk.
  func writeUnwritten() throws(StoreError) {
    guard unwritten.withLock({ !$0.isEmpty }) else { return }
    let result: Result<Void, StoreError> = writing.withLock { _ in
      do throws(StoreError) {
        for (id, kept) in unwritten.withLock({ $0 }) {
          let revision = try write([(kept.change, kept.flag, kept.rollout)], isUrgent: true)
          publish(id, kept.flag, rollout: kept.rollout, revision: revision)
          unwritten.withLock { $0[id] = nil }
        }
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  /// The clock's progress is in memory at once and on disk every few seconds.
  private func keepProgress(_ rollout: Rollout, _ id: FlagID, atOnce: Bool, nowMs: Int64) throws(StoreError) {
    picture.withLock { $0.rollouts[id] = rollout }
    let isDue = atOnce || savedMs.withLock { abs(nowMs - ($0[id] ?? 0)) >= FlagService.progressIntervalMs }
    guard isDue else { return }
    try store.save(FlagService.stored(rollout, id, nowMs: nowMs))
    savedMs.withLock { $0[id] = nowMs }
  }

  // MARK: The picture

  private static func load(_ store: Store) throws -> Picture {
    var picture = Picture(revision: try store.revision())
    for stored in try store.rollouts() {
      let rollout = try Rollout(document: try JSONValue(parsing: stored.document))
      picture.rollouts[FlagID(environment: stored.environment, key: stored.flag)] = rollout
    }
    let flags = try store.flags().map { stored in
      let document = try JSONValue(parsing: stored.document)
      let flag = try Flag(document, key: stored.key, version: stored.version, updatedMs: stored.updatedMs)
      return (stored.environment, flag)
    }
    let segments = try store.segments().map { stored in
      let document = try JSONValue(parsing: stored.document)
      let segment = try Segment(document, key: stored.key, version: stored.version, updatedMs: stored.updatedMs)
      return (stored.environment, segment)
    }
    let flagsOf = Dictionary(grouping: flags, by: \.0)
    let segmentsOf = Dictionary(grouping: segments, by: \.0)
    for environment in Set(flagsOf.keys).union(segmentsOf.keys) {
      picture.sets[environment] = set(
        environment, flagsOf[environment, default: []].map(\.1), segmentsOf[environment, default: []].map(\.1), picture)
    }
    return picture
  }

  /// Puts a flag that a ramp changed into the picture.
  private func publish(_ id: FlagID, _ flag: Flag, rollout: Rollout, revision: Int64) {
    // Nobody else changes the picture meanwhile, and evaluations do not wait until the new set is compiled.
    var next = picture.withLock { $0 }
    next.revision = revision
    next.rollouts[id] = rollout
    let old = next.sets[id.environment]
    let others = (old?.flags ?? []).filter { $0.key != id.key }
    next.sets[id.environment] = FlagService.set(id.environment, others + [flag], old?.segments ?? [], next)
    picture.withLock { $0 = next }
  }

  /// The set of an environment as of the picture's revision and ramps; counts go on.
  static func set(_ environment: String, _ flags: [Flag], _ segments: [Segment], _ picture: Picture) -> FlagSet {
    let labels = picture.rollouts.filter { $0.key.environment == environment }.map { ($0.key.key, $0.value.label) }
    return FlagSet(
      environment: environment, revision: picture.revision,
      flags: flags.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) },
      segments: segments.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) },
      labels: Dictionary(uniqueKeysWithValues: labels), previous: picture.sets[environment])
  }

  // MARK: Pieces

  /// - Parameter version: of what is to be changed; nil where it does not exist.
  static func require(_ expected: ExpectedVersion, version: Int64?) throws(StoreError) {
    switch expected {
    case .any: return
    case .existing where version != nil: return
    case .absent where version == nil: return
    case .exactly(let wanted) where wanted == version: return
    default: throw .conflict(currentVersion: version)
    }
  }

  private static func unstarted(_ flag: Flag, _ id: FlagID, nowMs: Int64) -> Rollout {
    Rollout(key: id.key, environment: id.environment, plan: flag.plan, percent: flag.rollout?.percent ?? .zero, nowMs: nowMs)
  }

  private static func atPercent(_ percent: Percentage, _ flag: Flag, nowMs: Int64) -> Flag {
    // A flag that cannot say which variant a percentage hands out is refused when its ramp starts.
    guard var changed = try? flag.settingPercent(percent) else { return flag }
    changed.version = flag.version + 1
    changed.updatedMs = nowMs
    return changed
  }

  static func stored(_ flag: Flag, _ id: FlagID) -> StoredFlag {
    StoredFlag(
      environment: id.environment, key: id.key, version: flag.version, updatedMs: flag.updatedMs, document: flag.definition.text)
  }

  static func stored(_ rollout: Rollout, _ id: FlagID, nowMs: Int64) -> StoredRollout {
    StoredRollout(environment: id.environment, flag: id.key, updatedMs: nowMs, document: rollout.document.text)
  }
}
