// SPDX-License-Identifier: Apache-2.0

internal import PromQL
internal import TimeSeries

// Runs unit tests of rules as promtool does (Prometheus: cmd/promtool/unittest.go): series come in as time goes on, every
// group is evaluated at each step, alerts are compared with the evaluation at or before their time, expressions at the end.

/// Tests over the rules that they are for.
package enum RuleTestRun {
  /// What is wrong, as promtool prints it; empty where all is as expected.
  package static func failures(_ file: RuleTestFile, groups: [RuleGroup]) -> [String] {
    var places: [String: Int] = [:]
    for (place, name) in file.groupOrder.enumerated() { places[name] = place }
    // A stable sort: groups that are not named come first, in the order of their files.
    let ordered = groups.enumerated()
      .sorted { (places[$0.element.name] ?? 0, $0.offset) < (places[$1.element.name] ?? 0, $1.offset) }.map(\.element)
    return file.tests.flatMap { test in
      var run = Run(test, file, ordered)
      return run.failures()
    }
  }
}

private struct Run {
  private let test: RuleTest
  private let file: RuleTestFile
  private let groups: [RuleGroup]
  private var states: [GroupState]
  private var source = MemorySource()
  /// Points of each series that are in the source.
  private var loaded: [Int]
  private var terms = EvaluationTerms()

  init(_ test: RuleTest, _ file: RuleTestFile, _ groups: [RuleGroup]) {
    self.test = test
    self.file = file
    self.groups = groups
    states = groups.map { GroupState($0) }
    loaded = test.input.map { _ in 0 }
    terms.externalLabels = test.externalLabels
    terms.externalURL = test.externalURL
    terms.engine.subqueryStepMs = file.evaluationIntervalMs
    terms.seriesMax = .max
    terms.findsMissing = false
  }

  mutating func failures() -> [String] {
    var failures: [String] = []
    let cases = test.alertCases.sorted { $0.timeMs < $1.timeMs }[...]
    var rest = cases
    for elapsedMs in stride(from: 0, through: test.throughMs, by: Int64.Stride(file.evaluationIntervalMs)) {
      let faults = evaluate(elapsedMs)
      // What is found after a rule failed would only be a consequence of it.
      guard faults.isEmpty else { return failures + faults }
      while let next = rest.first, next.timeMs < elapsedMs + file.evaluationIntervalMs {
        rest = rest.dropFirst()
        if let failure = failure(of: next) { failures.append(failure) }
      }
    }
    load(throughMs: test.throughMs)
    return failures + test.exprCases.compactMap { failure(of: $0) }
  }

  private mutating func load(throughMs: Int64) {
    for (index, input) in test.input.enumerated() {
      while loaded[index] < input.points.count, Int64(loaded[index]) * test.intervalMs <= throughMs {
        let timeMs = test.startMs + Int64(loaded[index]) * test.intervalMs
        switch input.points[loaded[index]] {
        case .sample(let value): source.append(input.labels, timeMs: timeMs, value: value)
        // This engine has floats only; it hides the float before it, as in Prometheus.
        case .nativeHistogram: source.append(input.labels, timeMs: timeMs, value: StaleMarker.value)
        case .omitted: break
        }
        loaded[index] += 1
      }
    }
  }

  /// - Returns: a text for each rule that fails.
  private mutating func evaluate(_ elapsedMs: Int64) -> [String] {
    load(throughMs: elapsedMs)
    var faults: [String] = []
    for (index, group) in groups.enumerated() {
      let outcome = GroupEvaluation<MemorySource>.run(
        group, &states[index], atMs: test.startMs + elapsedMs, over: source, terms)
      for sample in outcome.samples { source.append(sample.labels, timeMs: sample.timeMs, value: sample.value) }
      for (rule, state) in zip(group.rules, states[index].rules) {
        guard case .failing(let message) = state.health else { continue }
        faults.append("    rule: \(rule.name), time: \(DurationText.text(ms: elapsedMs)), err: \(message)")
      }
    }
    return faults
  }

  // MARK: Alerts

  private func failure(of testCase: RuleTest.AlertCase) -> String? {
    var got: [String] = []
    for (group, state) in zip(groups, states) {
      for (rule, state) in zip(group.rules, state.rules) where rule.alert != nil && rule.name == testCase.alertName {
        for alert in state.alerts.values {
          guard case .firing = alert.phase else { continue }
          got.append(Run.text(alert.labels.all, alert.annotations))
        }
      }
    }
    let expected = testCase.expected.map { Run.text(Labels($0.labels).all, $0.annotations) }
    guard got.sorted() != expected.sorted() else { return nil }
    return nameLine + """
          alertname: \(testCase.alertName), time: \(DurationText.text(ms: testCase.timeMs)),\u{20}
              exp:\(Run.list(expected)),\u{20}
              got:\(Run.list(got))
      """
  }

  private var nameLine: String { test.name.isEmpty ? "" : "    name: \(test.name),\n" }

  private static func text(_ labels: [Label], _ annotations: [Annotation]) -> String {
    let notes = annotations.filter { !$0.value.isEmpty }.sorted { $0.name < $1.name }.map { Label($0.name, $0.value) }
    let sorted = labels.filter { !$0.value.isEmpty }.sorted()
    return "Labels:\(braces(sorted))\n              Annotations:\(braces(notes))"
  }

  private static func braces(_ labels: [Label]) -> String {
    "{" + labels.map { "\($0.name)=\"\(Exposition.escapedLabelValue($0.value))\"" }.joined(separator: ", ") + "}"
  }

  private static func list(_ alerts: [String]) -> String {
    guard !alerts.isEmpty else { return "[]" }
    let lines = alerts.sorted().enumerated().map { index, alert in "            \(index):\n              \(alert)" }
    return "[\n\(lines.joined(separator: "\n"))\n            ]"
  }

  // MARK: Expressions

  private func failure(of testCase: RuleTest.ExprCase) -> String? {
    let head = "    expr: \"\(testCase.expression)\", time: \(DurationText.text(ms: testCase.timeMs)),"
    let value: QueryValue
    do {
      let engine = Engine(source: source, settings: terms.engine)
      value = try engine.value(of: try Expr(parsing: testCase.expression), atMs: test.startMs + testCase.timeMs).value
    } catch {
      return "\(head) err: \(error)"
    }
    let got: [(labels: Labels, value: Double)]
    switch value {
    case .vector(let samples): got = samples.map { ($0.labels, $0.value) }
    case .scalar(let number, _): got = [(Labels([]), number)]
    case .string, .matrix: return "\(head) err: rule result is not a vector or scalar"
    }
    let sortedGot = got.sorted { $0.labels < $1.labels }
    let expected = testCase.expected.sorted { $0.labels < $1.labels }
    let isEqual =
      sortedGot.count == expected.count
      && zip(sortedGot, expected).allSatisfy { $0.labels == $1.labels && areEqual($0.value, $1.value) }
    return isEqual ? nil : "\(head)\n        exp: \(Run.samples(expected))\n        got: \(Run.samples(sortedGot))"
  }

  /// Go's comparison of numbers: what is not a number equals nothing. With `fuzzy_compare` neighbours are equal.
  private func areEqual(_ left: Double, _ right: Double) -> Bool {
    left == right || file.isFuzzy && (left.nextUp == right || left.nextDown == right)
  }

  private static func samples(_ samples: [(labels: Labels, value: Double)]) -> String {
    guard !samples.isEmpty else { return "nil" }
    return samples.map { "\(braces($0.labels.all)) \(GeneralNumber.scientific($0.value).uppercased())" }.joined(separator: ", ")
  }
}
