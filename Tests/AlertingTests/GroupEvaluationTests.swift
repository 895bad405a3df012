// SPDX-License-Identifier: Apache-2.0

// What the language of unit tests cannot say: errors that leave states alone, limits, restarts, what is missing.

import Alerting
import PromQL
import Testing
import TimeSeries

private func group(_ rules: String, limit: Int = 0, offset: String = "0s") throws -> RuleGroup {
  try RuleFile("groups: [{name: g, limit: \(limit), query_offset: \(offset), rules: [\(rules)]}]", file: "f.yml").groups[0]
}

/// A group on its way through time.
private struct Course {
  var source = MemorySource()
  var state: GroupState
  let group: RuleGroup
  var terms = EvaluationTerms()

  init(_ group: RuleGroup) {
    self.group = group
    state = GroupState(group)
  }

  mutating func set(_ metric: String, _ value: Double, at seconds: Int64, labels: [Label] = []) {
    source.append(Labels(metric: metric, labels), timeMs: seconds * 1000, value: value)
  }

  @discardableResult
  mutating func evaluate(at seconds: Int64) -> GroupOutcome {
    let outcome = GroupEvaluation<MemorySource>.run(group, &state, atMs: seconds * 1000, over: source, terms)
    for sample in outcome.samples { source.append(sample.labels, timeMs: sample.timeMs, value: sample.value) }
    return outcome
  }

  var phases: [Alert.Phase] { state.rules[0].alerts.values.map(\.phase) }
}

extension GroupOutcome {
  fileprivate var changeNames: [String] { changes.map(\.change.rawValue) }
}

@Test func anErrorLeavesStatesAsTheyAre() throws {
  var course = Course(try group("{alert: A, expr: 'a * on() group_left() b == 0'}"))
  course.set("a", 0, at: 0)
  course.set("b", 1, at: 0)
  #expect(course.evaluate(at: 0).changeNames == ["firing"])
  // Two of them match nothing that is one.
  course.set("b", 1, at: 5, labels: [Label("x", "1")])
  course.set("b", 1, at: 5)
  let outcome = course.evaluate(at: 10)
  #expect(outcome.changes.isEmpty && outcome.samples.isEmpty)
  guard case .failing = course.state.rules[0].health else { Issue.record("the rule did not fail"); return }
  #expect(course.phases == [.firing(sinceMs: 0, keptSinceMs: nil)])
}

@Test func beyondItsLimitARuleHasNoAlerts() throws {
  var course = Course(try group("{alert: A, expr: 'a'}", limit: 2))
  for index in 0..<2 { course.set("a", 1, at: 0, labels: [Label("i", "\(index)")]) }
  #expect(course.evaluate(at: 0).changeNames == ["firing", "firing"])
  course.set("a", 1, at: 10, labels: [Label("i", "2")])
  _ = course.evaluate(at: 10)
  #expect(course.state.rules[0].health == .failing("exceeded limit of 2 with 3 alerts"))
}

@Test func aFloodOfAlertsIsOneError() throws {
  var course = Course(try group("{alert: A, expr: 'a'}"))
  course.terms.seriesMax = 100
  for index in 0...100 { course.set("a", 1, at: 0, labels: [Label("i", "\(index)")]) }
  #expect(course.evaluate(at: 0).changes.isEmpty)
  #expect(course.state.rules[0].health == .failing("exceeded limit of 100 with 101 alerts"))
}

@Test func aResolvedAlertIsRememberedForAQuarterOfAnHour() throws {
  var course = Course(try group("{alert: A, expr: 'a > 0'}"))
  course.set("a", 1, at: 0)
  course.evaluate(at: 0)
  course.set("a", 0, at: 60)
  #expect(course.evaluate(at: 60).changeNames == ["resolved"])
  course.set("a", 0, at: 900)
  #expect(course.evaluate(at: 60 + 900).forgotten.isEmpty)
  #expect(course.phases == [.resolved(firedMs: 0, atMs: 60_000)])
  #expect(course.evaluate(at: 60 + 901).forgotten.count == 1)
  #expect(course.phases == [])
}

@Test func anAlertThatComesBackAfterItsEndIsANewOne() throws {
  var course = Course(try group("{alert: A, expr: 'a > 0', for: 1m}"))
  for (seconds, value) in [(0, 1.0), (60, 1), (120, 0), (180, 1)] as [(Int64, Double)] {
    course.set("a", value, at: seconds)
    course.evaluate(at: seconds)
  }
  #expect(course.phases == [.pending])
  #expect(course.state.rules[0].alerts.values.first?.activeMs == 180_000)
}

@Test func aQueryOffsetMovesTheSamplesToo() throws {
  var course = Course(try group("{record: r, expr: a}", offset: "1m"))
  course.set("a", 7, at: 0)
  course.set("a", 8, at: 30)
  let outcome = course.evaluate(at: 60)
  #expect(outcome.samples == [RuleSample(labels: Labels(metric: "r"), timeMs: 0, value: 7)])
}

