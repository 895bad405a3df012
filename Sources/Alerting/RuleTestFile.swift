// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import PromQL
internal import TimeSeries
internal import Yams

// Unit tests of rules in promtool's format. Running them is RuleTestRun's.
// https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/

/// A file of unit tests.
package struct RuleTestFile: Sendable {
  /// As they are written: paths or globs, relative to the file's folder.
  package let ruleFiles: [String]
  let evaluationIntervalMs: Int64
  /// Names of groups, in the order they are to be evaluated; others come first.
  let groupOrder: [String]
  let isFuzzy: Bool
  let tests: [RuleTest]

  package static let bytesMax = RuleFile.bytesMax

  package init(_ yaml: String, ignoresUnknown: Bool = false) throws(YAMLFault) {
    let reader = RuleTestReader(ignoresUnknown: ignoresUnknown)
    let root = try YAMLDocument.first(of: yaml)
    let fields = try reader.fields(
      root ?? Node.mapping(Node.Mapping([])), "test file",
      ["rule_files", "evaluation_interval", "group_eval_order", "tests", "fuzzy_compare"])
    ruleFiles = try fields.list("rule_files").map { (node) throws(YAMLFault) in try YAMLFields.text(node, "rule_files") }
    let intervalMs = try fields.durationMs("evaluation_interval") ?? 0
    evaluationIntervalMs = intervalMs > 0 ? intervalMs : 60_000
    groupOrder = try fields.list("group_eval_order").map { (node) throws(YAMLFault) in
      try YAMLFields.text(node, "group_eval_order")
    }
    for (index, name) in groupOrder.enumerated() where groupOrder[..<index].contains(name) {
      throw YAMLFault("group name repeated in evaluation order: \(name)", at: fields.mark(of: "group_eval_order"))
    }
    isFuzzy = try fields.bool("fuzzy_compare")
    let defaultMs = evaluationIntervalMs
    tests = try fields.list("tests").map { (node) throws(YAMLFault) in try reader.test(node, defaultIntervalMs: defaultMs) }
  }
}

/// Series, and what is expected of the rules over them.
struct RuleTest: Sendable {
  struct Input: Sendable {
    let labels: Labels
    let points: [SeriesNotation.Point]
  }

  struct AlertCase: Sendable {
    let timeMs: Int64
    let alertName: String
    let expected: [ExpectedAlert]
  }

  struct ExpectedAlert: Sendable {
    let labels: [Label]
    let annotations: [Annotation]
  }

  struct ExprCase: Sendable {
    let expression: String
    let timeMs: Int64
    let expected: [(labels: Labels, value: Double)]
  }

  let name: String
  let intervalMs: Int64
  let startMs: Int64
  let input: [Input]
  let alertCases: [AlertCase]
  let exprCases: [ExprCase]
  let externalLabels: Labels
  let externalURL: String

  /// The last time that is asked for, from the start.
  var throughMs: Int64 { (alertCases.map(\.timeMs) + exprCases.map(\.timeMs)).max() ?? 0 }
}

private struct RuleTestReader {
  let ignoresUnknown: Bool
  private let merges = YAMLMerges()

  init(ignoresUnknown: Bool) {
    self.ignoresUnknown = ignoresUnknown
  }

  func fields(_ node: Node, _ kind: String, _ names: Set<String>) throws(YAMLFault) -> YAMLFields {
    try YAMLFields(node, kind, names, ignoresUnknown: ignoresUnknown, merges)
  }

  func test(_ node: Node, defaultIntervalMs: Int64) throws(YAMLFault) -> RuleTest {
    let fields = try fields(
      node, "test",
      [
        "interval", "input_series", "name", "start_timestamp", "alert_rule_test", "promql_expr_test", "external_labels",
        "external_url",
      ])
    let intervalMs = try fields.durationMs("interval") ?? 0
    return RuleTest(
      name: try fields.text("name"), intervalMs: intervalMs > 0 ? intervalMs : defaultIntervalMs,
      startMs: try startMs(fields),
      input: try fields.list("input_series").map { (node) throws(YAMLFault) in try input(node) },
      alertCases: try fields.list("alert_rule_test").map { (node) throws(YAMLFault) in try alertCase(node) },
      exprCases: try fields.list("promql_expr_test").map { (node) throws(YAMLFault) in try exprCase(node) },
      externalLabels: Labels(try labels(fields, "external_labels")), externalURL: try fields.text("external_url"))
  }

