// SPDX-License-Identifier: Apache-2.0

// What a ramp waits for and listens to, in scenes: instances that poll, windows, alerts, expressions, and the users outside.

import Flags
import JSON
import Testing

@Suite struct GuardTests {
  typealias Scene = RolloutTests.Scene

  static func plan(_ guarding: String = "", steps: String = RolloutTests.steps, more: String = "") -> String {
    RolloutTests.plan(guarding, steps: steps, more: more)
  }

  static let scenes = [
    Scene(
      name: "the step begins when enough instances hold it",
      script: """
        start           -> propagating 10
        5s good+3of4    -> propagating 10
        restart
        1s good+3of3    -> propagating 10
        1s good+9of10   -> warming 10 "9 of 10 instances hold 10 % after 6s"
        10s good        -> soaking 10
        """),
    Scene(
      name: "instances that vanish or lag are waited for only so long, and the guard watches meanwhile",
      plan: plan(more: #","propagation":{"share":0.9,"timeout":"20s"}"#),
      script: """
        start
        20s good+3of4   -> propagating 10
        1s good+3of4    -> warming 10 "only 3 of 4 instances hold 10 % after 20s: went on without the others"
        rollback
        start
        5s good+3of4
        1s good+3of3    -> propagating 10
        4s errors+3of4  -> rolled_back 0
        """),
    Scene(
      name: "a pause while propagating goes on propagating",
      script: """
        start
        5s good+0of4
        pause           -> paused 10
        30s good+4of4   -> paused 10
        resume          -> propagating 10
        1s good+4of4    -> warming 10
        """),
    Scene(
      name: "a plan advances by itself only in its windows",
      // The script's time is 1970-01-01, a Thursday, 00:16.
      plan: plan(more: #","windows":[{"days":["thu"],"from":"12:00","to":"13:00"}]"#),
      script: """
        start
        41s good        -> held 10 "outside the plan's windows, the next opens in 11h 42m" "baked 40s"
        30s good        -> held 10
        approve         -> refused "does not wait for approval"
        1s good+night   -> soaking 10 "a window of the plan is open"
        4s good+night   -> soaking 10
        1s good+night   -> propagating 50
        """),
    Scene(
      name: "harm outside a window still rolls back",
      plan: plan(more: #","windows":[{"days":["sun"]}]"#),
      script: """
        start
        41s good        -> held 10 "the next opens in 2d 23h"
        3s errors       -> rolled_back 0
        """),
    Scene(
      name: "a firing alert does what a breach does",
      plan: plan(#","alerts":["{cache=\"profile\"}","{job=\"x\"}"]"#),
      script: """
        start
        5s good+quiet   -> warming 10
        1s good+alert   -> rolled_back 0 "alert CacheErrors is firing at 0.25: rolled back from 10 % to 0 %"
        start
        5s good+quiet
        1s good+other   -> rolled_back 0 "alert Other"
        """),
    Scene(
      name: "alerts about hit ratios are muted while new users are cold",
      plan: plan(#","alerts":["{cache=\"profile\"}","{job=\"x\"}"]"#),
      script: """
        start
        5s good+hitalert -> warming 10
        5s good+hitalert -> warming 10
        1s good+hitalert -> soaking 10
        1s good+hitalert -> rolled_back 0 "alert HitRateLow is firing"
        """),
    Scene(
      name: "an alert that data are missing holds until it is resolved",
      plan: plan(#","alerts":["{cache=\"profile\"}","{job=\"x\"}"]"#),
      script: """
        start
        20s good+quiet
        1s good+silence -> held 10 "alert CacheSilent is firing: held at 10 % until it is resolved"
        1h good+silence -> held 10
        resume          -> refused "by itself"
        1s good+quiet   -> soaking 10 "the alert is resolved"
        """),
    Scene(
      name: "each alert has its own consequence",
      plan: plan(#","alerts":[{"match":"{a=\"b\"}","action":"hold"},{"match":"{c=\"d\"}","action":"kill"}]"#),
      script: """
        start
        20s good+quiet
        1s good+alert   -> held 10 "until it is resolved"
        3s errors+alert -> rolled_back 0
        start
        5s good+quiet
        1s good+other   -> killed 0 "alert Other is firing at 0.25: killed"
        """),
    Scene(
      name: "an observed alert is only shown",
      plan: plan(#","alerts":[{"match":"{a=\"b\"}","action":"observe"},"{c=\"d\"}"]"#),
      script: """
        start
        40s good+alert  -> soaking 10
        1s good+alert   -> propagating 50
        """),
    Scene(
      name: "an alert under on_breach: hold waits for an operator",
      plan: plan(#","on_breach":"hold","alerts":["{a=\"b\"}","{c=\"d\"}"]"#),
      script: """
        start
        20s good+quiet
        1s good+alert   -> held 10 "until an operator decides"
        1h good+quiet   -> held 10
        resume          -> soaking 10
        """),
    Scene(
      name: "an expression is judged by its worst series, several times in a row",
      plan: plan(#","checks":[{"name":"p95","expr":"x","success":">= 0.5","samples":"y","min_samples":100}]"#),
      script: """
        start
        20s good+expr-ok   -> soaking 10
        2s good+expr-bad   -> soaking 10
        1s good+expr-ok    -> soaking 10
        2s good+expr-bad   -> soaking 10
        1s good+expr-bad   -> rolled_back 0 "p95 0.2 of 500 samples is not >= 0.5, in 3 evaluations in a row, 1s apart"
        """),
    Scene(
      name: "an expression without a value is no success",
      plan: plan(#","checks":[{"name":"p95","expr":"x","success":">= 0.5"}]"#),
      script: """
        start
        40s good+expr-none -> soaking 10
        1s good+expr-none  -> held 10 "p95 has no value"
        1h good+expr-fault -> held 10
        1s good+expr-ok    -> soaking 10
        5s good+expr-fault -> held 10 "query timed out"
        """),
    Scene(
      name: "arms that fare alike pass",
      plan: plan(#","checks":[{"name":"failure_ratio"}]"#),
      script: """
        start
        40s good+arms-even -> soaking 10
        1s good+arms-even  -> propagating 50 "0.01 of 4000 lookups in the ramp fail, 0.01 outside: worse by at most"
        """),
    Scene(
      name: "a dead arm is harm in the third evaluation",
      plan: plan(#","checks":[{"name":"failure_ratio"}]"#),
      script: """
        start
        10s good+arms-even -> warming 10
        2s good+arms-dead  -> soaking 10
        1s good+arms-dead  -> rolled_back 0 "0.5 of 100 lookups of users in the ramp fail, 0.01 outside it lately"
        """),
    Scene(
      name: "a little worse every time is proven after a while",
      plan: plan(#","checks":[{"name":"failure_ratio"}]"#),
      script: """
        start
        10s good+arms-worse -> warming 10
        1s good+arms-worse  -> rolled_back 0 "0.04 of 1000 lookups in the ramp fail, 0.01 outside: worse by at least 0.03"
        """),
    Scene(
      name: "who ignores the flag makes it inconclusive",
      plan: plan(#","on_inconclusive":"hold","checks":[{"name":"exposure"}]"#),
      script: """
        start
        40s good+arms-mixed -> soaking 10
        1s good+arms-mixed  -> held 10 "0.9 of 40000 lookups were on the wrong side of the flag: a service ignores it"
        """),
    Scene(
      name: "events without user ids compare nothing and hold nothing",
      plan: plan(#","on_inconclusive":"hold","checks":[{"name":"exposure"},{"name":"failure_ratio"},{"name":"hit_ratio"}]"#),
      script: """
        start
        40s good        -> soaking 10
        1s good         -> propagating 50 "baked 40s at 10 %; hit_ratio 0.9"
        """),
  ]

  @Test(arguments: scenes)
  func scene(_ scene: Scene) throws { try RolloutTests.play(scene) }
}
