// SPDX-License-Identifier: Apache-2.0

internal import PromQL
internal import Templates
internal import TimeSeries
internal import Yams

// Prometheus' rule files, read as `promtool check rules` reads them (Prometheus: model/rulefmt/rulefmt.go). The words of
// errors are Prometheus' where it has the same; the places are more exact.

/// What keeps a rule file from being used.
package struct RuleFileError: Error, Sendable, CustomStringConvertible {
  package let file: String
  /// At least one.
  package let faults: [YAMLFault]

  /// One fault a line, such as `alerts/profile.yml:7:3: field alerts not found in rule`.
  package var description: String {
    faults.map { $0.line == nil ? "\(file): \($0)" : "\(file):\($0)" }.joined(separator: "\n")
  }
}

/// The groups of one file.
package struct RuleFile: Sendable {
  package let groups: [RuleGroup]

  /// Larger files are a mistake: Prometheus' own largest fixture has 1.2 MB.
  package static let bytesMax = 16 << 20

  package var ruleCount: Int { groups.reduce(0) { $0 + $1.rules.count } }

  /// Reads the first document of a file that is UTF-8.
  package init(utf8 bytes: [UInt8], file: String, ignoresUnknown: Bool = false) throws(RuleFileError) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      let line = YAMLDocument.firstLineThatIsNotUTF8(bytes)
      throw RuleFileError(file: file, faults: [YAMLFault("not UTF-8", line: line, column: 1)])
    }
    try self.init(text, file: file, ignoresUnknown: ignoresUnknown)
  }

  /// Reads the first document of a file.
  ///
  /// - Parameters:
  ///   - file: its name, for errors and for the groups.
  ///   - ignoresUnknown: leaves out fields that do not exist instead of refusing them.
  /// - Throws: all faults of the rules, or the first one of the file's structure.
  package init(_ yaml: String, file: String, ignoresUnknown: Bool = false) throws(RuleFileError) {
    var reader = RuleFileReader(file: file, ignoresUnknown: ignoresUnknown)
    do throws(YAMLFault) {
      groups = try reader.groups(yaml)
    } catch {
      throw RuleFileError(file: file, faults: [error])
    }
    guard reader.faults.isEmpty else { throw RuleFileError(file: file, faults: reader.faults) }
  }

  /// Rules that record or alert the same, with the same labels (`promtool check rules`, lint `duplicate-rules`).
  ///
  /// - Returns: name and labels of each, in the order of their first appearance.
  package var duplicates: [(name: String, labels: [RuleText])] {
    var seen: Set<String> = []
    var told: Set<String> = []
    var found: [(name: String, labels: [RuleText])] = []
    for rule in groups.flatMap(\.rules) {
      let key = ([rule.name, rule.alert == nil ? "record" : "alert"] + rule.labels.flatMap { [$0.name, $0.text] })
        .joined(separator: "\u{1f}")
      if !seen.insert(key).inserted, told.insert(key).inserted { found.append((rule.name, rule.labels)) }
    }
    return found
  }
}

private struct RuleFileReader {
  let file: String
  let ignoresUnknown: Bool
  private let merges = YAMLMerges()
  /// Of rules, in their order.
  private(set) var faults: [YAMLFault] = []

  init(file: String, ignoresUnknown: Bool) {
    self.file = file
    self.ignoresUnknown = ignoresUnknown
  }

  private func fields(_ node: Node, _ kind: String, _ names: Set<String>) throws(YAMLFault) -> YAMLFields {
    try YAMLFields(node, kind, names, ignoresUnknown: ignoresUnknown, merges)
  }

  mutating func groups(_ yaml: String) throws(YAMLFault) -> [RuleGroup] {
    guard let root = try YAMLDocument.first(of: yaml) else { return [] }
    var groups: [RuleGroup] = []
    for node in try fields(root, "rule file", ["groups"]).list("groups") {
      let group = try group(node)
      if group.name.isEmpty { faults.append(YAMLFault("Groupname must not be empty", at: node.mark)) }
      if groups.contains(where: { $0.name == group.name }) {
        faults.append(YAMLFault("groupname: \"\(group.name)\" is repeated in the same file", at: node.mark))
      }
      groups.append(group)
    }
    return groups
  }

