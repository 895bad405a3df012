// SPDX-License-Identifier: Apache-2.0

package import TimeSeries

// What a group remembers from one evaluation to the next.

/// What is known of the rules of a group, in their order.
package struct GroupState: Sendable {
  package internal(set) var rules: [RuleState]
  /// Of the newest evaluation, in milliseconds since 1970; nil before the first.
  package internal(set) var evaluatedMs: Int64?
  package internal(set) var evaluationSeconds = 0.0

  package init(_ group: RuleGroup) {
    rules = group.rules.map { _ in RuleState() }
  }

  /// Takes over what another state knows of rules that are still there: the same group as it was before its file changed.
  package mutating func inherit(_ other: GroupState, of old: RuleGroup, for group: RuleGroup) {
    var places: [String: [Int]] = [:]
    for (index, rule) in old.rules.enumerated() { places[rule.identity, default: []].append(index) }
    for (index, rule) in group.rules.enumerated() {
      guard let place = places[rule.identity]?.first else { continue }
      places[rule.identity]?.removeFirst()
      rules[index] = other.rules[place]
    }
  }

  /// An evaluation that could not even begin: every rule failed, and what was known of them stays.
  package mutating func fail(_ message: String, atMs: Int64) {
    evaluatedMs = atMs
    for index in rules.indices {
      rules[index].health = .failing(message)
      rules[index].evaluatedMs = atMs
    }
  }

  /// What an evaluation gave could not be written.
  package mutating func failWriting(_ message: String) {
    for index in rules.indices where rules[index].health == .ok && !rules[index].written.isEmpty {
      rules[index].health = .failing(message)
    }
  }

  /// The series that are no more once the group is gone.
  package var written: Set<Labels> { rules.reduce(into: []) { $0.formUnion($1.written) } }

  /// Puts an alert back where a rule of its name had it.
  ///
  /// - Returns: false where there is no such rule any more.
  package mutating func restore(_ alert: Alert, in group: RuleGroup) -> Bool {
    guard let name = alert.labels[Alert.nameLabel] else { return false }
    let candidates = group.rules.indices.filter { group.rules[$0].alert != nil && group.rules[$0].name == name }
    guard let index = candidates.first(where: { group.rules[$0].mayGive(alert.labels) }) ?? candidates.first else { return false }
    rules[index].alerts[alert.labels] = alert
    if alert.isActive { rules[index].written.formUnion([alert.sampleLabels, alert.activeSampleLabels]) }
    return true
  }
}

/// What is known of one rule.
package struct RuleState: Sendable {
  package enum Health: Sendable, Equatable {
    /// Not evaluated yet.
    case unknown
    case ok
    /// Why the newest evaluation failed; what was known before it stays.
    case failing(String)
  }

  package internal(set) var health = Health.unknown
  package internal(set) var evaluatedMs: Int64?
  package internal(set) var evaluationSeconds = 0.0
  /// By their labels; resolved ones among them for a while.
  package internal(set) var alerts: [Labels: Alert] = [:]
  /// Selectors of the expression that no series has samples for, as PromQL; empty as long as the rule gives a result. Looked up
  /// once a minute.
  package internal(set) var missing: [String] = []
  var missingCheckedMs: Int64?
  /// The series that the newest evaluation gave: those that it does not give again become stale.
  package internal(set) var written: Set<Labels> = []
}

extension Rule {
  /// What makes a rule the same rule after its file was changed.
  var identity: String {
    ([name, alert == nil ? "record" : "alert"] + labels.flatMap { [$0.name, $0.text] }).joined(separator: "\u{1f}")
  }

  /// Whether its labels are among these, as far as they are no templates.
  func mayGive(_ labels: Labels) -> Bool {
    self.labels.allSatisfy { $0.text.contains("{{") || labels[$0.name] ?? "" == $0.text }
  }
}

extension Alert {
  package static let nameLabel = "alertname"

  /// Of its series `ALERTS`.
  package var sampleLabels: Labels { labels.setting([(Labels.metricLabel, "ALERTS"), ("alertstate", stateName)]) }

  /// Of its series `ALERTS_FOR_STATE`.
  package var activeSampleLabels: Labels { labels.setting([(Labels.metricLabel, "ALERTS_FOR_STATE")]) }
}

extension Labels {
  /// These labels with others set; an empty value removes one, and of a name given twice the last counts.
  func setting(_ pairs: [(name: String, value: String)]) -> Labels {
    let names = Set(pairs.map(\.name))
    var labels = all.filter { !names.contains($0.name) }
    for (index, pair) in pairs.enumerated() where !pairs[(index + 1)...].contains(where: { $0.name == pair.name }) {
      labels.append(Label(pair.name, pair.value))
    }
    return Labels(labels)
  }
}
