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

  init(flags: FlagService, store: Store, resolutionMs: Int64, logger: Logger) {
    self.flags = flags
    self.measurement = GuardMeasurement(store: store, resolutionMs: resolutionMs)
    self.logger = logger
  }

  /// The thread that does so, not yet started.
  func makeThread() -> RepeatingThread {
    RepeatingThread(name: "rollouts", untilNextMs: { RolloutDriver.intervalMs }) { self.tick(elapsedMs: $0) }
  }

  private func tick(elapsedMs: Int64) {
    for target in flags.activeRollouts() {
      let nowMs = Clock.wallMs()
      do throws(StoreError) {
        let evidence = try measurement.evidence(for: target.rollout, caches: target.caches, nowMs: nowMs)
        let changes = try flags.tick(target.rollout.key, target.rollout.environment, elapsedMs: elapsedMs, nowMs: nowMs, evidence)
        for change in changes { log(change, target.rollout) }
      } catch {
        // The ramp stays as it is and the next tick tries again; a guard that cannot see lets nothing advance.
        logger.error("ramp of \(target.rollout.key): \(error)")
      }
    }
  }

  private func log(_ change: RolloutChange, _ rollout: Rollout) {
    logger.notice(
      "ramp of \(rollout.key): \(change.from.rawValue) to \(change.to.rawValue) at \(change.percent) %",
      metadata: ["environment": "\(rollout.environment)", "actor": "\(change.actor)", "reason": "\(change.reason)"])
  }
}
