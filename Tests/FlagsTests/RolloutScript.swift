// SPDX-License-Identifier: Apache-2.0

// Plays a ramp from lines that people can read. A line does something and may say after `->` what must then hold:
//
//   start                       an action, or start
//   30s good                    ticks of one second with that evidence, see `evidence`
//   jump 1h good                one tick with that much time
//   restart                     the ramp goes through its document
//   … -> soaking 10 "no cache"  state, percent, and words of the reason
//   pause -> refused "already"

import Flags
import Foundation
import JSON
import Testing

struct RolloutScript {
  var rollout: Rollout
  let plan: RolloutPlan
  var nowMs: Int64 = 1_000_000
  var changes: [RolloutChange] = []

  init(plan: String, percent: Percentage = .zero) throws {
    self.plan = try RolloutPlan(JSONValue(parsing: plan))
    rollout = Rollout(key: "F", environment: "production", plan: self.plan, percent: percent, nowMs: nowMs)
  }

  /// Words joined by `+`, each of which adds to what the first says.
  static func evidence(_ words: String) -> GuardEvidence? {
    words.split(separator: "+").reduce(GuardEvidence()) { evidence, word in
      guard var evidence else { return nil }
      return change(&evidence, String(word)) ? evidence : nil
    }
  }

  private static func change(_ evidence: inout GuardEvidence, _ word: String) -> Bool {
    switch word {
    case "good": measure(&evidence, lookups: 1000, hits: 900, errors: 1)
    case "cold": measure(&evidence, lookups: 1000, hits: 100, errors: 1)
    case "errors": measure(&evidence, lookups: 1000, hits: 900, errors: 50)
    case "lingering":
      // The window still holds a bad minute that is over.
      measure(&evidence, lookups: 1000, hits: 900, errors: 50)
      evidence.recentErrors = GuardEvidence.Tally(count: 200, bad: 0)
    case "few": measure(&evidence, lookups: 10, hits: 10, errors: 0)
    case "fewbad": measure(&evidence, lookups: 10, hits: 0, errors: 10)
    case "unused": evidence.newestEventAgeMs = 500
    case "silent":
      measure(&evidence, lookups: 1000, hits: 900, errors: 1)
      evidence.newestEventAgeMs = 130_000
    case "never": evidence = GuardEvidence()
    case "open":
      evidence.breakerOpen = true
      evidence.breakerOpenings = 1
    case "flapped": evidence.breakerOpenings = 1
    case "alert": evidence.alerts = [[firing("CacheErrors", "")], []]
    case "other": evidence.alerts = [[], [firing("Other", "")]]
    case "hitalert": evidence.alerts = [[firing("HitRateLow", "hit_ratio")], []]
    case "silence": evidence.alerts = [[firing("CacheSilent", "silence")], []]
    case "quiet": evidence.alerts = [[], []]
    case "night": evidence.utcOffsetMs = 12 * 3_600_000
    case "expr-ok": evidence.measurements = [GuardEvidence.Measurement(values: [0.9, 0.8], samples: 500)]
    case "expr-bad": evidence.measurements = [GuardEvidence.Measurement(values: [0.9, 0.2], samples: 500)]
    case "expr-none": evidence.measurements = [GuardEvidence.Measurement(samples: 500)]
    case "expr-fault": evidence.measurements = [GuardEvidence.Measurement(fault: "query timed out")]
    case "arms-even": compare(&evidence, treatment: (100, 1), control: (900, 9))
    case "arms-worse": compare(&evidence, treatment: (100, 4), control: (900, 9))
    case "arms-dead": compare(&evidence, treatment: (100, 50), control: (900, 9))
    case "arms-mixed":
      compare(&evidence, treatment: (100, 1), control: (900, 9))
      evidence.control.cached = 900
      evidence.control.bypassed = 0
    default: return instances(&evidence, word)
    }
    return true
  }

