// SPDX-License-Identifier: Apache-2.0

import Alerting
import PromQL
import Testing
import TimeSeries

@Test func aBacktestTellsWhenEachAlertWouldHaveBeen() throws {
  var source = MemorySource()
  source.append(try SeriesNotation("value 1 5 5 5 1 1"), fromMs: 0, stepMs: 60_000)
  // What the server recorded by its own rules is not what these would have recorded.
  source.append(try SeriesNotation("level 0x5"), fromMs: 0, stepMs: 60_000)
  let rules = "groups: [{name: g, rules: [{record: level, expr: value}, {alert: High, expr: 'level > 3', for: 1m}]}]"
  var backtest = Backtest(try RuleFile(rules, file: "f.yml").groups, intervalMs: 60_000)
  #expect(backtest.evaluationCount(fromMs: 0, throughMs: 300_000) == 6)
  backtest.run(over: source, fromMs: 0, throughMs: 300_000, EvaluationTerms()) { _ in true }
  #expect(backtest.events.map { "\($0.timeMs / 60_000) \($0.change.rawValue)" } == ["1 pending", "2 firing", "4 resolved"])
  #expect(backtest.active.isEmpty && backtest.failures.isEmpty)
}

@Test func aBacktestTellsAFailureOnce() throws {
  var source = MemorySource()
  for labels in ["{x=\"1\"}", "{x=\"2\"}"] {
    source.append(try SeriesNotation("value\(labels) 1x10"), fromMs: 0, stepMs: 60_000)
  }
  let rules = "groups: [{name: g, rules: [{alert: A, expr: 'value + on() value'}]}]"
  var backtest = Backtest(try RuleFile(rules, file: "f.yml").groups, intervalMs: 60_000)
  backtest.run(over: source, fromMs: 0, throughMs: 600_000, EvaluationTerms()) { _ in true }
  #expect(backtest.failures.count == 1)
}

@Test func aBacktestEndsWhenNobodyWantsIt() throws {
  let rules = "groups: [{name: g, rules: [{alert: A, expr: '1'}]}]"
  var backtest = Backtest(try RuleFile(rules, file: "f.yml").groups, intervalMs: 60_000)
  var turns = 0
  backtest.run(over: MemorySource(), fromMs: 0, throughMs: .max / 4, EvaluationTerms()) { _ in
    turns += 1
    return turns <= 3
  }
  #expect(turns == 4)
  #expect(backtest.active.map { "\($0.group) \($0.alert.stateName)" } == ["g firing"])
}
