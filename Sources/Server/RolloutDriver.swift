// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import Logging
internal import Platform
internal import Storage

// Gives every active ramp its time and its evidence, once a second. What follows from them is decided
// by the Rollout value; what it decides is written by FlagService.

final class RolloutDriver: Sendable {
  private static let intervalMs: Int64 = 1_000

  private let flags: FlagService
  private let measurement: GuardMeasurement
  private let logger: Logger
  private let instances: @Sendable (FlagService.FlagID) -> GuardEvidence.Instances
  private let ticked: @Sendable (_ nowMs: Int64) -> Void

  /// - Parameters:
  ///   - instances: those that poll a flag.
  ///   - ticked: called after each second's work.
  init(
    flags: FlagService, measurement: GuardMeasurement, logger: Logger,
    instances: @escaping @Sendable (FlagService.FlagID) -> GuardEvidence.Instances, ticked: @escaping @Sendable (Int64) -> Void
  ) {
    self.flags = flags
    self.measurement = measurement
    self.logger = logger
    self.instances = instances
    self.ticked = ticked
  }

  /// Ends with what is under way, once the thread has ended.
  func stop(timeoutMs: Int64) -> Bool { measurement.stop(timeoutMs: timeoutMs) }

  /// The thread that does so, not yet started.
  func makeThread() -> RepeatingThread {
    RepeatingThread(name: "rollouts", untilNextMs: { RolloutDriver.intervalMs }) { self.tick(elapsedMs: $0) }
  }

  private func tick(elapsedMs: Int64) {
    do throws(StoreError) {
      try flags.writeUnwritten()
    } catch {
      logger.error("a ramp that was taken back is not on disk yet: \(error)")
    }
    let targets = flags.activeRollouts()
    for target in targets {
      let nowMs = Clock.wallMs()
      do throws(StoreError) {
        var evidence = try measurement.evidence(
          for: target.rollout, caches: target.caches, instances: instances(target.id),
          isEvaluationNear: target.rollout.isEvaluationDue(afterMs: elapsedMs + RolloutDriver.intervalMs), nowMs: nowMs)
        evidence.isEnabled = target.isEnabled
        let changes = try flags.tick(target.id, target.rollout, elapsedMs: elapsedMs, nowMs: nowMs, evidence)
        for change in changes { log(change, target.rollout) }
      } catch {
        // The ramp stays as it is and the next tick tries again; a guard that cannot see lets nothing advance.
        logger.error("ramp of \(target.rollout.key): \(error)")
      }
    }
    measurement.keep(Set(targets.map(\.id)))
    ticked(Clock.wallMs())
  }

  private func log(_ change: RolloutChange, _ rollout: Rollout) {
    logger.notice(
      "ramp of \(rollout.key): \(change.from.rawValue) to \(change.to.rawValue) at \(change.percent) %",
      metadata: ["environment": "\(rollout.environment)", "actor": "\(change.actor)", "reason": "\(change.reason)"])
  }
}
