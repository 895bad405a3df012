// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import JSON
internal import Platform
internal import PromQL
internal import TimeSeries

// Prometheus' HTTP API over the store, answer for answer as Prometheus gives it, so that Grafana's Prometheus data
// source and promtool work unmodified. https://prometheus.io/docs/prometheus/latest/querying/api/

struct QueryRoutes: Sendable {
  /// Of a form; a query of Grafana has some kilobytes.
  private static let bodyBytesMax = 1 << 20
  /// The API's own version, for clients that choose by it; ours is the revision.
  private static let apiVersion = "3.14.0"

  let queries: QueryService
  let metrics: MetricsPage
  /// Queries run here and nowhere else: a heavy one delays only others of its kind.
  let worker: Worker

  private var evaluation: QueryEvaluation { QueryEvaluation(queries: queries) }

  func add(to router: inout Router) {
    add("/api/v1/query", to: &router) { parameters, token in
      try evaluation.instant(parameters) { token.isAbandoned }
    }
    add("/api/v1/query_range", to: &router) { parameters, token in
      try evaluation.range(parameters) { token.isAbandoned }
    }
    add("/api/v1/format_query", to: &router) { parameters, _ in
      let text = try Expr(parsing: parameters.text("query") ?? "").prettified
      return PrometheusAnswer.success { $0.string(text) }
    }
    add("/api/v1/series", to: &router) { parameters, _ in try series(parameters) }
    add("/api/v1/labels", to: &router) { parameters, _ in try labelNames(parameters) }
    add("/api/v1/query_exemplars", to: &router) { parameters, token in
      try exemplars(parameters, token)
    }
    router.get("/api/v1/label/:name/values") { exchange in
      let name = exchange.parameter(0)
      answer(exchange) { parameters, _ in try labelValues(name, parameters) }
    }
    router.get("/api/v1/metadata") { exchange in answer(exchange) { parameters, _ in try metadata(parameters) } }
    router.get("/federate") { exchange in answer(exchange) { try federate($0, $1) } }
    addConstants(to: &router)
  }

  private func addConstants(to router: inout Router) {
    let build = PreparedResponse(
      PrometheusAnswer.success { writer in
        writer.beginObject()
        writer.member("version", QueryRoutes.apiVersion)
        writer.member("revision", "rampart \(BuildInformation.version)")
        writer.member("branch", "")
        writer.member("buildUser", "")
        writer.member("buildDate", "")
        writer.member("goVersion", "")
        // No `features`: Grafana would take the server for Mimir.
        writer.endObject()
      })
    router.get("/api/v1/status/buildinfo") { $0.respond(build) }
  }

  private typealias Answer = @Sendable (PrometheusParameters, SuspendedExchange) throws -> Response

  private func add(_ path: String, to router: inout Router, _ work: @escaping Answer) {
    router.get(path) { answer($0, work) }
    router.add(.post, path, body: .buffered(bytesMax: QueryRoutes.bodyBytesMax)) { answer($0, work) }
  }

  private func answer(_ exchange: Exchange, _ work: @escaping Answer) {
    exchange.answerPrometheus(on: worker) { parameters, token in
      // Whoever went away while the query waited wants no answer.
      token.isAbandoned ? nil : try work(parameters, token)
    }
  }

  // MARK: Queries

  private func exemplars(_ parameters: PrometheusParameters, _ token: SuspendedExchange) throws -> Response {
    let fromMs = try parameters.timeMs("start") ?? 0
    let throughMs = try parameters.timeMs("end") ?? .max / 4
    guard throughMs >= fromMs else {
      throw PrometheusError.invalidParameter("end", "end timestamp must not be before start timestamp")
    }
    let expr = try Expr(parsing: parameters.text("query") ?? "")
    let terms = try evaluation.terms(parameters) { token.isAbandoned }
    return PrometheusAnswer.exemplars(try queries.exemplars(of: expr, fromMs: fromMs, throughMs: throughMs, terms))
  }

