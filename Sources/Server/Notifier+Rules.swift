// SPDX-License-Identifier: Apache-2.0

internal import Alerting
internal import Notification

// What rules give, as the notifier wants it said.

extension Notifier {
  /// Prometheus' --rules.alert.resend-delay: how often an Alertmanager hears of an alert at least.
  private static let resendMs: Int64 = 60_000

  /// Says how the alerts of a group are after an evaluation.
  func tell(_ telling: RuleService.Telling) {
    let validUntilMs = telling.evaluatedMs + 4 * max(telling.intervalMs, Notifier.resendMs)
    let group = telling.group.place
    var notices: [AlertNotice] = []
    for (rule, state) in zip(telling.group.rules, telling.state.rules) where !state.alerts.isEmpty {
      let expression = "\(rule.expr)"
      for alert in state.alerts.values {
        guard let (startsMs, resolvedMs) = alert.firingTimes else { continue }
        notices.append(
          AlertNotice(
            labels: alert.labels, annotations: alert.annotations.map { .init($0.name, $0.value) }, startsMs: startsMs,
            resolvedMs: resolvedMs, validUntilMs: validUntilMs, value: alert.value, expression: expression, group: group))
      }
    }
    update(group: group, notices, nowMs: telling.evaluatedMs)
  }

  /// Says which groups there are.
  func keep(_ groups: [RuleGroup], nowMs: Int64) { keep(groups: Set(groups.map(\.place) + [RolloutNotices.group]), nowMs: nowMs) }
}

extension RuleGroup {
  /// Tells it apart from groups of the same name in other files.
  fileprivate var place: String { "\(file);\(name)" }
}

extension Alert {
  /// When it began to fire, and when that ended; nil for one that has not fired.
  fileprivate var firingTimes: (startsMs: Int64, resolvedMs: Int64?)? {
    switch phase {
    case .pending: nil
    case .firing(let sinceMs, _): (sinceMs, nil)
    case .resolved(let firedMs, let atMs): (firedMs, atMs)
    }
  }
}
