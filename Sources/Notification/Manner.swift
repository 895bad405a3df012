// SPDX-License-Identifier: Apache-2.0

// How the kinds of receivers want to be told.

package struct Manner: Sendable, Equatable {
  /// Labels that alerts are brought together by, the finest first; the last brings all together.
  package static let groupings: [[String]] = [["alertname", "service", "cache"], ["alertname"], []]
  /// With more groups than this at a time the next coarser labels count, so that thousands of alerts at once are a
  /// bounded number of messages.
  package static let groupsMax = 20

  /// How long after it was told an alert that still fires is told again.
  package let repeatMs: Int64
  /// Whether only the last state of an alert matters, which is then told again and again, after its end too.
  package let isStateful: Bool
  /// How long the first alert of a message waits for others.
  package let gatheringMs: Int64
  /// Between two messages.
  package let spacingMs: Int64
  /// Most alerts of a message.
  package let alertsMax: Int

  package init(_ kind: Receiver.Kind) {
    switch kind {
    // Prometheus' --rules.alert.resend-delay. Alertmanager groups and waits by itself.
    case .alertmanager:
      self.init(repeatMs: 60_000, isStateful: true, gatheringMs: 0, spacingMs: 0, alertsMax: AlertmanagerPayload.alertsMax)
    // Alertmanager's repeat_interval.
    case .webhook:
      self.init(repeatMs: 14_400_000, isStateful: false, gatheringMs: 2_000, spacingMs: 0, alertsMax: WebhookPayload.alertsMax)
    // Slack takes a message a second.
    case .slack:
      self.init(repeatMs: 14_400_000, isStateful: false, gatheringMs: 2_000, spacingMs: 1_000, alertsMax: .max)
    }
  }

  private init(repeatMs: Int64, isStateful: Bool, gatheringMs: Int64, spacingMs: Int64, alertsMax: Int) {
    self.repeatMs = repeatMs
    self.isStateful = isStateful
    self.gatheringMs = gatheringMs
    self.spacingMs = spacingMs
    self.alertsMax = alertsMax
  }
}