  private mutating func group(_ node: Node) throws(YAMLFault) -> RuleGroup {
    let fields = try fields(node, "group", ["name", "interval", "query_offset", "limit", "rules", "labels"])
    let name = try fields.text("name")
    let groupLabels = try fields.texts("labels")
    checkNames(of: groupLabels, "label")
    var rules: [Rule] = []
    for (index, node) in try fields.list("rules").enumerated() {
      if let rule = try rule(node, group: name, number: index + 1, groupLabels) { rules.append(rule) }
    }
    return RuleGroup(
      name: name, file: file, intervalMs: try fields.durationMs("interval").flatMap { $0 > 0 ? $0 : nil },
      queryOffsetMs: try fields.durationMs("query_offset"), limit: max(try fields.integer("limit"), 0), rules: rules)
  }

  /// Nil where something is wrong with it.
  private mutating func rule(
    _ node: Node, group: String, number: Int, _ groupLabels: [(name: String, text: String, mark: Mark?)]
  ) throws(YAMLFault) -> Rule? {
    let fields = try fields(
      node, "rule", ["record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"])
    let record = try fields.text("record"), alert = try fields.text("alert")
    let name = alert.isEmpty ? record : alert
    let context = "group \"\(group)\", rule \(number), \"\(name)\": "
    let faultsBefore = faults.count
    func fault(_ message: String, _ field: String) -> YAMLFault { YAMLFault(context + message, at: fields.mark(of: field)) }

    if !record.isEmpty, !alert.isEmpty { faults.append(fault("only one of 'record' and 'alert' must be set", "record")) }
    if name.isEmpty { faults.append(fault("one of 'record' or 'alert' must be set", "record")) }
    let expr = self.expr(try fields.text("expr")) { faults.append(fault($0, "expr")) }
    let holdMs = try fields.durationMs("for") ?? 0, keepFiringMs = try fields.durationMs("keep_firing_for") ?? 0
    let annotations = try fields.texts("annotations"), ownLabels = try fields.texts("labels")
    if !record.isEmpty {
      if !annotations.isEmpty { faults.append(fault("invalid field 'annotations' in recording rule", "record")) }
      if holdMs != 0 { faults.append(fault("invalid field 'for' in recording rule", "record")) }
      if keepFiringMs != 0 { faults.append(fault("invalid field 'keep_firing_for' in recording rule", "record")) }
      if record.contains(where: { $0 == "{" || $0 == "}" }) {
        faults.append(fault("braces present in the recording rule name; should it be in expr?: \(record)", "record"))
      }
    }
    checkNames(of: ownLabels, "label", context)
    checkNames(of: annotations, "annotation", context)
    let labels = ownLabels + groupLabels.filter { label in !ownLabels.contains { $0.name == label.name } }
    let labelTexts = texts(labels, "label", alert: alert, context)
    let annotationTexts = texts(annotations, "annotation", alert: alert, context)
    guard faults.count == faultsBefore, let expr else { return nil }
    return Rule(
      name: name, expr: expr, labels: labelTexts,
      alert: alert.isEmpty
        ? nil : AlertTerms(holdMs: holdMs, keepFiringMs: keepFiringMs, annotations: annotationTexts))
  }

  private func expr(_ text: String, _ refuse: (String) -> Void) -> Expr? {
    guard !text.isEmpty else {
      refuse("field 'expr' must be set in rule")
      return nil
    }
    do throws(ParseError) {
      return try Expr(parsing: text)
    } catch {
      refuse("could not parse expression: \(error)")
      return nil
    }
  }

  /// Any UTF-8 is a name, as in Prometheus 3; only the metric's is not the rules' to give.
  private mutating func checkNames(of texts: [(name: String, text: String, mark: Mark?)], _ kind: String, _ context: String = "") {
    for text in texts where text.name.isEmpty || kind == "label" && text.name == Labels.metricLabel {
      faults.append(YAMLFault("\(context)invalid \(kind) name: \(text.name)", at: text.mark))
    }
  }

  private mutating func texts(
    _ texts: [(name: String, text: String, mark: Mark?)], _ kind: String, alert: String, _ context: String
  ) -> [RuleText] {
    for text in texts where !alert.isEmpty {
      do throws(TemplateError) {
        _ = try Template(text.text, alert: alert)
      } catch {
        faults.append(YAMLFault("\(context)\(kind) \"\(text.name)\": \(error)", at: text.mark))
      }
    }
    return texts.map { RuleText(name: $0.name, text: $0.text) }.sorted { $0.name < $1.name }
  }
}

extension Template {
  /// - Parameter alert: the rule's name.
  init(_ text: String, alert: String) throws(TemplateError) {
    // As Prometheus calls them in errors.
    try self.init(text, name: "__alert_\(alert)")
  }
}
