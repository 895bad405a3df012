// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import JSON
internal import Storage
internal import Synchronization

// Changes of flags and segments: planned, one transaction with its audit rows, a new picture, listeners told.

extension FlagService {
  /// What a change would do; it changes nothing and refuses what the change would refuse.
  func preview(_ change: EnvironmentChange, in environment: String, nowMs: Int64) throws -> EnvironmentPlan {
    try plan(change, in: environment, nowMs: nowMs)
  }

  /// Makes a change; one that changes nothing keeps version and revision.
  ///
  /// - Returns: what was done, and the environment afterwards.
  func change(
    _ change: EnvironmentChange, in environment: String, reason: String, nowMs: Int64, actor: String = Actor.localUser
  ) throws -> (plan: EnvironmentPlan, set: FlagSet) {
    // A large document takes seconds to be checked, in which a kill must not wait.
    let early = try plan(change, in: environment, nowMs: nowMs)
    return try writing.withLock { _ in
      let plan = try isCurrent(early.set) ? early : plan(change, in: environment, nowMs: nowMs)
      guard !plan.isEmpty else { return (plan, plan.set) }
      return (plan, try land(plan, actor: actor, reason: reason, nowMs: nowMs))
    }
  }

  /// - Throws: `RequestError` where the environment has none of that key.
  func segment(_ key: String, environment: String) throws(RequestError) -> Segment {
    guard let segment = try flagSet(environment: environment).segment(key: key) else {
      throw FlagService.noSegment(key, environment)
    }
    return segment
  }

  static func noSegment(_ key: String, _ environment: String) -> RequestError {
    .notFound("segment \(key.prefix(128)): not in environment \(environment): create it with PUT /api/v1/segments/KEY")
  }

  private func plan(_ change: EnvironmentChange, in environment: String, nowMs: Int64) throws -> EnvironmentPlan {
    let set = try flagSet(environment: environment)
    let (rollouts, environments) = picture.withLock { ($0.rollouts, $0.sets.keys) }
    let plan = try EnvironmentPlan(
      change, of: set, isRamping: { rollouts[FlagID(environment: environment, key: $0)]?.isActive == true }, nowMs: nowMs)
    for edit in plan.flags {
      if let plan = edit.after?.plan { _ = try CompiledGuard(plan, path: "plan") }
    }
    guard plan.isEmpty || environments.contains(environment) || environments.count < FlagService.environmentsMax else {
      throw RequestError.conflict(
        "environment \(environment): there are \(FlagService.environmentsMax) already, which is the most")
    }
    return plan
  }

  /// Whether nothing has changed since a set was read; a ramp's change makes a new set too.
  private func isCurrent(_ set: FlagSet) throws(RequestError) -> Bool {
    let current = try flagSet(environment: set.environment)
    // Of an environment without flags a set is made for each who asks.
    return current === set || current.flags.isEmpty && set.flags.isEmpty && current.revision == set.revision
  }

  // MARK: Making a plan true

  private func land(_ plan: EnvironmentPlan, actor: String, reason: String, nowMs: Int64) throws -> FlagSet {
    let environment = plan.set.environment
    var rollouts = picture.withLock { $0.rollouts }
    func audit(_ what: String, _ action: String, _ key: String, _ before: JSONValue?, _ after: JSONValue?) -> AuditEntry {
      AuditEntry(
        atMs: nowMs, actor: actor, action: "\(what) \(action)", environment: environment, flag: key, reason: reason,
        before: before?.text, after: after?.text)
    }
    let flagChanges = plan.flags.map { edit -> (change: FlagChange, flag: Flag?, rollout: Rollout?) in
      let id = FlagID(environment: environment, key: (edit.before ?? edit.after)?.key ?? "")
      let entry = audit("flag", edit.action, id.key, edit.before?.json, edit.after?.json)
      guard let flag = edit.after else {
        rollouts[id] = nil
        let change = FlagChange(
          environment: environment, key: id.key, expectedVersion: edit.before?.version, content: .delete, rollout: nil, audit: [entry])
        return (change, nil, nil)
      }
      // A ramp that has ended keeps the percentage somebody set since, so that a later rollback cannot raise it.
      rollouts[id]?.flagPercentChanged(to: flag.rollout?.percent ?? .zero)
      let change = FlagChange(
        environment: environment, key: id.key, expectedVersion: edit.before?.version, content: .put(FlagService.stored(flag, id)),
        rollout: rollouts[id].map { FlagService.stored($0, id, nowMs: nowMs) }, audit: [entry])
      return (change, flag, rollouts[id])
    }
    let segmentChanges = plan.segments.map { edit in
      let key = (edit.before ?? edit.after)?.key ?? ""
      return SegmentChange(
        environment: environment, key: key, expectedVersion: edit.before?.version,
        content: edit.after.map { FlagService.stored($0, environment) },
        audit: audit("segment", edit.action, key, edit.before?.json, edit.after?.json))
    }
    let revision = try write(flagChanges, segmentChanges)
    // Nobody else changes the picture meanwhile, and evaluations do not wait until the new set is compiled.
    var next = picture.withLock { $0 }
    next.revision = revision
    next.rollouts = rollouts
    let set = FlagService.set(environment, plan.flagsAfter, plan.segmentsAfter, next)
    next.sets[environment] = set
    picture.withLock { $0 = next }
    streams.environmentChanged(plan, revision: revision, atMs: nowMs)
    return set
  }

  private static func stored(_ segment: Segment, _ environment: String) -> StoredSegment {
    StoredSegment(
      environment: environment, key: segment.key, version: segment.version, updatedMs: segment.updatedMs,
      document: segment.definition.text)
  }
}
