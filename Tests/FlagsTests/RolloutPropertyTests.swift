// SPDX-License-Identifier: Apache-2.0

// Random operators, evidence, clocks and restarts against what must always be true of a ramp. The seed is printed;
// RAMPART_SEED=N plays that one again.

import Flags
import Foundation
import JSON
import Testing

/// One random ramp and the books a suspicious observer keeps about it.
private struct Observer {
  var random: SeededRandom
  let plan: RolloutPlan
  let initialPercent: Percentage
  var rollout: Rollout
  var wallMs: Int64 = 1_000_000_000
  /// Monotonic time since the step began.
  var stepElapsedMs: Int64 = 0
  /// Time that passed since the last tick, because operators act between ticks.
  var sinceTickMs: Int64 = 0
  /// The percentage may not rise above this without an operator.
  var ceiling: Percentage = .all
  var evidence = GuardEvidence()
  var faults: [String] = []
  var counts: [String: Int] = [:]

  init(seed: UInt64) throws {
    var random = SeededRandom(state: seed)
    plan = try Observer.plan(&random)
    initialPercent = Percentage(hundredths: Int.random(in: 0...10_000, using: &random))
    rollout = Rollout(key: "F", environment: "production", plan: plan, percent: initialPercent, nowMs: wallMs)
    self.random = random
  }

  static func plan(_ random: inout SeededRandom) throws -> RolloutPlan {
    let percents = Set((0..<Int.random(in: 1...5, using: &random)).map { _ in Int.random(in: 1...100, using: &random) })
      .sorted()
    let steps = percents.map { percent in
      let approval = Int.random(in: 0..<4, using: &random) == 0
      return #"{"percent":\#(percent),"bake":"\#(Int.random(in: 0...30, using: &random))s","approval":\#(approval)}"#
    }
    let checks = [#"{"name":"hit_ratio"}"#, #"{"name":"error_ratio"}"#, #"{"name":"circuit_breaker"}"#].filter { _ in
      Int.random(in: 0..<4, using: &random) > 0
    }
    let onInconclusive = ["advance", "hold"].randomElement(using: &random) ?? ""
    let onBreach = ["rollback", "hold"].randomElement(using: &random) ?? ""
    let rollbackTo = ["zero", "previous"].randomElement(using: &random) ?? ""
    return try RolloutPlan(
      JSONValue(
        parsing: """
          {"steps":[\(steps.joined(separator: ","))],"guard":{"checks":[\(checks.joined(separator: ","))],\
          "on_inconclusive":"\(onInconclusive)","on_breach":"\(onBreach)","rollback_to":"\(rollbackTo)"}}
          """))
  }

