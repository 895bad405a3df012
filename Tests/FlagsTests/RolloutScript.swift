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

  static func evidence(_ word: String) -> GuardEvidence? {
    switch word {
    case "good": GuardEvidence(lookups: 1000, hits: 900, misses: 100, errors: 1, newestEventAgeMs: 500)
    case "cold": GuardEvidence(lookups: 1000, hits: 100, misses: 900, errors: 1, newestEventAgeMs: 500)
    case "errors": GuardEvidence(lookups: 1000, hits: 900, misses: 100, errors: 50, newestEventAgeMs: 500)
    case "few": GuardEvidence(lookups: 10, hits: 10, misses: 0, errors: 0, newestEventAgeMs: 500)
    case "fewbad": GuardEvidence(lookups: 10, hits: 0, misses: 10, errors: 10, newestEventAgeMs: 500)
    case "unused": GuardEvidence(newestEventAgeMs: 500)
    case "silent": GuardEvidence(lookups: 1000, hits: 900, misses: 100, errors: 1, newestEventAgeMs: 130_000)
    case "never": GuardEvidence()
    case "open":
      GuardEvidence(lookups: 1000, hits: 900, misses: 100, breakerOpen: true, breakerOpenings: 1, newestEventAgeMs: 500)
    case "flapped": GuardEvidence(lookups: 1000, hits: 900, misses: 100, breakerOpenings: 1, newestEventAgeMs: 500)
    case "silentopen": GuardEvidence(breakerOpen: true, breakerOpenings: 1)
    default: nil
    }
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
