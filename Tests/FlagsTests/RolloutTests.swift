// SPDX-License-Identifier: Apache-2.0

// The ramp in scenes. After a start, a resume or a step by hand the first tick only sets the clock, so its second does
// not count; steps that follow from a tick lose none.

import Flags
import JSON
import Testing

@Suite struct RolloutTests {
  /// Bakes of 40 s, 10 s of it warm-up, an evaluation a second.
  static let plan = plan()
  static let steps = #"[{"percent":10,"bake":"40s"},{"percent":50,"bake":"40s"},{"percent":100}]"#
  static func plan(_ guarding: String = "", steps: String = steps, more: String = "") -> String {
    let checks = guarding.contains("checks") ? "" : #","checks":[{"name":"hit_ratio"},{"name":"error_ratio"},{"name":"circuit_breaker"}]"#
    return #"{"steps":\#(steps)\#(more),"guard":{"interval":"1s"\#(checks)\#(guarding)}}"#
  }

  struct Scene: CustomTestStringConvertible {
    let name: String
    var plan = RolloutTests.plan
    let script: String
    var testDescription: String { name }
  }

  static let scenes = [
    Scene(
      name: "a healthy ramp goes to the end",
      script: """
        start           -> propagating 10 "step 1 of 3"
        10s good        -> warming 10
        1s good         -> soaking 10 "warmed up for 10s"
        29s good        -> soaking 10
        1s good         -> propagating 50 "baked 40s at 10 %" "hit_ratio 0.9 of 1000 lookups is >= 0.5"
        1s good         -> warming 50 "no instance that names itself polls the flag"
        39s good        -> soaking 50
        1s good         -> completed 100 "baked 40s at 50 %" "error_ratio 0.001 of 1000 lookups and errors is <= 0.01"
        10s errors      -> completed 100
        """),
    Scene(
      name: "a cold cache is muted only while it warms up",
      script: """
        start           -> propagating 10
        10s cold        -> warming 10
        3s cold         -> soaking 10
        1s cold         -> rolled_back 0 "hit_ratio 0.1 of 1000 lookups is not >= 0.5" "from 10 % to 0 %"
        """),
    Scene(
      name: "errors are a breach in the third evaluation, warming or not",
      script: """
        start           -> propagating 10
        3s errors       -> warming 10
        1s errors       -> rolled_back 0 "is not <= 0.01, in 3 evaluations in a row, 1s apart"
        30s good        -> rolled_back 0
        resume          -> refused "start a plan anew"
        start           -> propagating 10
        """),
    Scene(
      name: "one good evaluation starts the count anew",
      script: """
        start
        3s errors       -> warming 10
        1s good         -> warming 10
        2s errors       -> warming 10
        restart         -> warming 10
        1s errors       -> rolled_back 0
        """),
    Scene(
      name: "ticks faster than a second do not hasten a breach",
      script: """
        start
        jump 100ms errors
        jump 400ms errors
        jump 400ms errors
        jump 400ms errors -> warming 10
        jump 400ms errors
        jump 400ms errors -> warming 10
        jump 1s errors    -> rolled_back 0
        """),
    Scene(
      name: "an open breaker is a breach at once",
      script: """
        start
        20s good        -> soaking 10
        1s open         -> rolled_back 0 "a circuit breaker is open"
        """),
    Scene(
      name: "an open breaker counts without any event, and so does one that closed again",
      script: """
        start
        1s open         -> rolled_back 0
        start           -> propagating 10
        1s flapped      -> rolled_back 0 "opened 1 times during the step"
        """),
    Scene(
      name: "without data the clock stands still, and goes on by itself",
      script: """
        start
        21s good        -> soaking 10
        1s silent       -> held 10 "no cache event for 2m 10s"
        10m silent      -> held 10
        approve         -> refused "does not wait for approval"
        resume          -> refused "by itself"
        1s good         -> soaking 10 "cache events are back"
        19s good        -> soaking 10
        1s good         -> propagating 50
        """),
    Scene(
      name: "data that never came hold a ramp in its first second",
      script: """
        start
        1s never        -> warming 10
        1s never        -> held 10 "no cache event yet"
        1h never        -> held 10
        1s good         -> warming 10
        """),
    Scene(
      name: "a check without samples never lets a ramp advance",
      script: """
        start
        40s unused      -> soaking 10
        1s unused       -> held 10 "hit_ratio: no lookups in the window"
        1h unused       -> held 10
        1s good         -> soaking 10
        4s good         -> soaking 10
        1s good         -> propagating 50
        """),
    Scene(
      name: "few samples advance by default and say so",
      script: """
        start
        40s few         -> soaking 10
        1s few          -> propagating 50 "fewer than the 100 asked for" "inconclusive, which the plan lets advance"
        """),
    Scene(
      name: "few samples that look bad neither advance nor roll back",
      script: """
        start
        40s fewbad      -> soaking 10
        1s fewbad       -> held 10 "hit_ratio 0 of 10 lookups is not >= 0.5, of fewer than the 100 that a rollback takes"
        1h fewbad       -> held 10
        1s good         -> soaking 10 "conclusive again"
        """),
    Scene(
      name: "few samples hold where the plan says so, until there are more",
      plan: plan(#","on_inconclusive":"hold""#),
      script: """
        start
        40s few         -> soaking 10
        1s few          -> held 10 "fewer than the 100 asked for"
        1h few          -> held 10
        1s good         -> soaking 10 "conclusive again"
        4s good         -> soaking 10
        1s good         -> propagating 50
        """),
    Scene(
      name: "missing data while inconclusive are missing data",
      plan: plan(#","on_inconclusive":"hold""#),
      script: """
        start
        41s few         -> held 10
        1s silent       -> held 10 "no cache event"
        1s few          -> soaking 10
        1s few          -> held 10 "fewer"
        advance         -> propagating 50
        """),
    Scene(
      name: "approval comes last, and the guard watches meanwhile",
      plan: plan(steps: #"[{"percent":10,"bake":"40s","approval":true},{"percent":100}]"#),
      script: """
        start
        20s good
        approve         -> refused "use advance"
        21s good        -> held 10 "waiting for approval"
        1h good         -> held 10
        5m silent       -> held 10 "waiting for approval"
        approve go      -> completed 100 "approved after 40s: go"
        """),
    Scene(
      name: "harm while waiting for approval rolls back",
      plan: plan(steps: #"[{"percent":10,"bake":"40s","approval":true},{"percent":100}]"#),
      script: """
        start
        41s good        -> held 10
        2s errors       -> held 10
        1s errors       -> rolled_back 0
        """),
    Scene(
      name: "a pause freezes the clock, and the guard watches meanwhile",
      script: """
        start
        21s good        -> soaking 10
        pause lunch     -> paused 10 "lunch"
        1h good         -> paused 10
        5m silent       -> paused 10
        pause           -> refused "paused already"
        advance         -> refused "resume it first"
        resume          -> soaking 10
        20s good        -> soaking 10
        1s good         -> propagating 50
        pause
        2s errors       -> paused 50
        2s errors       -> rolled_back 0
        """),
    Scene(
      name: "time jumps advance a ramp by five seconds at most",
      script: """
        start
        1s good
        jump 100d good  -> warming 10
        jump 100d good  -> soaking 10
        jump 100d good  -> soaking 10
        """),
    Scene(
      name: "a restart keeps the soak",
      script: """
        start
        30s good        -> soaking 10
        restart         -> soaking 10
        10s good        -> soaking 10
        restart
        1s good         -> propagating 50
        """),
    Scene(
      name: "a breach may hold instead",
      plan: plan(#","on_breach":"hold""#),
      script: """
        start
        20s good
        1s open         -> held 10 "a circuit breaker is open: held at 10 %"
        1h good+flapped -> held 10
        resume          -> soaking 10
        3s good+flapped -> soaking 10
        1s open         -> held 10
        resume          -> soaking 10
        1s open         -> held 10
        rollback        -> rolled_back 0 "by hand from 10 % to 0 %"
        """),
    Scene(
      name: "a rollback may go one step back",
      plan: plan(#","rollback_to":"previous""#),
      script: """
        start
        41s good        -> propagating 50
        3s errors       -> rolled_back 10 "from 50 % to 10 %"
        start           -> propagating 10
        4s errors       -> rolled_back 10
        """),
    Scene(
      name: "a completed ramp can be rolled back by hand",
      plan: plan(#","rollback_to":"previous""#),
      script: """
        start
        advance hurry   -> propagating 50 "advanced by hand after 0s of 40s: hurry"
        advance         -> completed 100
        pause           -> refused "at 100 % for good"
        rollback        -> rolled_back 50
        """),
    Scene(
      name: "a kill wins over everything and is left by a start only",
      script: """
        kill            -> killed 0
        kill            -> refused "off for everybody already"
        start           -> propagating 10
        start           -> refused "a ramp is under way"
        pause
        kill            -> killed 0
        resume          -> refused "only starting a plan anew"
        1m good         -> killed 0
        restart         -> killed 0
        start           -> propagating 10
        """),
    Scene(
      name: "a draft has nothing to act on",
      script: """
        pause           -> refused "start a plan first"
        rollback        -> refused "start a plan first"
        1m open         -> draft 0
        """),
    Scene(
      name: "a last step with a bake is watched before the end",
      plan: plan(steps: #"[{"percent":100,"bake":"40s"}]"#),
      script: """
        start
        40s good        -> soaking 100
        1s good         -> completed 100 "baked 40s at 100 %"
        """),
    Scene(
      name: "a bad minute that is over is none any more",
      script: """
        start
        2s errors       -> warming 10
        20s lingering   -> soaking 10
        18s good        -> soaking 10
        1s good         -> propagating 50
        """),
    Scene(
      name: "a plan without checks still wants data",
      plan: plan(#","checks":[]"#),
      script: """
        start
        41s errors      -> propagating 50 "no checks"
        2s silent       -> held 50
        """),
  ]

  @Test(arguments: scenes)
  func scene(_ scene: Scene) throws { try RolloutTests.play(scene) }

  static func play(_ scene: Scene) throws {
    var script = try RolloutScript(plan: scene.plan)
    let faults = try script.play(scene.script)
    #expect(faults.isEmpty, "\(faults.joined(separator: "\n"))")
    let document = script.rollout.document.text
    #expect(try Rollout(document: JSONValue(parsing: document)).document.text == document)
  }

  @Test func changesTellTheShellWhatToWrite() throws {
    var script = try RolloutScript(plan: Self.plan, percent: Percentage(hundredths: 500))
    #expect(try script.play("start\n11s good\npause\nrollback enough").isEmpty)
    let told = script.changes.map {
      "\($0.from.rawValue) \($0.to.rawValue) \($0.step) \($0.percent) \($0.setsPercent) \($0.actor)"
    }
    #expect(
      told == [
        "draft propagating 0 10 true eve", "propagating warming 0 10 false schedule", "warming soaking 0 10 false schedule", "soaking paused 0 10 false eve",
        "paused rolled_back 0 0 true eve",
      ])
    #expect(script.changes.dropFirst().allSatisfy { $0.evidence?["checks"] != nil }, "what the guard saw goes with each change")
    let kept = script.changes.map { change in
      var change = change
      change.evidence = nil
      return change
    }
    #expect(script.rollout.history == kept)
  }

  @Test func rollbackOfTheFirstStepReturnsToWhatWasBefore() throws {
    let plan = Self.plan(#","rollback_to":"previous""#)
    var script = try RolloutScript(plan: plan, percent: Percentage(hundredths: 500))
    #expect(try script.play("start -> propagating 10\n4s errors -> rolled_back 5") == [])
    var lowering = try RolloutScript(plan: plan, percent: .all)
    #expect(try lowering.play("start -> propagating 10\n4s errors -> rolled_back 10") == [])
  }

  @Test func percentageSetByHandIsNotRaisedByARollback() throws {
    var script = try RolloutScript(plan: Self.plan(#","rollback_to":"previous""#))
    #expect(try script.play("start\nadvance\nadvance -> completed 100").isEmpty)
    script.rollout.flagPercentChanged(to: Percentage(hundredths: 2000))
    #expect(try script.play("rollback -> rolled_back 20") == [])
  }

  @Test func historyIsBounded() throws {
    var script = try RolloutScript(plan: Self.plan)
    #expect(try script.play("start").isEmpty)
    for _ in 0..<60 { #expect(try script.play("pause\nresume").isEmpty) }
    #expect(script.rollout.history.count == Rollout.historyMax)
    #expect(script.rollout.history.last?.to == .propagating)
    #expect(try Rollout(document: script.rollout.document) == script.rollout)
  }

  @Test func wordsOfAnOperatorAreCutAtTheirBound() throws {
    for (count, cut) in [(Rollout.reasonBytesMax, false), (Rollout.reasonBytesMax + 1, true)] {
      var script = try RolloutScript(plan: Self.plan)
      let words = String(repeating: "x", count: count)
      let changes = try script.rollout.apply(.kill, actor: "eve", reason: words, nowMs: 0)
      #expect(changes.first?.reason.hasSuffix("…") == cut)
    }
  }

  @Test func unknownDocumentVersionIsRefused() throws {
    let document = try RolloutScript(plan: Self.plan).rollout.document.text
    let newer = document.split(separator: #""version":2"#, maxSplits: 1).joined(separator: #""version":3,"new":true"#)
    #expect(
      fault { _ = try Rollout(document: JSONValue(parsing: newer)) }.contains("version: 3: a ramp of another version"))
    #expect(fault { _ = try Rollout(document: JSONValue(parsing: #"{"version":1}"#)) } == "key: missing: a flag's key")
  }

  @Test func rampOfTheFirstVersionGoesOn() throws {
    let first = #"""
      {"version":1,"key":"F","environment":"production","state":"soaking","percent":10,"percent_before":0,"state_since_ms":5,\#
      "reason":"warm","watch":{"step":0,"since_ms":1,"soaked_ms":30000,"passes":3,"failures":[0],"since_evaluation_ms":0,\#
      "skips_elapsed":false,"openings_known":0,"warm_since_ms":4,"evidence":{"lookups":1}},\#
      "plan":{"steps":[{"percent":10,"bake":"40s"},{"percent":100}],"guard":{"checks":[{"name":"hit_ratio"}]}},"history":[]}
      """#
    let rollout = try Rollout(document: JSONValue(parsing: first))
    #expect(rollout.state == .soaking && rollout.phase.watch?.soakedMs == 30_000 && rollout.phase.watch?.reach.isOver == true)
  }

  @Test func statusShowsWhyTheClockStandsStill() throws {
    var script = try RolloutScript(plan: Self.plan)
    #expect(try script.play("start\n21s good").isEmpty)
    let running = script.rollout.json(nowMs: script.nowMs)
    #expect(
      running["soak"]?.text
        == #"{"required_seconds":40,"elapsed_seconds":20,"running":true,"standing_still_because":null}"#)
    #expect(running["next_decision_ms"]?.integer == script.nowMs + 20_000)
    #expect(running["warm_up_ends_ms"] == .null)
    #expect(running["steps"]?.array?.first?.text == #"{"percent":10,"bake_seconds":40,"approval":false}"#)
    #expect(running["actions"]?.text == #"["pause","advance","rollback","kill"]"#)
    #expect(
      running["checks"]?.array?.first?.text == """
        {"name":"hit_ratio","value":0.9,"success":">= 0.5","samples":1000,"min_samples":100,"verdict":"pass",\
        "reason":"hit_ratio 0.9 of 1000 lookups is >= 0.5"}
        """)
    #expect(try script.play("1s silent").isEmpty)
    let held = script.rollout.json(nowMs: script.nowMs)
    #expect(held["soak"]?["standing_still_because"]?.string == "no cache event for 2m 10s")
    #expect(held["next_decision_ms"] == .null)
    #expect(held["checks"]?.array?.map { $0["verdict"]?.string } == ["no_data", "no_data", "no_data"])
    #expect(script.rollout.label == RolloutLabel(state: "held", step: 0))
  }

  @Test func draftShowsThePlanThatWouldBeFollowed() throws {
    let json = try RolloutScript(plan: Self.plan).rollout.json(nowMs: 0)
    #expect(json["state"]?.string == "draft")
    #expect(json["steps"]?.array?.count == 3)
    #expect(json["since_ms"] == .null)
    #expect(json["actions"]?.text == #"["start","kill"]"#)
    #expect(json["checks"]?.array?.first?["reason"]?.string == "not measured yet")
  }
}
