// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import Notification
internal import TimeSeries

// Tells receivers of every ramp that was rolled back or killed, by whomever. It goes through the notifier as a group of
// alerts, so it is delivered, repeated and ended like any other, also where no rules are in force.

struct RolloutNotices: Sendable {
  /// The notifier's name for them; no rule group has it, because those begin with a file.
  static let group = "rollouts"
  /// For how long one fires; a ramp that is started anew ends it sooner.
  private static let firingMs: Int64 = 6 * 3_600_000
  /// Until when an Alertmanager need not hear of one again: four times the interval of its repetitions.
  private static let validMs: Int64 = 240_000

  let flags: FlagService
  let notifier: Notifier

  /// Says how it is now; to be called after each change and again at least once a minute.
  func tell(nowMs: Int64) {
    notifier.update(group: RolloutNotices.group, flags.allRollouts().compactMap { notice($0, $1, nowMs) }, nowMs: nowMs)
  }

  private func notice(_ id: FlagService.FlagID, _ rollout: Rollout, _ nowMs: Int64) -> AlertNotice? {
    guard let name = RolloutNotices.name(of: rollout.state), nowMs - rollout.stateSinceMs < RolloutNotices.firingMs else {
      return nil
    }
    let word = rollout.state == .killed ? "killed" : "rolled back"
    return AlertNotice(
      labels: Labels([
        Label("alertname", name), Label("environment", id.environment), Label("flag", id.key), Label("severity", "warning"),
      ]),
      annotations: [
        .init("description", rollout.reason),
        .init("summary", "The ramp of \(id.key) in \(id.environment) was \(word): it is at \(rollout.percent) %"),
      ],
      startsMs: rollout.stateSinceMs, resolvedMs: nil, validUntilMs: nowMs + RolloutNotices.validMs, value: rollout.percent.value,
      expression: "rampart_rollout_state{flag=\"\(id.key)\",environment=\"\(id.environment)\",state=\"\(rollout.state.rawValue)\"}",
      group: RolloutNotices.group)
  }

  private static func name(of state: RolloutState) -> String? {
    switch state {
    case .rolledBack: "RampartRolloutRolledBack"
    case .killed: "RampartRolloutKilled"
    default: nil
    }
  }
}