  // MARK: Series and labels

  private func range(_ parameters: PrometheusParameters) throws -> (fromMs: Int64, throughMs: Int64) {
    (try parameters.timeMs("start") ?? 0, try parameters.timeMs("end") ?? .max / 4)
  }

  private func series(_ parameters: PrometheusParameters) throws -> Response {
    guard !parameters.all("match[]").isEmpty else { throw PrometheusError(.badData, "no match[] parameter provided") }
    let limit = try parameters.limit()
    let range = try range(parameters)
    let found = try queries.labels(
      matchingAny: try parameters.selections(), fromMs: range.fromMs, throughMs: range.throughMs)
    let capacity = min(found.count, limit ?? .max) * 160
    return PrometheusAnswer.success(warnings: QueryRoutes.warnings(found.count, limit), capacity: capacity) { writer in
      writer.beginArray()
      for labels in found.prefix(limit ?? .max) { PrometheusAnswer.object(labels, to: &writer) }
      writer.endArray()
    }
  }

  private func labelNames(_ parameters: PrometheusParameters) throws -> Response {
    try texts(nil, parameters)
  }

  private func labelValues(_ name: String, _ parameters: PrometheusParameters) throws -> Response {
    guard !name.isEmpty else { throw PrometheusError(.badData, "invalid label name: \"\(name.prefix(80))\"") }
    return try texts(name, parameters)
  }

  private func texts(_ name: String?, _ parameters: PrometheusParameters) throws -> Response {
    let limit = try parameters.limit()
    let range = try range(parameters)
    let texts = try queries.labelTexts(
      name, matchingAny: try parameters.selections(), fromMs: range.fromMs, throughMs: range.throughMs)
    let sorted = texts.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    return PrometheusAnswer.strings(
      Array(sorted.prefix(limit ?? .max)), warnings: QueryRoutes.warnings(sorted.count, limit))
  }

  private static func warnings(_ count: Int, _ limit: Int?) -> [String] {
    count > limit ?? .max ? ["results truncated due to limit"] : []
  }

  private func metadata(_ parameters: PrometheusParameters) throws -> Response {
    let limit = try parameters.limit()
    let metric = parameters.text("metric")
    let families = metrics.families(nowMs: Clock.wallMs()).filter { metric == nil || $0.name == metric }
      .sorted { $0.name < $1.name }
    return PrometheusAnswer.success { writer in
      writer.beginObject()
      for family in families.prefix(limit ?? .max) {
        writer.key(family.name)
        writer.beginArray()
        writer.beginObject()
        writer.member("type", family.type.rawValue)
        writer.member("help", family.help)
        writer.member("unit", "")
        writer.endObject()
        writer.endArray()
      }
      writer.endObject()
    }
  }

  /// The newest sample of each series, in the text format with times. https://prometheus.io/docs/prometheus/latest/federation/
  private func federate(_ parameters: PrometheusParameters, _ token: SuspendedExchange) throws -> Response {
    let nowMs = Clock.wallMs()
    let terms = try evaluation.terms(parameters) { token.isAbandoned }
    var samples: [Labels: InstantSample] = [:]
    for text in parameters.all("match[]") {
      _ = try VectorSelector(parsing: text)
      guard case .vector(let found) = try queries.value(of: try Expr(parsing: text), atMs: nowMs, terms).value else { continue }
      for sample in found { samples[sample.labels] = sample }
    }
    var text = ""
    var name = ""
    for sample in samples.values.sorted(by: { $0.labels < $1.labels }) {
      if sample.labels.metricName != name {
        name = sample.labels.metricName
        text += "# TYPE \(name) untyped\n"
      }
      text += "\(sample.labels) \(Exposition.number(sample.value)) \(sample.timeMs)\n"
    }
    return Response(contentType: Exposition.Format.text.contentType, body: Array(text.utf8))
  }
}
