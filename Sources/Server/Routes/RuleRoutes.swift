// SPDX-License-Identifier: Apache-2.0

internal import Alerting
internal import Flags
internal import HTTP
internal import JSON
internal import Notification
internal import Platform
internal import PromQL
internal import TimeSeries

// `GET /api/v1/rules` and `GET /api/v1/alerts` as Prometheus answers them, with what is missing beside it; and rules over
// the past. https://prometheus.io/docs/prometheus/latest/querying/api/#rules

struct RuleRoutes: Sendable {
  let rules: RuleService
  let notifier: Notifier
  let backtests: BacktestService
  /// Answers lists, which may be long.
  let worker: Worker
  /// Runs backtests, one at a time.
  let backtestWorker: Worker

  func add(to router: inout Router) {
    router.get("/api/v1/rules") { $0.answerPrometheus(on: worker) { parameters, _ in try list(parameters) } }
    router.get("/api/v1/alerts") { $0.answerPrometheus(on: worker) { _, _ in alerts() } }
    router.add(.post, "/api/v1/rules/backtest", body: .buffered(bytesMax: BacktestService.bodyBytesMax)) { backtest($0) }
  }

  // MARK: Rules

  private func list(_ parameters: PrometheusParameters) throws -> Response {
    let filter = try RuleFilter(parameters)
    let views = rules.views
    let silences = notifier.silences(atMs: Clock.wallMs())
    let (groups, next) = try filter.page(of: views)
    return PrometheusAnswer.success(capacity: 1 << 14) { writer in
      writer.beginObject()
      writer.key("groups")
      writer.beginArray()
      for view in groups { write(view, filter, silences, to: &writer) }
      writer.endArray()
      if let next { writer.member("groupNextToken", next) }
      writer.endObject()
    }
  }

  private func write(_ view: RuleService.View, _ filter: RuleFilter, _ silences: SilenceSet, to writer: inout JSONWriter) {
    let shown = zip(view.group.rules, view.state.rules).filter { filter.shows($0.0) }
    guard !shown.isEmpty || !filter.isSelective else { return }
    writer.beginObject()
    writer.member("name", view.group.name)
    writer.member("file", view.group.file)
    writer.key("rules")
    writer.beginArray()
    for (rule, state) in shown { write(rule, state, filter, silences, to: &writer) }
    writer.endArray()
    writer.member("interval", Double(view.intervalMs) / 1000)
    writer.member("limit", view.group.limit)
    writer.member("evaluationTime", view.state.evaluationSeconds)
    writer.member("lastEvaluation", RuleRoutes.time(view.state.evaluatedMs))
    writer.endObject()
  }

  private func write(
    _ rule: Rule, _ state: RuleState, _ filter: RuleFilter, _ silences: SilenceSet, to writer: inout JSONWriter
  ) {
    writer.beginObject()
    if rule.alert != nil { writer.member("state", state.stateName) }
    writer.member("name", rule.name)
    writer.member("query", "\(rule.expr)")
    if let alert = rule.alert {
      writer.member("duration", Double(alert.holdMs) / 1000)
      writer.member("keepFiringFor", Double(alert.keepFiringMs) / 1000)
    }
    if rule.alert != nil || !rule.labels.isEmpty { RuleRoutes.object("labels", rule.labels.map { ($0.name, $0.text) }, to: &writer) }
    if let alert = rule.alert {
      RuleRoutes.object("annotations", alert.annotations.map { ($0.name, $0.text) }, to: &writer)
      writer.key("alerts")
      writer.beginArray()
      for alert in filter.excludesAlerts ? [] : state.activeAlerts {
        RuleRoutes.write(alert, silencedBy: silences.ids(matching: alert.labels), to: &writer)
      }
      writer.endArray()
    }
    writer.member("health", state.health.name)
    if case .failing(let reason) = state.health { writer.member("lastError", reason) }
    if !state.missing.isEmpty {
      writer.key("missing")
      writer.beginArray()
      for selector in state.missing { writer.string(selector) }
      writer.endArray()
    }
    writer.member("evaluationTime", state.evaluationSeconds)
    writer.member("lastEvaluation", RuleRoutes.time(state.evaluatedMs))
    writer.member("type", rule.alert == nil ? "recording" : "alerting")
    writer.endObject()
  }

  private func alerts() -> Response {
    let views = rules.views
    let silences = notifier.silences(atMs: Clock.wallMs())
    return PrometheusAnswer.success(capacity: 1 << 14) { writer in
      writer.beginObject()
      writer.key("alerts")
      writer.beginArray()
      for alert in views.flatMap(\.state.rules).flatMap(\.activeAlerts) {
        RuleRoutes.write(alert, silencedBy: silences.ids(matching: alert.labels), to: &writer)
      }
      writer.endArray()
      writer.endObject()
    }
  }

