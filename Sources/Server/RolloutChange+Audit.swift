// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import JSON

// How a ramp's change reads in the audit trail.

extension RolloutChange {
  /// What a change that no operator asked for did.
  var auditAction: String {
    switch to {
    case .rolledBack: "rollout rollback"
    case .completed: "rollout complete"
    case .killed: "rollout kill"
    case .held: "rollout hold"
    case .paused: "rollout pause"
    case .warming, .soaking, .propagating, .draft: setsPercent ? "rollout advance" : "rollout go on"
    }
  }

  /// A ramp's place before or after a change.
  static func auditDocument(_ state: RolloutState, _ step: Int?, _ percent: Percentage) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("state", state.rawValue)
    if let step { writer.member("step", step) }
    writer.member("percent", percent.value)
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
