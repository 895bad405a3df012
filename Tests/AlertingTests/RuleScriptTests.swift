// SPDX-License-Identifier: Apache-2.0

// Rules over series in memory, written as the unit tests that users write; promtool runs the same ones in the acceptance
// tests.

import Alerting
import Testing

/// What is wrong with a test of these rules.
func failures(rules: String, _ tests: String) throws -> [String] {
  let file = try RuleTestFile(tests)
  return RuleTestRun.failures(file, groups: try RuleFile(rules, file: "rules.yml").groups)
}

private let down = """
  groups:
  - name: g
    rules:
    - alert: Down
      expr: up == 0
      for: 2m
      keep_firing_for: 3m
      labels: {severity: "{{ if eq $labels.job \\"db\\" }}page{{ else }}info{{ end }}"}
      annotations: {summary: "{{ $labels.job }} is down"}
  """

@Test func anAlertIsPendingThenFiringThenKeptThenGone() throws {
  let labels = #"alertname="Down",job="db",severity="page""#
  let alert = "{exp_labels: {job: db, severity: page}, exp_annotations: {summary: db is down}}"
  #expect(
    try failures(
      rules: down,
      """
      tests:
      - interval: 1m
        input_series:
        - {series: 'up{job="db"}', values: '1 0 0 0 0 1x10'}
        alert_rule_test:
        - {eval_time: 2m59s, alertname: Down}
        - {eval_time: 3m, alertname: Down, exp_alerts: [\(alert)]}
        - {eval_time: 7m, alertname: Down, exp_alerts: [\(alert)]}
        - {eval_time: 8m, alertname: Down}
        promql_expr_test:
        - {expr: 'ALERTS', eval_time: 0, exp_samples: []}
        - {expr: 'ALERTS', eval_time: 1m, exp_samples: [{labels: '{__name__="ALERTS",alertstate="pending",\(labels)}', value: 1}]}
        - {expr: 'ALERTS', eval_time: 2m, exp_samples: [{labels: '{__name__="ALERTS",alertstate="pending",\(labels)}', value: 1}]}
        - {expr: 'ALERTS', eval_time: 3m, exp_samples: [{labels: '{__name__="ALERTS",alertstate="firing",\(labels)}', value: 1}]}
        - {expr: 'ALERTS_FOR_STATE', eval_time: 7m, exp_samples: [{labels: 'ALERTS_FOR_STATE{\(labels)}', value: 60}]}
        - {expr: 'ALERTS', eval_time: 8m, exp_samples: []}
      """) == [])
}

@Test func aPendingAlertThatStopsHoldingBeginsAnew() throws {
  #expect(
    try failures(
      rules: down,
      """
      tests:
      - interval: 1m
        input_series: [{series: 'up{job="web"}', values: '0 0 1 0 0 0'}]
        alert_rule_test:
        - {eval_time: 4m, alertname: Down}
        - {eval_time: 5m, alertname: Down, exp_alerts: [{exp_labels: {job: web, severity: info}, exp_annotations: {summary: web is down}}]}
      """) == [])
}

@Test func aRuleSeesWhatThoseBeforeItGave() throws {
  let rules = """
    groups:
    - name: g
      rules:
      - {record: 'doubled', expr: 'value * 2', labels: {from: first}}
      - {record: 'quadrupled', expr: 'doubled * 2'}
      - {alert: Large, expr: 'quadrupled > 10'}
    """
  #expect(
    try failures(
      rules: rules,
      """
      tests:
      - interval: 1m
        input_series: [{series: 'value{a="b"}', values: '1 2 3'}]
        alert_rule_test:
        - {eval_time: 1m, alertname: Large}
        - {eval_time: 2m, alertname: Large, exp_alerts: [{exp_labels: {a: b, from: first}}]}
        promql_expr_test:
        - {expr: doubled, eval_time: 2m, exp_samples: [{labels: 'doubled{a="b",from="first"}', value: 6}]}
      """) == [])
}

