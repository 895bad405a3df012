// SPDX-License-Identifier: Apache-2.0

internal import Alerting
internal import Flags
internal import TimeSeries

// The alerts that fire now, as a ramp's guard asks for them.

extension RuleService {
  /// Says what stands against a plan that a ramp is about to follow.
  func review(_ compiled: CompiledGuard) throws(RequestError) { try compiled.requireKnownAlerts(views.map(\.group)) }

  /// For each selection the alerts that it matches and that fire, ascending by labels; nil where no rule can give any, so that
  /// nobody takes silence for health. A silence keeps notifications back and not the guard.
  func firing(matching selections: [[Matcher]]) -> [[FiringAlert]?] {
    guard !selections.isEmpty else { return [] }
    let views = self.views
    let groups = views.map(\.group)
    let alerts = views.flatMap { view in
      view.state.rules.flatMap { rule in rule.alerts.values.filter { $0.firingSinceMs != nil } }
    }
    return selections.map { matchers in
      guard CompiledGuard.isKnown(matchers, groups) else { return nil }
      return alerts.filter { alert in matchers.allSatisfy { $0.matches(alert.labels[$0.name] ?? "") } }
        .sorted { $0.labels < $1.labels }
        .map { FiringAlert($0) }
    }
  }
}

extension Alert {
  fileprivate var firingSinceMs: Int64? {
    if case .firing(let sinceMs, _) = phase { return sinceMs }
    return nil
  }
}

extension FiringAlert {
  fileprivate init(_ alert: Alert) {
    self.init(
      name: alert.labels[Alert.nameLabel] ?? "", labels: "\(alert.labels)", kind: alert.labels["kind"] ?? "", value: alert.value,
      sinceMs: alert.firingSinceMs ?? alert.activeMs)
  }
}