@Test func selectorsWithoutSeriesAreTold() throws {
  var course = Course(try group("{alert: A, expr: 'rate(hits_total[5m]) > 1 and on() up == 1'}, {alert: B, expr: 'absent(up)'}"))
  course.set("up", 0, at: 0)
  course.evaluate(at: 0)
  #expect(course.state.rules.map(\.missing) == [["hits_total"], []])
  course.set("hits_total", 1, at: 60)
  course.evaluate(at: 60)
  #expect(course.state.rules[0].missing == [])
}

@Test func anAlertOverAlertsKeepsItsName() throws {
  var course = Course(try group("{alert: A, expr: 'up == 0'}, {alert: Meta, expr: 'ALERTS{alertstate=\"firing\"} == 1'}"))
  course.set("up", 0, at: 0)
  let outcome = course.evaluate(at: 0)
  #expect(course.state.rules[1].health == .ok)
  #expect(outcome.changes.last?.alert.labels == Labels([Label("alertname", "Meta"), Label("alertstate", "firing")]))
}

@Test func restoredAlertsGoOnWhereTheyWere() throws {
  let rules = try group("{alert: A, expr: 'a > 0', for: 1m, labels: {severity: page}}, {alert: A, expr: 'a > 1', labels: {severity: info}}")
  var state = GroupState(rules)
  let labels = Labels([Label("alertname", "A"), Label("severity", "info")])
  let alert = Alert(labels: labels, annotations: [], value: 2, activeMs: 5_000, phase: .firing(sinceMs: 6_000, keptSinceMs: nil))
  let isBack = state.restore(alert, in: rules)
  #expect(isBack)
  #expect(state.rules[0].alerts.isEmpty && state.rules[1].alerts[labels] == alert)
  let isStrangerBack = state.restore(
    Alert(labels: Labels([Label("alertname", "B")]), annotations: [], value: 2, activeMs: 0), in: rules)
  #expect(!isStrangerBack)
  var course = Course(rules)
  course.state = state
  course.set("a", 2, at: 10)
  let outcome = course.evaluate(at: 10)
  #expect(outcome.changes.map(\.rule) == [0])
  #expect(course.state.rules[1].alerts[labels]?.phase == .firing(sinceMs: 6_000, keptSinceMs: nil))
  // Its series ends although this process did not write it.
  course.set("a", 0, at: 20)
  #expect(course.evaluate(at: 20).samples.count { StaleMarker.isStale($0.value) } == 4)
}

@Test func aFileThatIsReadAgainKeepsWhatIsKnown() throws {
  let old = try group("{alert: A, expr: 'a > 0', for: 1m}, {record: r, expr: a}")
  var course = Course(old)
  course.set("a", 1, at: 0)
  course.evaluate(at: 0)
  // Another order, another threshold, another `for`.
  let new = try group("{record: r, expr: a}, {alert: New, expr: a}, {alert: A, expr: 'a > 0.5', for: 2m}")
  var state = GroupState(new)
  state.inherit(course.state, of: old, for: new)
  #expect(state.rules.map { $0.alerts.values.map(\.activeMs) } == [[], [], [0]])
}

@Test func anAlertWhoseForWasRaisedIsPendingAgain() throws {
  let old = try group("{alert: A, expr: 'a > 0', for: 1m}"), new = try group("{alert: A, expr: 'a > 0', for: 10m}")
  var course = Course(old)
  course.set("a", 1, at: 0)
  course.evaluate(at: 0)
  course.evaluate(at: 60)
  #expect(course.phases == [.firing(sinceMs: 60_000, keptSinceMs: nil)])
  var later = Course(new)
  later.source = course.source
  later.state.inherit(course.state, of: old, for: new)
  later.evaluate(at: 70)
  #expect(later.phases == [.pending])
}

@Test func aTemplateThatFailsIsShownAndTheAlertLives() throws {
  var course = Course(try group("{alert: A, expr: 'a', annotations: {s: '{{ .Labels.x.y }}'}}"))
  course.set("a", 1, at: 0)
  course.evaluate(at: 0)
  let annotation = try #require(course.state.rules[0].alerts.values.first?.annotations.first?.value)
  #expect(annotation.hasPrefix("<error expanding template: "), "\(annotation)")
}

@Test func aTemplateMayAsk() throws {
  var course = Course(try group("{alert: A, expr: 'a', annotations: {s: '{{ with query \"sum(b)\" }}{{ . | first | value }}{{ end }}'}}"))
  course.set("a", 1, at: 0)
  course.set("b", 2, at: 0, labels: [Label("x", "1")])
  course.set("b", 3, at: 0, labels: [Label("x", "2")])
  course.evaluate(at: 0)
  #expect(course.state.rules[0].alerts.values.first?.annotations == [Annotation("s", "5")])
}