  /// `3of4`: instances that hold the step's percentage, of those seen.
  private static func instances(_ evidence: inout GuardEvidence, _ word: String) -> Bool {
    let parts = word.components(separatedBy: "of")
    guard parts.count == 2, let current = Int(parts[0]), let seen = Int(parts[1]) else { return false }
    evidence.instances = GuardEvidence.Instances(seen: seen, current: current)
    return true
  }

  private static func measure(_ evidence: inout GuardEvidence, lookups: Int64, hits: Int64, errors: Int64) {
    evidence.errors = GuardEvidence.Tally(count: lookups, bad: errors)
    evidence.recentErrors = evidence.errors
    evidence.reads = GuardEvidence.Tally(count: lookups, bad: lookups - hits)
    evidence.newestEventAgeMs = 500
  }

  private static func compare(_ evidence: inout GuardEvidence, treatment: (Int64, Int64), control: (Int64, Int64)) {
    evidence.treatment = GuardEvidence.Arm(
      lookups: GuardEvidence.Tally(count: treatment.0, bad: treatment.1), cached: treatment.0)
    evidence.control = GuardEvidence.Arm(
      lookups: GuardEvidence.Tally(count: control.0, bad: control.1), bypassed: control.0)
  }

  private static func firing(_ name: String, _ kind: String) -> FiringAlert {
    FiringAlert(name: name, labels: "{alertname=\"\(name)\"}", kind: kind, value: 0.25, sinceMs: 0)
  }

  /// - Returns: what does not hold, by line.
  mutating func play(_ script: String) throws -> [String] {
    var faults: [String] = []
    for line in script.split(separator: "\n") where !line.allSatisfy({ $0 == " " }) {
      let sides = line.split(separator: "->", maxSplits: 1).map { $0.split(separator: " ").joined(separator: " ") }
      let outcome = try perform(sides[0].split(separator: " ").map(String.init))
      if sides.count == 2, !outcome.matches(sides[1]) { faults.append("\(line)\n    but \(outcome.text)") }
    }
    return faults
  }

  private struct Outcome {
    let text: String

    /// Words must be the first ones, quoted words must occur.
    func matches(_ expected: String) -> Bool {
      let parts = expected.split(separator: "\"")
      return text.hasPrefix(parts[0].split(separator: " ").joined(separator: " "))
        && parts.dropFirst().allSatisfy { text.contains($0) }
    }
  }

  private mutating func perform(_ words: [String]) throws -> Outcome {
    do {
      try act(words)
    } catch let refusal as RolloutRefusal {
      return Outcome(text: "refused \(refusal)")
    }
    return Outcome(text: "\(rollout.state.rawValue) \(rollout.percent) \(rollout.reason)")
  }

  private mutating func act(_ words: [String]) throws {
    if words == ["restart"] {
      rollout = try Rollout(document: JSONValue(parsing: rollout.document.text))
    } else if words == ["start"] {
      changes += try rollout.start(plan, flagPercent: rollout.percent, actor: "eve", reason: "", nowMs: nowMs)
    } else if let action = RolloutAction(rawValue: words[0]) {
      changes += try rollout.apply(action, actor: "eve", reason: words.dropFirst().joined(separator: " "), nowMs: nowMs)
    } else {
      let (duration, evidence) = (words[words.count - 2], RolloutScript.evidence(words[words.count - 1]))
      let milliseconds = try #require(DurationText.milliseconds(duration), "\(words)")
      let isJump = words[0] == "jump"
      for _ in 0..<(isJump ? 1 : milliseconds / 1000) {
        tick(isJump ? milliseconds : 1000, try #require(evidence, "\(words)"))
      }
    }
  }

  private mutating func tick(_ elapsedMs: Int64, _ evidence: GuardEvidence) {
    nowMs += elapsedMs
    changes += rollout.tick(elapsedMs: elapsedMs, nowMs: nowMs, evidence: evidence)
  }
}