  /// - Parameter silencedBy: ids of the silences that hold it back; Prometheus has no such member, so none is written for none.
  static func write(_ alert: Alert, silencedBy: [String], to writer: inout JSONWriter) {
    writer.beginObject()
    object("labels", alert.labels.all.map { ($0.name, $0.value) }, to: &writer)
    object("annotations", alert.annotations.map { ($0.name, $0.value) }, to: &writer)
    writer.member("state", alert.stateName)
    writer.member("activeAt", time(alert.activeMs))
    if case .firing(_, let keptSinceMs?) = alert.phase { writer.member("keepFiringSince", time(keptSinceMs)) }
    writer.member("value", GeneralNumber.scientific(alert.value))
    if !silencedBy.isEmpty {
      writer.key("silencedBy")
      writer.beginArray()
      for id in silencedBy { writer.string(id) }
      writer.endArray()
    }
    writer.endObject()
  }

  private static func object(_ key: StaticString, _ pairs: [(String, String)], to writer: inout JSONWriter) {
    writer.key(key)
    writer.beginObject()
    for (name, value) in pairs {
      writer.key(name)
      writer.string(value)
    }
    writer.endObject()
  }

  /// Go's zero time where there is none.
  private static func time(_ timeMs: Int64?) -> String {
    timeMs.map { TimestampText.rfc3339(milliseconds: $0) } ?? "0001-01-01T00:00:00Z"
  }

  // MARK: Backtest

  private func backtest(_ exchange: Exchange) {
    let file = exchange.query("file") ?? "rules.yml"
    let from = exchange.query("from"), to = exchange.query("to"), interval = exchange.query("interval")
    let body = exchange.takeBody()
    let busy = RequestError.unavailable("another backtest is running: try again when it has ended")
    exchange.answer(on: backtestWorker, busy: busy, failure: { Answers.error($0) }) { token in
      let request = try BacktestRequest(body, file: file, from: from, to: to, interval: interval, nowMs: Clock.wallMs())
      return Answers.json(try backtests.run(request) { !token.isAbandoned })
    }
  }
}

/// What of the rules is asked for.
private struct RuleFilter {
  private let type: String?
  private let names: Set<String>
  private let groups: Set<String>
  private let files: Set<String>
  private let selections: [[Matcher]]
  let excludesAlerts: Bool
  private let groupLimit: Int?
  private let nextToken: String?

  init(_ parameters: PrometheusParameters) throws(PrometheusError) {
    type = parameters.text("type")
    guard type == nil || type == "alert" || type == "record" else {
      throw .invalidParameter("type", "not supported value \"\(type?.prefix(40) ?? "")\"")
    }
    names = Set(parameters.all("rule_name[]"))
    groups = Set(parameters.all("rule_group[]"))
    files = Set(parameters.all("file[]"))
    selections = try parameters.selections()
    let excludes = parameters.text("exclude_alerts") ?? "false"
    guard let excludesAlerts = ["true": true, "1": true, "false": false, "0": false][excludes] else {
      throw .invalidParameter("exclude_alerts", "converting exclude_alerts: \"\(excludes.prefix(40))\" is not a boolean")
    }
    self.excludesAlerts = excludesAlerts
    groupLimit = try parameters.limit("group_limit")
    nextToken = parameters.text("group_next_token")
    guard nextToken == nil || groupLimit != nil else {
      throw .invalidParameter("group_limit", "group_limit needs to be present in order to paginate over the groups")
    }
  }

  /// Whether groups of which no rule is left are left out.
  var isSelective: Bool { type != nil || !names.isEmpty || !selections.isEmpty }

  func shows(_ rule: Rule) -> Bool {
    if let type, (type == "alert") != (rule.alert != nil) { return false }
    if !names.isEmpty, !names.contains(rule.name) { return false }
    // By the labels as they are written, as Prometheus does.
    return selections.isEmpty
      || selections.contains { matchers in
        matchers.allSatisfy { matcher in matcher.matches(rule.labels.first { $0.name == matcher.name }?.text ?? "") }
      }
  }

  /// The groups asked for, and the token of the next page.
  func page(of views: [RuleService.View]) throws(PrometheusError) -> (groups: [RuleService.View], next: String?) {
    let wanted = views.filter {
      (groups.isEmpty || groups.contains($0.group.name)) && (files.isEmpty || files.contains($0.group.file))
    }
    guard let groupLimit else { return (wanted, nil) }
    var rest = wanted[...]
    if let nextToken {
      guard let start = wanted.firstIndex(where: { RuleFilter.token($0) == nextToken }) else {
        throw .invalidParameter("group_next_token", "invalid group_next_token. were rule groups changed?")
      }
      rest = wanted[start...]
    }
    return (Array(rest.prefix(groupLimit)), rest.dropFirst(groupLimit).first.map(RuleFilter.token))
  }

  private static func token(_ view: RuleService.View) -> String { "\(view.group.file);\(view.group.name)" }
}

extension RuleState {
  /// The most advanced of its alerts.
  var stateName: String {
    if health == .unknown, alerts.isEmpty { return "unknown" }
    let names = Set(alerts.values.map(\.stateName))
    return ["firing", "pending"].first { names.contains($0) } ?? "inactive"
  }

  /// Ascending by labels.
  var activeAlerts: [Alert] { alerts.values.filter(\.isActive).sorted { $0.labels < $1.labels } }
}

extension RuleState.Health {
  fileprivate var name: String {
    switch self {
    case .unknown: "unknown"
    case .ok: "ok"
    case .failing: "err"
    }
  }
}
