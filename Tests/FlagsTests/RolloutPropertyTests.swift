// SPDX-License-Identifier: Apache-2.0

// Random operators, evidence, alerts, clocks and crashes against what must always be true of a ramp: the transitions there
// are, what harm leads to, and what may raise a percentage. The seed is printed; RAMPART_SEED=N plays that one again.

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
  /// What is on disk: the document as of the last change, or of a save since.
  var saved: JSONValue
  var faults: [String] = []
  var counts: [String: Int] = [:]

  init(seed: UInt64) throws {
    var random = SeededRandom(state: seed)
    plan = try Observer.plan(&random)
    initialPercent = Percentage(hundredths: Int.random(in: 0...10_000, using: &random))
    rollout = Rollout(key: "F", environment: "production", plan: plan, percent: initialPercent, nowMs: wallMs)
    saved = rollout.document
    self.random = random
  }

  static func plan(_ random: inout SeededRandom) throws -> RolloutPlan {
    let percents = Set((0..<Int.random(in: 1...5, using: &random)).map { _ in Int.random(in: 1...100, using: &random) })
      .sorted()
    let steps = percents.map { percent in
      let approval = Int.random(in: 0..<4, using: &random) == 0
      return #"{"percent":\#(percent),"bake":"\#(Int.random(in: 0...30, using: &random))s","approval":\#(approval)}"#
    }
    let names = ["hit_ratio", "error_ratio", "circuit_breaker", "failure_ratio", "exposure"]
    let checks = names.filter { _ in Int.random(in: 0..<4, using: &random) > 0 }.map { #"{"name":"\#($0)"}"# }
    let actions = ["hold", "rollback", "kill", "observe"].map { #"{"match":"{a=\"b\"}","action":"\#($0)"}"# } + [#""{a=\"b\"}""#]
    let alerts = actions.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
    // 1,000,000 s after 1970 is a Monday's afternoon; an hour of it, or any time.
    let windows = Bool.random(using: &random) ? "" : #"{"days":["mon","tue"],"from":"14:00","to":"15:00"}"#
    let onInconclusive = ["advance", "hold"].randomElement(using: &random) ?? ""
    let onBreach = ["rollback", "hold"].randomElement(using: &random) ?? ""
    let rollbackTo = ["zero", "previous"].randomElement(using: &random) ?? ""
    return try RolloutPlan(
      JSONValue(
        parsing: """
          {"steps":[\(steps.joined(separator: ","))],"windows":[\(windows)],"propagation":{"timeout":"30s"},\
          "guard":{"checks":[\(checks.joined(separator: ","))],"alerts":[\(alerts.joined(separator: ","))],\
          "on_inconclusive":"\(onInconclusive)","on_breach":"\(onBreach)","rollback_to":"\(rollbackTo)"}}
          """))
  }

  mutating func run(events: Int) throws {
    for _ in 0..<events {
      let (before, lastMs) = (rollout.history.count, rollout.history.last?.atMs)
      if Int.random(in: 0..<20, using: &random) == 0 { changeEvidence() }
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<90: tick()
      case 90..<98: act()
      default: try crash()
      }
      // Every change is on disk at once, progress now and then.
      if rollout.history.count != before || rollout.history.last?.atMs != lastMs || isOneIn(5) { saved = rollout.document }
      if !faults.isEmpty { return }
    }
  }

  private mutating func changeEvidence() {
    var new = GuardEvidence()
    new.errors = tally([0, 10, 1000], badOneIn: 3)
    new.recentErrors = tally([0, 10, 1000], badOneIn: 3)
    new.reads = tally([0, 10, 1000], badOneIn: 2)
    new.treatment.lookups = tally([0, 0, 10, 1000], badOneIn: 6)
    new.control.lookups = tally([0, 0, 10, 1000], badOneIn: 6)
    new.treatment.cached = new.treatment.lookups.count
    new.control.bypassed = new.control.lookups.count
    new.breakerOpen = isOneIn(20)
    new.breakerOpenings = evidence.breakerOpenings + (isOneIn(20) ? 1 : 0)
    new.newestEventAgeMs = [nil, 0, 500, 120_000, 120_001, 900_000].randomElement(using: &random) ?? nil
    new.alerts = plan.alerts.map { _ in
      let kind = ["", "", "hit_ratio", "silence"].randomElement(using: &random) ?? ""
      return isOneIn(12) ? [FiringAlert(name: "A", labels: "{}", kind: kind, value: 1, sinceMs: 0)] : []
    }
    let seen = [0, 0, 3, 10].randomElement(using: &random) ?? 0
    new.instances = GuardEvidence.Instances(seen: seen, current: Int.random(in: 0...seen, using: &random))
    evidence = new
  }

  private mutating func isOneIn(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &random) == 0 }

  private mutating func tally(_ counts: [Int64], badOneIn: Int) -> GuardEvidence.Tally {
    let count = counts.randomElement(using: &random) ?? 0
    return GuardEvidence.Tally(count: count, bad: isOneIn(badOneIn) ? Int64.random(in: 0...count, using: &random) : 0)
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
    checkHarm(before)
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

  /// The process dies: what is on disk is what is left. A step is neither repeated nor skipped, and a bake goes on where
  /// it was saved last.
  private mutating func crash() throws {
    let document = rollout.document.text
    require(try Rollout(document: JSONValue(parsing: document)).document.text == document, "a document does not come back")
    _ = try JSONValue(parsing: rollout.json(nowMs: wallMs).text)
    let decoded = try Rollout(document: saved)
    require(
      decoded.state == rollout.state && decoded.percent == rollout.percent && decoded.phase.watch?.step == rollout.phase.watch?.step,
      "a crash moved the ramp")
    require(decoded.history == rollout.history, "a crash changed the history")
    require(decoded.phase.watch?.soakedMs ?? 0 <= rollout.phase.watch?.soakedMs ?? 0, "a crash advanced the soak clock")
    rollout = decoded
  }

  /// What must follow a tick where something is wrong, whatever else is true.
  private mutating func checkHarm(_ before: Rollout) {
    guard before.isActive else { return }
    let isHeldForBreach = before.state == .held && before.reason.contains("until an operator")
    let watchesBreaker = plan.checks.contains { $0.measure == .circuitBreaker }
    if watchesBreaker, evidence.breakerOpen, !isHeldForBreach {
      require(
        rollout.state == .rolledBack || rollout.reason.contains("until an operator") || rollout.state == .killed,
        "an open breaker left it \(rollout.state)")
    }
    let isWarm = before.phase.watch?.warmSinceMs != nil
    for (alert, firing) in zip(plan.alerts, evidence.alerts) {
      guard let kind = firing?.first?.kind, kind != "silence", isWarm || kind != "hit_ratio" else { continue }
      switch alert.action {
      case .kill: require([.killed, .rolledBack].contains(rollout.state) || rollout.state == .held, "a kill alert left it \(rollout.state)")
      case .rollback where !isHeldForBreach:
        require(!rollout.isActive || rollout.reason.contains("until an operator"), "a rollback alert left it \(rollout.state)")
      case .hold: require(![.warming, .soaking, .propagating].contains(rollout.state), "a hold alert left it \(rollout.state)")
      case .observe, .rollback, nil: break
      }
    }
  }

  private var isFresh: Bool { evidence.newestEventAgeMs.map { $0 <= plan.freshnessMs } ?? false }

  private mutating func check(_ before: Rollout, _ changes: [RolloutChange], isOperator: Bool) {
    var (state, percent, step) = (before.state, before.percent, before.phase.watch?.step)
    for change in changes {
      counts["\(change.from.rawValue) \(change.to.rawValue)", default: 0] += 1
      require(change.from == state, "change from \(change.from) in \(state)")
      require(
        (isOperator ? Observer.byOperators : Observer.byItself)[change.from]?.contains(change.to) == true,
        "no way from \(change.from) to \(change.to) for \(change.actor)")
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
    for check in plan.checks where [.hitRatio, .errorRatio].contains(check.measure) {
      let tally = check.measure == .hitRatio ? evidence.reads : evidence.errors
      require(tally.count > 0, "advanced without a sample of \(check.name)")
      require(plan.onInconclusive == .advance || tally.count >= check.minSamples, "advanced with \(check.name) inconclusive")
    }
    if !plan.windows.isEmpty, change.to != .completed {
      let minute = wallMs / 60_000 % 1440
      require((14 * 60..<15 * 60).contains(minute), "advanced outside its window, at minute \(minute)")
    }
  }

  /// The transitions there are.
  private static let watched: Set<RolloutState> = [.propagating, .warming, .soaking, .held, .paused]
  private static let byOperators: [RolloutState: Set<RolloutState>] = [
    .draft: [.propagating, .completed, .killed],
    .propagating: [.paused, .propagating, .completed, .rolledBack, .killed],
    .warming: [.paused, .propagating, .completed, .rolledBack, .killed],
    .soaking: [.paused, .propagating, .completed, .rolledBack, .killed],
    .held: [.paused, .propagating, .warming, .soaking, .completed, .rolledBack, .killed],
    .paused: [.propagating, .warming, .soaking, .rolledBack, .killed],
    .rolledBack: [.propagating, .completed, .killed],
    .completed: [.propagating, .completed, .rolledBack, .killed],
    .killed: [.propagating, .completed],
  ]
  private static let byItself: [RolloutState: Set<RolloutState>] = [
    .propagating: [.warming, .soaking, .held, .rolledBack, .killed],
    .warming: [.soaking, .held, .rolledBack, .killed],
    .soaking: [.propagating, .completed, .held, .rolledBack, .killed],
    .held: [.propagating, .warming, .soaking, .held, .rolledBack, .killed],
    .paused: [.held, .rolledBack, .killed],
  ]

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
      "propagating warming", "propagating soaking", "propagating held", "propagating rolled_back", "warming soaking",
      "soaking propagating", "soaking held", "held soaking", "held warming", "held propagating", "warming rolled_back",
      "soaking rolled_back", "paused rolled_back", "held rolled_back", "soaking completed", "held completed",
      "rolled_back propagating", "killed propagating", "paused held", "soaking killed", "held killed",
    ] {
      #expect(transitions[transition] ?? 0 > 0, "RAMPART_SEED=\(seed) never saw \(transition): \(transitions)")
    }
  }
}
