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
        "freshness":"2m","propagation":{"share":0.9},\
        "guard":{"window":"5m","alerts":[],"checks":[{"name":"hit_ratio","success":">= 0.5","min_samples":100},\
        {"name":"error_ratio","success":"<= 0.01","min_samples":50},{"name":"circuit_breaker"},\
        {"name":"failure_ratio","success":"< 0.005","min_samples":100},{"name":"exposure","success":"<= 0.05","min_samples":100}],\
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
      "freshness":"1m","propagation":{"share":0.5,"timeout":"1m"},\
      "windows":[{"days":["mon","fri"],"from":"09:00","to":"17:30"},{"days":["sat"],"from":"22:00","to":"24:00"}],\
      "timezone":"Europe/Berlin","guard":{"window":"10m","interval":"30s",\
      "alerts":["{cache=\\\"profile\\\"}",{"match":"{severity=\\\"critical\\\"}","action":"kill"}],\
      "checks":[{"name":"error_ratio","success":"< 0.05","min_samples":1},\
      {"name":"p95","expr":"x","samples":"y","success":"< 0.005","min_samples":1000,"kind":"hit_ratio"},\
      {"name":"raw","expr":"z","success":"!= -3"}],\
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
    (#"{"steps":[{"percent":10}],"stpes":1}"#, "stpes: not known here: known are steps, warm_up, freshness, propagation, windows, timezone, guard"),
    (
      #"{"steps":[{"percent":10}],"guard":{"windows":"5m"}}"#,
      "guard.windows: not known here: known are window, interval, alerts, checks, on_inconclusive, on_breach, rollback_to"
    ),
    (#"{"steps":[{"percent":10}],"guard":{"alerts":[7]}}"#, "guard.alerts[0]: 7: must be an object"),
    (
      #"{"steps":[{"percent":10}],"guard":{"alerts":[{"match":"{}","action":"page"}]}}"#,
      "guard.alerts[0].action: page: must be one of hold, rollback, kill, observe"
    ),
    (
      #"{"steps":[{"percent":10}],"guard":{"checks":[{"name":"latency"}]}}"#,
      "guard.checks[0].name: latency: no built-in measure (hit_ratio, error_ratio, circuit_breaker, failure_ratio, exposure): "
        + "give it an `expr` in PromQL and a `success`"
    ),
    (
      #"{"steps":[{"percent":10}],"guard":{"checks":[{"name":"p95","expr":"x"}]}}"#,
      #"guard.checks[0].success: missing: a comparison and a number, such as "> 0.7""#
    ),
    (
      #"{"steps":[{"percent":10}],"guard":{"checks":[{"name":"p95","expr":"x","success":"> 1","min_samples":5}]}}"#,
      "guard.checks[0].samples: missing: min_samples needs PromQL that says how many samples there are"
    ),
    (
      #"{"steps":[{"percent":10}],"guard":{"checks":[{"name":"hit_ratio","samples":"x"}]}}"#,
      "guard.checks[0].samples: only for a check with an `expr`"
    ),
    (#"{"steps":[{"percent":10}],"windows":[{"days":["monday"]}]}"#,
      #"windows[0].days[0]: "monday": must be one of mon, tue, wed, thu, fri, sat, sun"#),
    (#"{"steps":[{"percent":10}],"windows":[{"from":"9:00"}]}"#, #"windows[0].from: 9:00: must be a time such as "09:00""#),
    (
      #"{"steps":[{"percent":10}],"windows":[{"from":"09:00","to":"09:00"}]}"#,
      #"windows[0]: from and to must be two different times, such as "09:00" and "17:00""#
    ),
    (#"{"steps":[{"percent":10}],"propagation":{"share":90}}"#, "propagation.share: 90: must be from 0 to 1, so 90 % is 0.9"),
    (
      #"{"steps":[{"percent":1,"bake":"90d"},{"percent":2,"bake":"90d"},{"percent":3,"bake":"90d"},{"percent":4,"bake":"90d"},"#
        + #"{"percent":5,"bake":"6d"}]}"#,
      "steps: 366d: the bakes add up to more than 365d: such a ramp hardly ends"
    ),
    (
      #"{"steps":[{"percent":10}],"guard":{"checks":[{"name":"hit_ratio","success":"= 1"}]}}"#,
      #"guard.checks[0].success: = 1: must be >, >=, <, <=, == or != and a number, such as ">= 0.5""#
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
      "guard.checks[1].name: hit_ratio: checked already: a name is used once"
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

  /// 1970-01-01 was a Thursday.
  @Test(arguments: [
    (#"[{"days":["thu"],"from":"09:00","to":"17:00"}]"#, 0, 9 * 60), (#"[{"days":["thu"],"from":"09:00","to":"17:00"}]"#, 9 * 60, 0),
    (#"[{"days":["thu"],"from":"09:00","to":"17:00"}]"#, 17 * 60 - 1, 0),
    (#"[{"days":["thu"],"from":"09:00","to":"17:00"}]"#, 17 * 60, 7 * 1440 - 8 * 60),
    (#"[{"days":["wed"],"from":"22:00","to":"06:00"}]"#, 5 * 60, 0), (#"[{"days":["wed"],"from":"22:00","to":"06:00"}]"#, 6 * 60, 6 * 1440 + 960),
    (#"[{"days":["sun"],"from":"22:00","to":"06:00"}]"#, 4 * 1440 + 60, 0),
    (#"[{"days":["mon"]},{"days":["sat"]}]"#, 0, 2 * 1440), (#"[{"days":["mon"]},{"days":["sat"]}]"#, 3 * 1440, 1440),
    (#"[{}]"#, 12_345, 0), (#"[{"from":"12:00"}]"#, -1440, 720),
  ])
  func windowOpensIn(_ windows: String, _ minute: Int, _ wait: Int) throws {
    let plan = try RolloutPlan(JSONValue(parsing: #"{"steps":[{"percent":10}],"windows":\#(windows)}"#))
    #expect(plan.msUntilOpen(localMs: Int64(minute) * 60_000) == Int64(wait) * 60_000)
    if wait > 0 { #expect(plan.msUntilOpen(localMs: Int64(minute) * 60_000 + 1) == Int64(wait) * 60_000 - 1) }
  }

  @Test func instancesAreWaitedForAsLongAsABake() throws {
    let plan = try RolloutPlan(JSONValue(parsing: #"{"steps":[{"percent":1,"bake":"5s"},{"percent":2,"bake":"1m"},{"percent":3,"bake":"1h"}]}"#))
    #expect((0..<3).map { plan.propagationTimeoutMs(step: $0) } == [10_000, 60_000, 300_000])
  }

  @Test func evaluationsAreATwentiethOfTheBake() throws {
    let plan = try RolloutPlan(JSONValue(parsing: #"{"steps":[{"percent":1,"bake":"5s"},{"percent":2,"bake":"1m"},{"percent":3}]}"#))
    #expect((0..<3).map { plan.intervalMs(step: $0) } == [1_000, 3_000, 1_000])
    let long = try RolloutPlan(JSONValue(parsing: #"{"steps":[{"percent":1,"bake":"1h"},{"percent":2}]}"#))
    #expect(long.intervalMs(step: 0) == 60_000)
  }

  /// GrowthBook's gbstats gives these.
  @Test(arguments: [(10.0, 1.100095), (15, 0.877813), (30, 0.612573), (60, 0.436295)])
  func confidenceSequenceIsAsWideAsPublished(_ evaluations: Double, _ width: Double) {
    #expect(abs(ArmComparison.halfWidth(variance: 1, evaluations: evaluations, alpha: 0.01, tuning: 30) - width) < 1e-6)
  }
}
