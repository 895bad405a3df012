// SPDX-License-Identifier: Apache-2.0

import Alerting
import Testing

/// A rule file with one rule.
private func file(_ rule: String) -> String {
  "groups:\n- name: g\n  rules:\n  - " + rule.split(separator: "\n").joined(separator: "\n    ")
}

private func faults(of yaml: String) -> String {
  do {
    _ = try RuleFile(yaml, file: "f.yml")
    return ""
  } catch {
    return "\(error)"
  }
}

@Test(arguments: [
  ("", 0), ("# nothing\n", 0), ("groups:\n", 0), ("groups: []\n", 0), ("groups:\n- name: g\n", 0),
  ("groups:\n- name: g\n  rules:\n  - {record: 'a:b', expr: 1}\n  - {alert: A, expr: up}\n---\nsecond: document\n", 2),
  ("groups:\n- name: g\n  limit: 3\n  interval: 1m30s\n  query_offset: 1m\n  labels: {team: x}\n  rules: []\n", 0),
])
func filesThatCanBeUsed(yaml: String, rules: Int) throws {
  #expect(try RuleFile(yaml, file: "f.yml").ruleCount == rules)
}

@Test func everyFieldIsRead() throws {
  let yaml = """
    groups:
    - name: cache
      interval: 30s
      query_offset: 1m
      limit: 10
      labels: {team: core, severity: info}
      rules:
      - alert: HitRateLow
        expr: hits / lookups < 0.7
        for: 5m
        keep_firing_for: 1h
        labels: {severity: page}
        annotations: {summary: "{{ $value }}"}
    """
  let group = try #require(RuleFile(yaml, file: "f.yml").groups.first)
  #expect(group.name == "cache" && group.file == "f.yml" && group.limit == 10)
  #expect(group.intervalMs == 30_000 && group.queryOffsetMs == 60_000)
  let rule = try #require(group.rules.first)
  #expect(rule.name == "HitRateLow" && "\(rule.expr)" == "hits / lookups < 0.7")
  // The rule's own label wins.
  #expect(rule.labels.map { "\($0.name)=\($0.text)" } == ["severity=page", "team=core"])
  #expect(rule.alert?.holdMs == 300_000 && rule.alert?.keepFiringMs == 3_600_000)
  #expect(rule.alert?.annotations.map(\.text) == ["{{ $value }}"])
}

@Test func anchorsAndMergedMappingsAreFollowed() throws {
  let yaml = """
    groups:
    - name: g
      rules:
      - &first
        alert: A
        expr: &expr up == 0
        labels: &labels {severity: page}
      - <<: *first
        alert: B
      - alert: C
        expr: *expr
        labels: *labels
    """
  let rules = try RuleFile(yaml, file: "f.yml").groups[0].rules
  #expect(rules.map(\.name) == ["A", "B", "C"])
  #expect(rules.allSatisfy { "\($0.expr)" == "up == 0" && $0.labels.map(\.text) == ["page"] })
}

@Test(arguments: [
  ("alert: A\nexpr: up\nfro: 5m", "f.yml:6:5: field fro not found in rule"),
  ("alert: A\nrecord: b\nexpr: up", "f.yml:5:13: group \"g\", rule 1, \"A\": only one of 'record' and 'alert' must be set"),
  ("expr: up", "f.yml:4:5: group \"g\", rule 1, \"\": one of 'record' or 'alert' must be set"),
  ("alert: A", "f.yml:4:5: group \"g\", rule 1, \"A\": field 'expr' must be set in rule"),
  (
    "alert: A\nexpr: up +",
    "f.yml:5:11: group \"g\", rule 1, \"A\": could not parse expression: 1:5: parse error: unexpected end of input"
  ),
  ("record: a\nexpr: up\nfor: 5m", "f.yml:4:13: group \"g\", rule 1, \"a\": invalid field 'for' in recording rule"),
  (
    "record: a\nexpr: up\nkeep_firing_for: 5m",
    "f.yml:4:13: group \"g\", rule 1, \"a\": invalid field 'keep_firing_for' in recording rule"
  ),
  (
    "record: a\nexpr: up\nannotations: {x: y}",
    "f.yml:4:13: group \"g\", rule 1, \"a\": invalid field 'annotations' in recording rule"
  ),
  (
    "record: 'a{b=\"c\"}'\nexpr: up",
    "f.yml:4:13: group \"g\", rule 1, \"a{b=\"c\"}\": braces present in the recording rule name; should it be in expr?: a{b=\"c\"}"
  ),
  ("alert: A\nexpr: up\nlabels: {__name__: x}", "f.yml:6:14: group \"g\", rule 1, \"A\": invalid label name: __name__"),
  ("alert: A\nexpr: up\nfor: soon", "f.yml:6:10: not a valid duration string: \"soon\""),
  ("alert: A\nexpr: up\nfor: [1]", "f.yml:6:10: for must be a text"),
  ("alert: A\nexpr: up\nlabels: [a]", "f.yml:6:13: labels must be a mapping of names to texts"),
  ("alert: A\nexpr: up\nexpr: down", "f.yml: given twice: expr"),
  (
    "alert: A\nexpr: up\nannotations: {s: '{{ nothing }}'}",
    "f.yml:6:19: group \"g\", rule 1, \"A\": annotation \"s\": template: __alert_A:1: function \"nothing\" not defined"
  ),
])
func aFaultIsToldWithItsPlace(rule: String, message: String) {
  #expect(faults(of: file(rule)) == message)
}

