// SPDX-License-Identifier: Apache-2.0

package import PromQL
internal import Templates
package import TimeSeries

// One evaluation of a group: expressions over a source, alerts moved on, samples to be written. It reads no clock but the
// one it is given and writes nothing itself (Prometheus: rules/group.go, Group.Eval; rules/alerting.go, AlertingRule.Eval).

/// What evaluations of all groups have in common.
package struct EvaluationTerms: Sendable {
  package var externalLabels = Labels([])
  /// Where people find this server; for templates.
  package var externalURL = ""
  package var engine = EngineSettings()
  /// Of each query; asked for the limits of each rule, so that a deadline begins with it.
  package var limits: @Sendable () -> QueryLimits = { QueryLimits() }
  /// How far behind expressions look where their group does not say it.
  package var queryOffsetMs: Int64 = 0
  /// For how long rules take; in nanoseconds.
  package var clockNs: @Sendable () -> Int64 = { 0 }
  /// Most series that one rule may give; what gives more fails, as beyond its group's `limit`.
  package var seriesMax = 10_000
  /// Whether selectors without series are looked up.
  package var findsMissing = true

  package init() {}
}

/// A sample that a rule gives.
package struct RuleSample: Sendable, Equatable {
  package let labels: Labels
  package let timeMs: Int64
  /// A stale marker where the series has ended.
  package let value: Double

  package init(labels: Labels, timeMs: Int64, value: Double) {
    self.labels = labels
    self.timeMs = timeMs
    self.value = value
  }
}

/// What an evaluation did to one alert.
package struct AlertChange: Sendable, Equatable {
  /// Of the rule in its group.
  package let rule: Int
  /// As it is now.
  package let alert: Alert
  package let change: Alert.Change
}

/// What came of an evaluation.
package struct GroupOutcome: Sendable {
  /// In the order of the rules, stale markers included.
  package internal(set) var samples: [RuleSample] = []
  package internal(set) var changes: [AlertChange] = []
  /// Alerts that are remembered no longer, without a change: resolved for long, or cleared by a limit.
  package internal(set) var forgotten: [(rule: Int, labels: Labels)] = []

  package init() {}
}