@Test func seriesThatARuleNoLongerGivesEndAtOnce() throws {
  let rules = "groups: [{name: g, rules: [{record: seen, expr: 'value > 1'}]}]"
  #expect(
    try failures(
      rules: rules,
      """
      tests:
      - interval: 1m
        input_series: [{series: value, values: '2 1 2'}]
        promql_expr_test:
        - {expr: seen, eval_time: 0, exp_samples: [{labels: seen, value: 2}]}
        - {expr: seen, eval_time: 1m, exp_samples: []}
        - {expr: seen, eval_time: 2m, exp_samples: [{labels: seen, value: 2}]}
      """) == [])
}

@Test func aFailedRuleEndsTheTest() throws {
  let rules = "groups: [{name: g, limit: 1, rules: [{record: r, expr: value}]}]"
  let found = try failures(
    rules: rules, "tests: [{input_series: [{series: 'value{a=\"1\"}', values: 1}, {series: 'value{a=\"2\"}', values: 1}]}]")
  #expect(found == ["    rule: r, time: 0s, err: exceeded limit of 1 with 2 series"])
}

@Test(arguments: [
  ("record: r, expr: value, labels: {a: same}", "vector contains metrics with the same labelset after applying rule labels"),
  ("alert: A, expr: 'value', labels: {a: same}", "vector contains metrics with the same labelset after applying alert labels"),
  ("record: r, expr: '\"text\"'", "rule result is not a vector or scalar"),
])
func aRuleThatGivesWhatItMustNotFails(rule: String, message: String) throws {
  let found = try failures(
    rules: "groups: [{name: g, rules: [{\(rule)}]}]",
    "tests: [{input_series: [{series: 'value{a=\"1\"}', values: 1}, {series: 'value{a=\"2\"}', values: 1}]}]")
  #expect(found.count == 1 && found[0].contains(message), "\(found)")
}

@Test func aWrongExpectationIsShown() throws {
  let found = try failures(
    rules: down,
    """
    tests:
    - name: outage
      interval: 1m
      input_series: [{series: 'up{job="db"}', values: '0x5'}]
      alert_rule_test: [{eval_time: 5m, alertname: Down}]
      promql_expr_test: [{expr: up, eval_time: 5m, exp_samples: [{labels: 'up{job="db"}', value: 1}]}]
    """)
  #expect(
    found == [
      """
          name: outage,
          alertname: Down, time: 5m,\u{20}
              exp:[],\u{20}
              got:[
                  0:
                    Labels:{alertname="Down", job="db", severity="page"}
                    Annotations:{summary="db is down"}
                  ]
      """,
      """
          expr: "up", time: 5m,
              exp: {__name__="up", job="db"} 1E+00
              got: {__name__="up", job="db"} 0E+00
      """,
    ])
}

@Test func groupsAreEvaluatedInTheOrderAskedFor() throws {
  let rules = """
    groups:
    - {name: second, rules: [{record: b, expr: a + 1}]}
    - {name: first, rules: [{record: a, expr: '1'}]}
    """
  let ask = "promql_expr_test: [{expr: b, eval_time: 0, exp_samples: [{labels: b, value: 2}]}]"
  #expect(try failures(rules: rules, "group_eval_order: [first, second]\ntests: [{\(ask)}]") == [])
  #expect(try failures(rules: rules, "group_eval_order: [second, first]\ntests: [{\(ask)}]").count == 1)
}

@Test(arguments: [
  ("tests: [{intervall: 1m}]", "1:10: field intervall not found in test"),
  ("tests: [{input_series: [{series: 'a{', values: 1}]}]", "1:34: series a{: column 3: an equals sign is missing"),
  ("tests: [{input_series: [{series: a, values: b}]}]", "1:45: values of a: column 1: a number is missing"),
  (
    "tests: [{alert_rule_test: [{eval_time: 1m}]}]",
    "1:28: an item under alert_rule_test misses required attribute alertname at eval_time 1m"
  ),
  ("group_eval_order: [a, a]", "1:19: group name repeated in evaluation order: a"),
])
func aTestThatCannotBeReadIsToldWithItsPlace(yaml: String, message: String) {
  #expect(throws: YAMLFault.self) { try RuleTestFile(yaml) }
  do {
    _ = try RuleTestFile(yaml)
  } catch {
    #expect("\(error)" == message)
  }
}