  /// Seconds since 1970 or RFC 3339.
  private func startMs(_ fields: YAMLFields) throws(YAMLFault) -> Int64 {
    let text = try fields.text("start_timestamp")
    if text.isEmpty { return 0 }
    if let seconds = Double(text), abs(seconds) < 1e12 { return Int64((seconds * 1000).rounded()) }
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains("."))
    guard let date = try? Date(text, strategy: style) else {
      throw YAMLFault("cannot parse \"\(text)\" to a valid timestamp", at: fields.mark(of: "start_timestamp"))
    }
    return Int64((date.timeIntervalSince1970 * 1000).rounded())
  }

  private func input(_ node: Node) throws(YAMLFault) -> RuleTest.Input {
    let fields = try fields(node, "input series", ["series", "values"])
    let series = try fields.text("series"), values = try fields.text("values")
    let labels: Labels
    do throws(NotationError) {
      labels = try SeriesNotation.labels(series)
    } catch {
      throw YAMLFault("series \(series): \(error)", at: fields.mark(of: "series"))
    }
    do throws(NotationError) {
      return RuleTest.Input(labels: labels, points: try SeriesNotation.points(values))
    } catch {
      throw YAMLFault("values of \(series): \(error)", at: fields.mark(of: "values"))
    }
  }

  private func labels(_ fields: YAMLFields, _ name: String) throws(YAMLFault) -> [Label] {
    try fields.texts(name).map { Label($0.name, $0.text) }
  }

  private func alertCase(_ node: Node) throws(YAMLFault) -> RuleTest.AlertCase {
    let fields = try fields(node, "alert_rule_test", ["eval_time", "alertname", "exp_alerts"])
    let name = try fields.text("alertname")
    let timeMs = try fields.durationMs("eval_time") ?? 0
    guard !name.isEmpty else {
      throw YAMLFault(
        "an item under alert_rule_test misses required attribute alertname at eval_time \(DurationText.text(ms: timeMs))",
        at: fields.mark)
    }
    let expected = try fields.list("exp_alerts").map { (node) throws(YAMLFault) in
      let fields = try self.fields(node, "exp_alerts", ["exp_labels", "exp_annotations"])
      let labels = try labels(fields, "exp_labels").filter { $0.name != Alert.nameLabel }
      return RuleTest.ExpectedAlert(
        labels: labels + [Label(Alert.nameLabel, name)],
        annotations: try fields.texts("exp_annotations").map { Annotation($0.name, $0.text) })
    }
    return RuleTest.AlertCase(timeMs: timeMs, alertName: name, expected: expected)
  }

  private func exprCase(_ node: Node) throws(YAMLFault) -> RuleTest.ExprCase {
    let fields = try fields(node, "promql_expr_test", ["expr", "eval_time", "exp_samples"])
    let expected = try fields.list("exp_samples").map { (node) throws(YAMLFault) in
      let fields = try self.fields(node, "exp_samples", ["labels", "value", "histogram"])
      guard try fields.text("histogram").isEmpty else {
        throw YAMLFault("native histograms are not supported", at: fields.mark(of: "histogram"))
      }
      let text = try fields.text("labels"), value = try fields.number("value")
      do throws(NotationError) {
        return (labels: text.isEmpty ? Labels([]) : try SeriesNotation.labels(text), value: value)
      } catch {
        throw YAMLFault("labels \(text): \(error)", at: fields.mark(of: "labels"))
      }
    }
    return RuleTest.ExprCase(
      expression: try fields.text("expr"), timeMs: try fields.durationMs("eval_time") ?? 0, expected: expected)
  }
}
