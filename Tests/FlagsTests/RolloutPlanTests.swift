// SPDX-License-Identifier: Apache-2.0

// Plans: what is filled in, and what is refused in which words.

import Flags
import JSON
import Testing

@Suite struct RolloutPlanTests {
  @Test func shortPlanIsFilledIn() throws {
    let plan = try RolloutPlan(JSONValue(parsing: #"{"steps":[{"percent":10},{"percent":50},{"percent":100}]}"#))
    #expect(
      plan.json.text == """
        {"steps":[{"percent":10,"bake":"1h"},{"percent":50,"bake":"1h"},{"percent":100,"bake":"0s"}],\
        "freshness":"2m",\
        "guard":{"window":"5m","checks":[{"name":"hit_ratio","success":">= 0.5","min_samples":100},\
        {"name":"error_ratio","success":"<= 0.01","min_samples":100},{"name":"circuit_breaker"}],\
        "on_inconclusive":"advance","on_breach":"rollback","rollback_to":"zero"}}
        """)
    #expect(plan.warmUpMs(step: 0) == 600_000)
    #expect(plan.warmUpMs(step: 2) == 0)
    #expect(try RolloutPlan(plan.json) == plan)
  }

  @Test func warmUpIsAQuarterOfAShortBakeAndNeverLonger() throws {
    let short = try RolloutPlan(
      JSONValue(parsing: #"{"steps":[{"percent":10,"bake":"20s"},{"percent":100,"bake":"1m"}]}"#))
    #expect(short.warmUpMs(step: 0) == 5_000 && short.warmUpMs(step: 1) == 15_000)
    let long = try RolloutPlan(JSONValue(parsing: #"{"warm_up":"5m","steps":[{"percent":10,"bake":"20s"}]}"#))
    #expect(long.warmUpMs(step: 0) == 20_000)
  }

  @Test func planOfTheInterfaceReadsBack() throws {
    let text = """
      {"steps":[{"percent":10,"bake":"1h"},{"percent":50,"bake":"1h","approval":true},{"percent":100,\
      "bake":"30m"}],"warm_up":"5m",\
      "freshness":"1m","guard":{"window":"10m","checks":[{"name":"error_ratio","success":"< 0.05","min_samples":1}],\
      "on_inconclusive":"hold","on_breach":"hold","rollback_to":"previous"}}
      """
    #expect(try RolloutPlan(JSONValue(parsing: text)).json.text == text)
  }

  @Test(arguments: [
    ("{}", #"steps: missing: at least one, such as [{"percent":10,"bake":"1h"}]"#),
    (#"{"steps":[{"percent":10},{"percent":10}]}"#, "steps[1].percent: 10: must be above the step before, 10"),
    (#"{"steps":[{"percent":0}]}"#, "steps[0].percent: 0: must be above 0"),
    (#"{"steps":[{"percent":140}]}"#, "steps[0].percent: 140: must be from 0 to 100"),
    (#"{"steps":[{"percent":10,"bake":"91d"}]}"#, "steps[0].bake: 91d: must be from 0s to 90d"),
    (#"{"steps":[{"percent":10,"bake":60}]}"#, #"steps[0].bake: 60: must be a duration such as "90s" or "1h30m""#),
    (#"{"steps":[{"percent":10,"weight":1}]}"#, "steps[0].weight: not known here: known are percent, bake, approval"),
    (#"{"steps":[{"percent":10}],"stpes":1}"#, "stpes: not known here: known are steps, warm_up, freshness, guard"),
    (
      #"{"steps":[{"percent":10}],"guard":{"windows":"5m"}}"#,
      "guard.windows: not known here: known are window, checks, on_inconclusive, on_breach, rollback_to, alerts"
    ),
    (
      #"{"steps":[{"percent":10}],"guard":{"alerts":["{cache=\"profile\"}"]}}"#,
      "guard.alerts: only the built-in measures are supported by this version, not alerts: "
        + "write `checks` with hit_ratio, error_ratio and circuit_breaker"
    ),
    (
      #"{"steps":[{"percent":10}],"guard":{"checks":[{"name":"latency"}]}}"#,
      "guard.checks[0].name: latency: only the built-in measures hit_ratio, error_ratio "
        + "and circuit_breaker are supported by this version: write one of them"
    ),
    (
      #"{"steps":[{"percent":10}],"guard":{"checks":[{"name":"hit_ratio","expr":"x"}]}}"#,
      "guard.checks[0].expr: only the built-in measures hit_ratio, error_ratio "
        + "and circuit_breaker are supported by this version: "
        + #"leave `expr` out and name one of them, such as {"name":"hit_ratio","success":">= 0.5"}"#
    ),
    (
      #"{"steps":[{"percent":10}],"guard":{"checks":[{"name":"hit_ratio","success":"= 1"}]}}"#,
      #"guard.checks[0].success: = 1: must be >, >=, < or <= and a number, such as ">= 0.5""#
    ),
    (
      #"{"steps":[{"percent":10}],"guard":{"checks":[{"name":"hit_ratio","success":"> 50"}]}}"#,
      "guard.checks[0].success: > 50: a ratio is from 0 to 1, so 50 % is 0.5"
    ),
    (
      #"{"steps":[{"percent":10}],"guard":{"checks":[{"name":"circuit_breaker","success":"> 0"}]}}"#,
      "guard.checks[0].success: circuit_breaker takes none: it is good while no breaker is open"
    ),
    (
      #"{"steps":[{"percent":10}],"guard":{"checks":[{"name":"hit_ratio"},{"name":"hit_ratio"}]}}"#,
      "guard.checks[1].name: hit_ratio: checked already: name each measure once"
    ),
    (
      #"{"steps":[{"percent":10}],"guard":{"on_breach":"ignore"}}"#,
      "guard.on_breach: ignore: must be one of rollback, hold"
    ),
    (#"{"steps":[{"percent":10}],"guard":{"window":"1s"}}"#, "guard.window: 1s: must be from 10s to 1d"),
  ])
  func faultNamesItsField(_ json: String, _ message: String) {
    #expect(fault { _ = try RolloutPlan(JSONValue(parsing: json)) } == message)
  }

  @Test func twentyStepsFitAndTwentyOneDoNot() throws {
    for (count, fits) in [(20, true), (21, false)] {
      let steps = (1...count).map { #"{"percent":\#($0)}"# }.joined(separator: ",")
      let json = try JSONValue(parsing: #"{"steps":[\#(steps)]}"#)
      #expect(((try? RolloutPlan(json)) != nil) == fits)
    }
  }
}