/// Evaluates groups, one at a time.
package struct GroupEvaluation<Source: SeriesSource> {
  private let group: RuleGroup
  private let terms: EvaluationTerms
  private let atMs: Int64
  private let source: Source
  /// Metrics that are not read from the source, since the group makes them.
  private let hidden: Set<String>
  private var own: MemorySource
  private var outcome = GroupOutcome()

  /// How often selectors without series are looked up.
  private static var missingIntervalMs: Int64 { 60_000 }

  /// - Parameters:
  ///   - own: what earlier evaluations gave where the source does not have it.
  private init(_ group: RuleGroup, _ terms: EvaluationTerms, atMs: Int64, _ source: Source, own: MemorySource, hidden: Set<String>) {
    self.group = group
    self.terms = terms
    self.atMs = atMs
    self.source = source
    self.own = own
    self.hidden = hidden
  }

  /// Evaluates the rules one after the other; each sees what those before it gave.
  ///
  /// - Parameters:
  ///   - state: of the group; where a rule fails, its own stays as it is but for its health.
  ///   - atMs: the time of the evaluation.
  package static func run(
    _ group: RuleGroup, _ state: inout GroupState, atMs: Int64, over source: Source, _ terms: EvaluationTerms
  ) -> GroupOutcome {
    var own = MemorySource()
    return run(group, &state, atMs: atMs, over: source, own: &own, hidden: [], terms)
  }

  /// The same over a source that the samples are not written to.
  ///
  /// - Parameters:
  ///   - own: samples of earlier evaluations; those of this one are added.
  ///   - hidden: names of metrics that are not read from the source.
  package static func run(
    _ group: RuleGroup, _ state: inout GroupState, atMs: Int64, over source: Source, own: inout MemorySource,
    hidden: Set<String>, _ terms: EvaluationTerms
  ) -> GroupOutcome {
    let startNs = terms.clockNs()
    var evaluation = GroupEvaluation(group, terms, atMs: atMs, source, own: own, hidden: hidden)
    own = MemorySource()
    for index in group.rules.indices { evaluation.evaluate(index, &state.rules[index]) }
    own = evaluation.own
    state.evaluatedMs = atMs
    state.evaluationSeconds = Double(terms.clockNs() - startNs) / 1e9
    return evaluation.outcome
  }

  private var queryMs: Int64 { atMs - (group.queryOffsetMs ?? terms.queryOffsetMs) }

  private var engine: Engine<OverlaySource<Source>> {
    Engine(source: OverlaySource(base: source, own: own, hidden: hidden), settings: terms.engine, limits: terms.limits())
  }

  private mutating func evaluate(_ index: Int, _ state: inout RuleState) {
    let rule = group.rules[index]
    let startNs = terms.clockNs()
    do throws(RuleFault) {
      let vector = try vector(of: rule.expr, atMs: queryMs)
      let samples =
        if let alert = rule.alert {
          try alerts(rule, alert, vector, index: index, &state)
        } else {
          try recorded(rule, vector)
        }
      write(samples, &state)
      findMissing(rule, isNeeded: vector.isEmpty, &state)
      state.health = .ok
    } catch {
      state.health = .failing(error.message)
    }
    state.evaluatedMs = atMs
    state.evaluationSeconds = Double(terms.clockNs() - startNs) / 1e9
  }

  private func vector(of expr: Expr, atMs: Int64) throws(RuleFault) -> [InstantSample] {
    let value: QueryValue
    do throws(QueryError) {
      value = try engine.value(of: expr, atMs: atMs).value
    } catch {
      throw RuleFault(error.message)
    }
    switch value {
    case .vector(let samples): return samples
    case .scalar(let number, let timeMs): return [InstantSample(labels: Labels([]), timeMs: timeMs, value: number)]
    case .string, .matrix: throw RuleFault("rule result is not a vector or scalar")
    }
  }

  // MARK: Recording

  private func recorded(_ rule: Rule, _ vector: [InstantSample]) throws(RuleFault) -> [RuleSample] {
    try checkLimit(vector.count, "series")
    var seen: Set<Labels> = []
    var samples: [RuleSample] = []
    samples.reserveCapacity(vector.count)
    for sample in vector {
      let labels = sample.labels.setting([(Labels.metricLabel, rule.name)] + rule.labels.map { ($0.name, $0.text) })
      guard seen.insert(labels).inserted else {
        throw RuleFault("vector contains metrics with the same labelset after applying rule labels")
      }
      samples.append(RuleSample(labels: labels, timeMs: queryMs, value: sample.value))
    }
    return samples
  }

  private func checkLimit(_ count: Int, _ what: String) throws(RuleFault) {
    let limit = group.limit > 0 ? min(group.limit, terms.seriesMax) : terms.seriesMax
    guard count <= limit else { throw RuleFault("exceeded limit of \(limit) with \(count) \(what)") }
  }

  // MARK: Alerts

  private mutating func alerts(
    _ rule: Rule, _ alert: AlertTerms, _ vector: [InstantSample], index: Int, _ state: inout RuleState
  ) throws(RuleFault) -> [RuleSample] {
    let found = try holding(rule, alert, vector)
    var alerts = state.alerts
    // One for each alert: what fires at once was never pending to anybody.
    var changes: [Labels: AlertChange] = [:]
    var forgotten: [Labels] = []
    for (labels, now) in found {
      if let known = alerts[labels], known.isActive {
        alerts[labels]!.value = now.value
        alerts[labels]!.annotations = now.annotations
      } else {
        alerts[labels] = now
        changes[labels] = AlertChange(rule: index, alert: now, change: .pending)
      }
    }
    for labels in alerts.keys {
      if found[labels] != nil {
        if let change = alerts[labels]!.hold(alert, nowMs: atMs) {
          changes[labels] = AlertChange(rule: index, alert: alerts[labels]!, change: change)
        }
        continue
      }
      let before = alerts[labels]!.phase
      let (change, isOver) = alerts[labels]!.release(alert, nowMs: atMs)
      if let change { changes[labels] = AlertChange(rule: index, alert: alerts[labels]!, change: change) }
      if change == nil, !isOver, alerts[labels]!.phase != before {
        // It is kept firing from now on, which has to outlive a restart as well.
        changes[labels] = AlertChange(rule: index, alert: alerts[labels]!, change: .firing)
      }
      if isOver {
        alerts[labels] = nil
        if change == nil { forgotten.append(labels) }
      }
    }
    let active = alerts.values.filter(\.isActive)
    do throws(RuleFault) {
      try checkLimit(active.count, "alerts")
    } catch {
      // As in Prometheus nothing is left of a rule that gives too many.
      outcome.forgotten += state.alerts.keys.map { (index, $0) }
      state.alerts = [:]
      throw error
    }
    state.alerts = alerts
    outcome.changes += changes.values.sorted { $0.alert.labels < $1.alert.labels }
    outcome.forgotten += forgotten.map { (index, $0) }
    return active.sorted { $0.labels < $1.labels }.flatMap { alert in
      [
        RuleSample(labels: alert.sampleLabels, timeMs: queryMs, value: 1),
        RuleSample(labels: alert.activeSampleLabels, timeMs: queryMs, value: Double(alert.activeMs / 1000)),
      ]
    }
  }

  /// What the expression holds for, as alerts that begin now.
  private func holding(_ rule: Rule, _ alert: AlertTerms, _ vector: [InstantSample]) throws(RuleFault) -> [Labels: Alert] {
    // Before any template is expanded, so that a flood costs nothing.
    try checkLimit(vector.count, "alerts")
    var found: [Labels: Alert] = [:]
    if vector.isEmpty { return found }
    let ruleLabels = rule.labels.map { AlertText($0, rule) }, annotations = alert.annotations.map { AlertText($0, rule) }
    for sample in vector {
      let scope = scope(of: sample)
      let own = ruleLabels.map { ($0.name, $0.expanded(scope)) } + [(Alert.nameLabel, rule.name)]
      let labels = sample.labels.setting([(Labels.metricLabel, "")] + own)
      guard found[labels] == nil else {
        throw RuleFault("vector contains metrics with the same labelset after applying alert labels")
      }
      let notes = annotations.map { Annotation($0.name, $0.expanded(scope)) }
      found[labels] = Alert(labels: labels, annotations: notes, value: sample.value, activeMs: atMs)
    }
    return found
  }

  private func scope(of sample: InstantSample) -> TemplateScope {
    TemplateScope(
      labels: sample.labels, value: sample.value, externalLabels: terms.externalLabels, externalURL: terms.externalURL,
      nowMs: atMs
    ) { text in
      let vector = try vector(of: try Expr(parsing: text), atMs: atMs)
      return vector.map { (labels: $0.labels, value: $0.value) }
    }
  }

  // MARK: Writing

  private mutating func write(_ samples: [RuleSample], _ state: inout RuleState) {
    var ended = state.written
    state.written.removeAll(keepingCapacity: true)
    for sample in samples {
      own.append(sample.labels, timeMs: sample.timeMs, value: sample.value)
      ended.remove(sample.labels)
      state.written.insert(sample.labels)
    }
    outcome.samples += samples
    for labels in ended.sorted() {
      own.append(labels, timeMs: queryMs, value: StaleMarker.value)
      outcome.samples.append(RuleSample(labels: labels, timeMs: queryMs, value: StaleMarker.value))
    }
  }

  // MARK: Missing data

  private func findMissing(_ rule: Rule, isNeeded: Bool, _ state: inout RuleState) {
    guard terms.findsMissing else { return }
    guard isNeeded else {
      state.missing = []
      return
    }
    if let checkedMs = state.missingCheckedMs, atMs - checkedMs < Self.missingIntervalMs { return }
    state.missingCheckedMs = atMs
    let source = OverlaySource(base: source, own: own, hidden: hidden)
    state.missing = rule.expr.selectorsRead(lookbackMs: terms.engine.lookbackMs).filter { read in
      // What cannot be read is told by the evaluation itself.
      let found = try? source.series(matching: read.selector.matchers, fromMs: queryMs - read.backMs, throughMs: queryMs)
      return found?.isEmpty ?? false
    }.map { "\(Expr(.selector($0.selector), range: 0..<0))" }
  }
}

/// Why a rule could not be evaluated.
private struct RuleFault: Error {
  let message: String

  init(_ message: String) {
    self.message = message
  }
}

/// A label or an annotation of an alert, to be expanded for each of its samples.
private struct AlertText {
  let name: String
  private let template: Template

  init(_ text: RuleText, _ rule: Rule) {
    name = text.name
    guard let template = try? Template(text.text, alert: rule.name) else {
      preconditionFailure("the template of \(text.name) of \(rule.name) was read before")
    }
    self.template = template
  }

  /// What a template fails with is what people see (Prometheus: `<error expanding template: …>`).
  func expanded(_ scope: TemplateScope) -> String {
    do throws(TemplateError) {
      return try template.expand(scope)
    } catch {
      return "<error expanding template: \(error)>"
    }
  }
}
