// SPDX-License-Identifier: Apache-2.0

// Alerts as part of a guard: which ones, and what follows when one fires. What matchers mean is PromQL's; here they are
// text.

internal import JSON

/// Alerts that a ramp's guard listens to.
package struct GuardAlert: Equatable, Sendable {
  package enum Action: String, CaseIterable, Sendable {
    /// Until it is resolved.
    case hold
    case rollback
    /// Everybody gets the default variant, until a plan is started anew.
    case kill
    /// Shown, and nothing follows.
    case observe
  }

  /// Label matchers as PromQL writes them, such as `{cache="profile",severity=~"warning|critical"}`.
  package let matchers: String
  /// nil: what the plan does on a breach.
  package let action: Action?

  init(_ json: JSONValue, path: String) throws(FlagError) {
    if let text = json.string {
      matchers = try GuardAlert.checked(text, field: path)
      action = nil
      return
    }
    let reader = try DocumentReader(json, path: path, known: ["match", "action"])
    let text = try reader.requiredString(
      "match", bytesMax: RolloutPlan.Bounds.expressionBytesMax, "label matchers such as {cache=\"profile\"}")
    matchers = try GuardAlert.checked(text, field: reader.field("match"))
    action = try reader.word("action")
  }

  private static func checked(_ text: String, field: String) throws(FlagError) -> String {
    guard (1...RolloutPlan.Bounds.expressionBytesMax).contains(text.utf8.count) else {
      throw FlagError(field: field, value: text, expected: "must be label matchers such as {cache=\"profile\"}")
    }
    return text
  }

  var json: JSONValue {
    guard let action else { return .string(matchers) }
    return .object([
      JSONMember(name: "match", value: .string(matchers)),
      JSONMember(name: "action", value: .string(action.rawValue)),
    ])
  }
}

/// A firing alert, as the guard sees it.
package struct FiringAlert: Equatable, Sendable {
  /// The label `kind` of alerts about hit ratios, which are muted while new users are cold.
  package static let kindHitRatio = "hit_ratio"
  /// The label `kind` of alerts that fire where data are missing.
  package static let kindSilence = "silence"

  package let name: String
  /// As PromQL prints them.
  package let labels: String
  /// The label `kind`, empty where there is none.
  package let kind: String
  package let value: Double
  /// Wall clock.
  package let sinceMs: Int64

  package init(name: String, labels: String, kind: String, value: Double, sinceMs: Int64) {
    self.name = name
    self.labels = labels
    self.kind = kind
    self.value = value
    self.sinceMs = sinceMs
  }

  var json: JSONValue {
    .object([
      JSONMember(name: "alert", value: .string(name)),
      JSONMember(name: "labels", value: .string(labels)),
      JSONMember(name: "value", value: value.isFinite ? .number(value) : .null),
      JSONMember(name: "since_ms", value: .integer(sinceMs)),
    ])
  }
}
