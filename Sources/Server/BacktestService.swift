// SPDX-License-Identifier: Apache-2.0

internal import Alerting
internal import Flags
internal import JSON
internal import Platform
internal import PromQL
internal import Storage
internal import TimeSeries

// Rules over what the store holds, for the route and for the command that needs no server.

/// What is to be evaluated, and over which time.
struct BacktestRequest: Sendable {
  let file: RuleFile
  let fromMs: Int64
  let throughMs: Int64
  let intervalMs: Int64

  /// Without a beginning, the last day.
  private static let defaultSpanMs: Int64 = 86_400_000
  private static let defaultIntervalMs: Int64 = 60_000

  /// - Parameters:
  ///   - from, to: seconds since 1970 or RFC 3339; now where there is no `to`.
  ///   - interval: of groups that name none.
  init(_ yaml: [UInt8], file: String, from: String?, to: String?, interval: String?, nowMs: Int64) throws(RequestError) {
    do throws(RuleFileError) {
      self.file = try RuleFile(utf8: yaml, file: file)
    } catch {
      throw .badRequest("\(error)")
    }
    let throughMs = try RequestTime.ms(to, parameter: "to") ?? nowMs
    self.throughMs = throughMs
    fromMs = try RequestTime.ms(from, parameter: "from") ?? throughMs - BacktestRequest.defaultSpanMs
    intervalMs = try interval.map { (text) throws(RequestError) in
      guard let ms = Flags.DurationText.milliseconds(text), ms >= 1_000 else {
        throw .badRequest("interval: \(text.prefix(40)): must be a duration of at least 1s, such as 1m")
      }
      return ms
    } ?? BacktestRequest.defaultIntervalMs
    guard fromMs <= throughMs else { throw .badRequest("from: must not be after to") }
  }
}

struct BacktestService: Sendable {
  static let bodyBytesMax = RuleFile.bytesMax
  /// Of groups; a month of one group every 15 s has 172,800.
  private static let evaluationsMax: Int64 = 1_000_000
  private static let queryTimeoutMs: Int64 = 10_000

  let store: Store
  let resolutionMs: Int64
  /// As the rules of the server see it.
  let externalURL: String

  /// - Parameter isWanted: asked before each evaluation; false ends it.
  /// - Returns: `{"from","to","interval","events":[…],"active":[…],"failures":[…]}`.
  func run(_ request: BacktestRequest, while isWanted: () -> Bool) throws -> [UInt8] {
    var backtest = Backtest(request.file.groups, intervalMs: request.intervalMs)
    let count = backtest.evaluationCount(fromMs: request.fromMs, throughMs: request.throughMs)
    guard count <= BacktestService.evaluationsMax else {
      throw RequestError.badRequest(
        "from, to: \(count) evaluations of groups: at most \(BacktestService.evaluationsMax): choose a shorter time or a longer interval")
    }
    var terms = EvaluationTerms()
    terms.externalURL = externalURL
    terms.engine.subqueryStepMs = request.intervalMs
    terms.limits = { .within(BacktestService.queryTimeoutMs) }
    try store.reading("backtest") { snapshot in
      let source = StoreSource(snapshot, asOfMs: Clock.wallMs(), widthMs: resolutionMs)
      backtest.run(over: source, fromMs: request.fromMs, throughMs: request.throughMs, terms) { _ in isWanted() }
    }
    return document(of: backtest, request)
  }

  private func document(of backtest: Backtest, _ request: BacktestRequest) -> [UInt8] {
    var writer = JSONWriter(capacity: 1 << 14)
    writer.beginObject()
    writer.member("from", TimestampText.rfc3339(milliseconds: request.fromMs))
    writer.member("to", TimestampText.rfc3339(milliseconds: request.throughMs))
    writer.member("interval", Flags.DurationText.text(milliseconds: request.intervalMs))
    writer.key("events")
    writer.beginArray()
    for event in backtest.events {
      writer.beginObject()
      writer.member("time", TimestampText.rfc3339(milliseconds: event.timeMs))
      writer.member("group", event.group)
      writer.member("change", event.change.rawValue)
      writer.key("alert")
      RuleRoutes.write(event.alert, silencedBy: [], to: &writer)
      writer.endObject()
    }
    writer.endArray()
    writer.key("active")
    writer.beginArray()
    for (group, alert) in backtest.active {
      writer.beginObject()
      writer.member("group", group)
      writer.key("alert")
      RuleRoutes.write(alert, silencedBy: [], to: &writer)
      writer.endObject()
    }
    writer.endArray()
    writer.key("failures")
    writer.beginArray()
    for failure in backtest.failures {
      writer.beginObject()
      writer.member("time", TimestampText.rfc3339(milliseconds: failure.timeMs))
      writer.member("group", failure.group)
      writer.member("rule", failure.rule)
      writer.member("error", failure.message)
      writer.endObject()
    }
    writer.endArray()
    writer.member("complete", backtest.events.count < Backtest.eventsMax)
    writer.endObject()
    return writer.bytes
  }
}
