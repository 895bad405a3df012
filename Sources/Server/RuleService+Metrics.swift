// SPDX-License-Identifier: Apache-2.0

internal import Alerting
internal import TimeSeries

// `rampart_rule_*`, and the alerts as Prometheus' own two series.

extension RuleService {
  func metrics() -> [MetricsPage.Entry] {
    let views = views
    // Two files may have groups of one name, whose sums are shown.
    let names = Set(views.map(\.group.name)).sorted()
    func entry(_ name: String, _ type: MetricType, _ help: String, _ value: (View) -> Double) -> MetricsPage.Entry {
      let samples = names.map { group in
        MetricsPage.Entry.Sample.number(
          Labels(metric: name, [Label("group", group)]),
          views.filter { $0.group.name == group }.reduce(0) { $0 + value($1) })
      }
      return MetricsPage.Entry(MetricFamily(name, type, help), samples)
    }
    return [
      entry("rampart_rule_evaluations_total", .counter, "Evaluations of rules, by group.") { Double($0.evaluations) },
      entry("rampart_rule_evaluation_failures_total", .counter, "Evaluations of rules that failed, by group.") { Double($0.failures) },
      entry("rampart_rule_group_iterations_missed_total", .counter, "Times at which a group was still being evaluated, or none was.") {
        Double($0.missed)
      },
      entry("rampart_rule_group_last_evaluation_failures", .gauge, "Rules of the group whose newest evaluation failed.") { view in
        Double(view.state.rules.count { $0.health.isFailing })
      },
      entry("rampart_rule_group_rules_without_data", .gauge, "Rules of the group with selectors that no series has samples for.") { view in
        Double(view.state.rules.count { !$0.missing.isEmpty })
      },
      entry("rampart_rule_group_last_duration_seconds", .gauge, "How long the newest evaluation of the group took.") {
        $0.state.evaluationSeconds
      },
      entry("rampart_rule_group_rules", .gauge, "Rules of the group.") { Double($0.group.rules.count) },
    ]
  }

  /// `ALERTS` and `ALERTS_FOR_STATE`; in the store they are recorded by the evaluations.
  func alertEntries() -> [MetricsPage.Entry] {
    // Two groups may have the same alert, which is one series.
    var alerts: [Labels: Double] = [:], activeSince: [Labels: Double] = [:]
    for alert in views.flatMap(\.state.rules).flatMap(\.activeAlerts) {
      alerts[alert.sampleLabels] = 1
      activeSince[alert.activeSampleLabels] = Double(alert.activeMs / 1000)
    }
    func entry(_ name: String, _ help: String, _ samples: [Labels: Double]) -> MetricsPage.Entry {
      MetricsPage.Entry(
        MetricFamily(name, .gauge, help), samples.sorted { $0.key < $1.key }.map { .number($0.key, $0.value) })
    }
    return [
      entry("ALERTS", "1 for each alert that is pending or firing.", alerts),
      entry("ALERTS_FOR_STATE", "Since when the alert is pending or firing, in seconds since 1970-01-01 UTC.", activeSince),
    ]
  }
}