  mutating func run(events: Int) throws {
    for _ in 0..<events {
      if Int.random(in: 0..<20, using: &random) == 0 { changeEvidence() }
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<90: tick()
      case 90..<98: act()
      default: try restart()
      }
      if !faults.isEmpty { return }
    }
  }

  private mutating func changeEvidence() {
    let lookups: Int64 = [0, 10, 1000].randomElement(using: &random) ?? 0
    evidence = GuardEvidence(
      lookups: lookups, hits: Int64.random(in: 0...lookups, using: &random), misses: 0,
      errors: Int.random(in: 0..<3, using: &random) == 0 ? Int64.random(in: 0...lookups, using: &random) : 0,
      breakerOpen: Int.random(in: 0..<20, using: &random) == 0,
      breakerOpenings: evidence.breakerOpenings + (Int.random(in: 0..<20, using: &random) == 0 ? 1 : 0),
      newestEventAgeMs: [nil, 0, 500, 120_000, 120_001, 900_000].randomElement(using: &random) ?? nil)
    evidence.misses = lookups - evidence.hits
    if Bool.random(using: &random) {
      (evidence.hits, evidence.misses) = (max(evidence.hits, evidence.misses), min(evidence.hits, evidence.misses))
    }
  }

  private mutating func tick() {
    let passedMs: Int64 =
      [1000, 1000, 1000, 1000, 998, 200, 0, -5000, 4_999, 5_001, 86_400_000].randomElement(using: &random) ?? 0
    let elapsedMs = passedMs + sinceTickMs
    sinceTickMs = 0
    wallMs += [passedMs, passedMs, -3_600_000, 3_600_000].randomElement(using: &random) ?? 0
    stepElapsedMs += max(0, passedMs)
    let before = rollout
    let changes = rollout.tick(elapsedMs: elapsedMs, nowMs: wallMs, evidence: evidence)
    check(before, changes, isOperator: false)
    let soaked = (rollout.phase.watch?.soakedMs ?? 0, before.phase.watch?.soakedMs ?? 0)
    if rollout.phase.watch?.step == before.phase.watch?.step {
      require(
        soaked.0 - soaked.1 <= min(max(0, elapsedMs), Rollout.tickElapsedMsMax),
        "one tick of \(elapsedMs) ms soaked too much")
      if soaked.0 > soaked.1 {
        require(isFresh && [.warming, .soaking].contains(before.state), "soaked without data or in \(before.state)")
      }
    }
    guard changes.isEmpty, before.isActive else { return }
    require(before.state == rollout.state && before.percent == rollout.percent, "changed without saying so")
  }

  private mutating func act() {
    let passedMs = Int64.random(in: 0...900, using: &random)
    sinceTickMs += passedMs
    stepElapsedMs += passedMs
    let before = rollout
    let word =
      (["start", "start"]
      + RolloutAction.allCases.filter { $0 != .kill || Int.random(in: 0..<4, using: &random) == 0 }.map(\.rawValue))
      .randomElement(using: &random) ?? ""
    do {
      let changes =
        if let action = RolloutAction(rawValue: word) {
          try rollout.apply(action, actor: "eve", reason: "", nowMs: wallMs)
        } else {
          try rollout.start(plan, flagPercent: rollout.percent, actor: "eve", reason: "", nowMs: wallMs)
        }
      require(
        word == "start" ? !before.isActive : before.actions.map(\.rawValue).contains(word), "\(word) was not on offer")
      require(changes.count == 1, "an action is one change")
      check(before, changes, isOperator: true)
    } catch {
      require(rollout == before, "a refused \(word) changed something")
      require(
        word == "start" ? before.isActive : !before.actions.map(\.rawValue).contains(word),
        "\(word) was on offer: \(error)")
    }
  }

  private mutating func restart() throws {
    let decoded = try Rollout(document: JSONValue(parsing: rollout.document.text))
    require(decoded == rollout, "a restart changed the ramp")
    _ = try JSONValue(parsing: rollout.json(nowMs: wallMs).text)
    rollout = decoded
  }

  private var isFresh: Bool { evidence.newestEventAgeMs.map { $0 <= plan.freshnessMs } ?? false }

  private mutating func check(_ before: Rollout, _ changes: [RolloutChange], isOperator: Bool) {
    var (state, percent, step) = (before.state, before.percent, before.phase.watch?.step)
    for change in changes {
      counts["\(change.from.rawValue) \(change.to.rawValue)", default: 0] += 1
      require(change.from == state, "change from \(change.from) in \(state)")
      require(!change.reason.isEmpty && !change.actor.isEmpty, "a change without reason or actor")
      require(isOperator == (change.actor == "eve"), "actor \(change.actor)")
      require(allowed.contains(change.percent), "\(change.percent) % is nobody's percentage")
      require(change.percent == percent || change.setsPercent, "percentage changed silently")
      if [.rolledBack, .killed, .held].contains(change.to) {
        require(change.percent <= percent, "\(change.to) raised the percentage")
      }
      if let old = step, change.to != .rolledBack, change.to != .killed, before.isActive {
        require((old...old + 1).contains(change.step), "step \(old) to \(change.step)")
        if change.step > old || change.to == .completed { checkAdvance(before, change, old, isOperator) }
      }
      if change.step != step || change.from == .draft || !before.isActive { stepElapsedMs = 0 }
      if isOperator {
        ceiling = .all
      } else {
        require(change.percent <= ceiling, "rose to \(change.percent) % after a breach")
      }
      if change.to == .rolledBack || change.to == .held && change.reason.contains("until an operator") {
        ceiling = change.percent
      }
      (state, percent, step) = (change.to, change.percent, change.step)
    }
    require(rollout.state == state && rollout.percent == percent, "the ramp is not where its changes led")
    require((rollout.phase.watch?.soakedMs ?? 0) <= stepElapsedMs || !rollout.isActive, "soaked more than time passed")
  }

  private mutating func checkAdvance(_ before: Rollout, _ change: RolloutChange, _ old: Int, _ isOperator: Bool) {
    guard !isOperator else { return }
    require(before.state == .soaking, "advanced by itself from \(before.state)")
    require(isFresh, "advanced without data")
    let soakedMs = before.phase.watch?.soakedMs ?? 0
    require(soakedMs + Rollout.tickElapsedMsMax >= plan.steps[old].bakeMs, "advanced before the bake was over")
    require(!plan.steps[old].approval, "advanced without approval")
    let ratios = plan.checks.filter { $0.measure != .circuitBreaker }
    require(ratios.isEmpty || evidence.lookups > 0, "advanced without a sample")
    require(plan.onInconclusive == .advance || ratios.isEmpty || evidence.lookups >= 100, "advanced inconclusively")
  }

  private var allowed: Set<Percentage> { Set(plan.steps.map(\.percent) + [.zero, initialPercent]) }

  private mutating func require(_ holds: Bool, _ message: String) {
    if !holds { faults.append("\(message); plan \(plan.json.text); now \(rollout.document.text)") }
  }
}

@Suite struct RolloutPropertyTests {
  @Test func rampKeepsItsPromises() throws {
    let seed = SeededRandom.seed(for: "RolloutPropertyTests")
    var transitions: [String: Int] = [:]
    for run in 0..<UInt64(300) {
      var observer = try Observer(seed: seed &+ run)
      try observer.run(events: 500)
      #expect(observer.faults.isEmpty, "RAMPART_SEED=\(seed), run \(run): \(observer.faults.joined(separator: "\n"))")
      transitions.merge(observer.counts) { $0 + $1 }
      if !observer.faults.isEmpty { return }
    }
    // A test that never gets anywhere proves nothing.
    for transition in [
      "warming soaking", "soaking warming", "soaking held", "held soaking", "held warming", "warming rolled_back",
      "soaking rolled_back",
      "paused rolled_back", "held rolled_back", "soaking completed", "held completed", "rolled_back warming",
      "killed warming", "paused held",
    ] {
      #expect(transitions[transition] ?? 0 > 0, "RAMPART_SEED=\(seed) never saw \(transition): \(transitions)")
    }
  }
}
