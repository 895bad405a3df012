// SPDX-License-Identifier: Apache-2.0

package import TimeSeries

// What holds notifications back: Alertmanager's silences, and acknowledgements, which are silences of one alert.

/// Alerts that nobody is to be told of for a while, with who said so and why.
package struct Silence: Sendable, Equatable {
  package enum Kind: String, Sendable {
    case silence
    /// Of one alert, by all of its labels.
    case acknowledgement
  }

  package enum State: String, Sendable, CaseIterable {
    case pending, active, expired
  }

  package let id: String
  package var kind: Kind
  /// All must hold; one or more.
  package var matchers: [Matcher]
  package var startsMs: Int64
  /// Above `startsMs`.
  package var endsMs: Int64
  package var updatedMs: Int64
  /// Who.
  package var createdBy: String
  /// Why.
  package var comment: String

  package init(
    id: String, kind: Kind, matchers: [Matcher], startsMs: Int64, endsMs: Int64, updatedMs: Int64, createdBy: String,
    comment: String
  ) {
    self.id = id
    self.kind = kind
    self.matchers = matchers
    self.startsMs = startsMs
    self.endsMs = endsMs
    self.updatedMs = updatedMs
    self.createdBy = createdBy
    self.comment = comment
  }

  package func state(atMs nowMs: Int64) -> State {
    if nowMs >= endsMs { return .expired }
    return nowMs < startsMs ? .pending : .active
  }

  package func matches(_ labels: Labels) -> Bool { matchers.allSatisfy { $0.matches(labels[$0.name] ?? "") } }
}

/// Silences that are not over, for asking about many alerts.
package struct SilenceSet: Sendable {
  private let silences: [Silence]

  init(_ silences: [Silence] = []) {
    // Most silences name the same few alerts and differ in other labels, so those are compared first.
    self.silences = silences.map { silence in
      var ordered = silence
      ordered.matchers = silence.matchers.filter { $0.name != "alertname" } + silence.matchers.filter { $0.name == "alertname" }
      return ordered
    }
  }

  /// Those in force at a time.
  func active(atMs nowMs: Int64) -> SilenceSet { SilenceSet(silences.filter { $0.state(atMs: nowMs) == .active }) }

  package var isEmpty: Bool { silences.isEmpty }

  package func matches(_ labels: Labels) -> Bool { silences.contains { $0.matches(labels) } }

  /// The ids of those that hold an alert back.
  package func ids(matching labels: Labels) -> [String] { silences.filter { $0.matches(labels) }.map(\.id) }
}