@Test(arguments: [
  ("groups: 3", "f.yml:1:9: groups must be a list"), ("- a", "f.yml:1:1: rule file must be a mapping"),
  ("grops: []", "f.yml:1:1: field grops not found in rule file"),
  ("groups:\n- rules: []", "f.yml:2:3: Groupname must not be empty"),
  ("groups:\n- name: a\n- name: a", "f.yml:3:3: groupname: \"a\" is repeated in the same file"),
  ("groups:\n- name: a\n  limit: many", "f.yml:3:10: limit must be a whole number"),
  ("groups:\n- name: a\n\t- b", "f.yml:3:1: not YAML: found a tab character that violates indentation"),
])
func aFaultOfTheStructureIsToldWithItsPlace(yaml: String, message: String) {
  #expect(faults(of: yaml) == message)
}

@Test func allFaultsOfRulesAreTold() {
  let yaml = "groups:\n- name: g\n  rules:\n  - {alert: A, expr: 'up('}\n  - {record: b}\n  - {alert: C, expr: up}\n"
  #expect(faults(of: yaml).split(separator: "\n").count == 2)
}

@Test func rulesThatAreGivenTwiceAreFound() throws {
  let yaml = """
    groups:
    - name: a
      rules:
      - {record: r, expr: 1}
      - {alert: A, expr: up, labels: {x: y}}
      - {alert: A, expr: up}
    - name: b
      rules:
      - {record: r, expr: 2}
      - {alert: A, expr: up, labels: {x: y}}
      - {record: A, expr: 2}
    """
  let duplicates = try RuleFile(yaml, file: "f.yml").duplicates
  #expect(duplicates.map(\.name) == ["r", "A"])
  #expect(duplicates[1].labels.map(\.text) == ["y"])
}

@Test func mergesOfMergesAreBounded() {
  var lines = ["groups:", "- name: g", "  rules:", "  - &a0 {alert: A, expr: up, labels: {x: y}}"]
  for index in 1..<30 {
    let aliases = Array(repeating: "*a\(index - 1)", count: 10).joined(separator: ",")
    lines.append("  - &a\(index) {<<: [\(aliases)]}")
  }
  #expect(faults(of: lines.joined(separator: "\n")).contains("more than 10000 mappings are merged (<<) in this document"))
}

@Test func aFileThatIsNotUTF8IsRefused() {
  let bytes = Array("groups:\n- name: 'a".utf8) + [0xff] + Array("'\n".utf8)
  #expect(throws: RuleFileError.self) { try RuleFile(utf8: bytes, file: "f.yml") }
  do {
    _ = try RuleFile(utf8: bytes, file: "f.yml")
  } catch {
    #expect("\(error)" == "f.yml:2:1: not UTF-8")
  }
}

@Test func nullIsNothingAndInQuotesAText() throws {
  let rule = try RuleFile(file("alert: A\nexpr: up\nfor: null\nlabels: {a: null, b: 'null', c: ~}"), file: "f.yml").groups[0].rules[0]
  #expect(rule.labels.map(\.text) == ["", "null", ""])
}
