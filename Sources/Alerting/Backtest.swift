// SPDX-License-Identifier: Apache-2.0

internal import PromQL
package import TimeSeries

// Rules over what was recorded: when each alert would have been pending, firing and resolved.

/// An evaluation of rules over a stretch of the past.
package struct Backtest {
  /// What happened to one alert.
  package struct Event: Sendable, Equatable {
    package let timeMs: Int64
    package let group: String
    package let change: Alert.Change
    package let alert: Alert
  }

  /// A rule that failed; the same failure in a row is told once.
  package struct Failure: Sendable, Equatable {
    package let timeMs: Int64
    package let group: String
    package let rule: String
    package let message: String
  }

  /// In the order of time.
  package private(set) var events: [Event] = []
  package private(set) var failures: [Failure] = []
  /// Alerts that are pending or firing at the end, by group, ascending by labels.
  package var active: [(group: String, alert: Alert)] {
    zip(groups, states).flatMap { group, state in
      state.rules.flatMap { $0.alerts.values.filter(\.isActive) }.sorted { $0.labels < $1.labels }.map { (group.name, $0) }
    }
  }

  private let groups: [RuleGroup]
  private var states: [GroupState]
  private let hidden: Set<String>
  private let intervalMs: Int64
  private var own = MemorySource()

  /// Most changes that are told.
  package static let eventsMax = 100_000

  /// - Parameter intervalMs: of groups that name none.
  package init(_ groups: [RuleGroup], intervalMs: Int64) {
    self.groups = groups
    self.intervalMs = intervalMs
    states = groups.map { GroupState($0) }
    // What the server recorded by its own rules is not what these rules would have recorded.
    hidden = Set(groups.flatMap { $0.rules }.filter { $0.alert == nil }.map(\.name)).union(["ALERTS", "ALERTS_FOR_STATE"])
  }

  /// How many evaluations of groups a stretch takes.
  package func evaluationCount(fromMs: Int64, throughMs: Int64) -> Int64 {
    groups.reduce(0) { $0 + (throughMs - fromMs) / interval(of: $1) + 1 }
  }

  private func interval(of group: RuleGroup) -> Int64 { group.intervalMs ?? intervalMs }

  /// Evaluates every group at `fromMs` and each of its intervals after it.
  ///
  /// - Parameter progress: told the time that has been reached; false ends it.
  package mutating func run<Source: SeriesSource>(
    over source: Source, fromMs: Int64, throughMs: Int64, _ terms: EvaluationTerms, progress: (Int64) -> Bool
  ) {
    var terms = terms
    terms.findsMissing = false
    var nextMs = groups.map { _ in fromMs }
    // Recorded series are read back as far as rules look.
    let memoryMs = groups.flatMap(\.rules).map { $0.expr.reachMs(lookbackMs: terms.engine.lookbackMs) }.max() ?? 0
    var droppedMs = fromMs
    while let timeMs = nextMs.min(), timeMs <= throughMs, events.count < Backtest.eventsMax, progress(timeMs) {
      for index in groups.indices where nextMs[index] == timeMs {
        nextMs[index] += interval(of: groups[index])
        evaluate(index, atMs: timeMs, over: source, terms)
      }
      if timeMs - droppedMs > 2 * memoryMs + 3_600_000 {
        own.removeSamples(beforeMs: timeMs - memoryMs - intervalMs)
        droppedMs = timeMs
      }
    }
  }

  private mutating func evaluate<Source: SeriesSource>(_ index: Int, atMs: Int64, over source: Source, _ terms: EvaluationTerms) {
    let group = groups[index]
    let before = states[index].rules.map(\.health)
    let outcome = GroupEvaluation<Source>.run(
      group, &states[index], atMs: atMs, over: source, own: &own, hidden: hidden, terms)
    events += outcome.changes.map { Event(timeMs: atMs, group: group.name, change: $0.change, alert: $0.alert) }
    for (rule, health) in zip(group.rules, zip(before, states[index].rules.map(\.health))) {
      guard case .failing(let message) = health.1, health.0 != health.1 else { continue }
      failures.append(Failure(timeMs: atMs, group: group.name, rule: rule.name, message: message))
    }
  }
}
