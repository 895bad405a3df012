// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import HTTP
internal import JSON
internal import Notification
internal import Platform
internal import TimeSeries

// Silences in Alertmanager's shape, and acknowledgements of alerts.

struct SilenceRoutes: Sendable {
  private static let path = "/api/v1/silences"
  private static let bodyBytesMax = 1 << 20
  private static let reasonBytesMax = 1_000
  private static let members = ["id", "matchers", "startsAt", "endsAt", "createdBy", "comment", "status", "updatedAt", "kind"]

  let silences: SilenceService
  let rules: RuleService
  let administration: Worker

  func add(to router: inout Router) {
    let body = BodyPolicy.buffered(bytesMax: SilenceRoutes.bodyBytesMax)
    router.get(SilenceRoutes.path) { exchange in
      let nowMs = Clock.wallMs()
      let list = JSONValue.array(silences.list(nowMs: nowMs).map { $0.json(atMs: nowMs) })
      exchange.respond(Answers.json(Array(list.text.utf8)))
    }
    router.get(SilenceRoutes.path + "/:id") { exchange in
      let nowMs = Clock.wallMs()
      do throws(RequestError) {
        let silence = try silences.silence(exchange.parameter(0), nowMs: nowMs)
        exchange.respond(Answers.json(Array(silence.json(atMs: nowMs).text.utf8)))
      } catch {
        exchange.respond(Answers.error(error))
      }
    }
    router.add(.post, SilenceRoutes.path, body: body) { exchange in
      change(exchange) { (exchange) throws(RequestError) in try exchange.takeJSONObject(SilenceRoutes.members) } _: { document, nowMs in
        SilenceRoutes.made(try silences.post(document, nowMs: nowMs))
      }
    }
    router.add(.delete, SilenceRoutes.path + "/:id", body: body) { exchange in
      let id = exchange.parameter(0)
      let reason = String((exchange.header("X-Reason") ?? "").prefix(SilenceRoutes.reasonBytesMax))
      change(exchange) { (_) throws(RequestError) in } _: { _, nowMs in
        try silences.expire(id, reason: reason, nowMs: nowMs)
        return Response(status: 204)
      }
    }
    router.add(.post, "/api/v1/alerts/acknowledge", body: body) { exchange in
      change(exchange) { (exchange) throws(RequestError) in try Acknowledgement(exchange, nowMs: Clock.wallMs()) } _: { asked, nowMs in
        guard rules.hasActiveAlert(asked.labels) else {
          throw RequestError.notFound("labels: no alert with exactly these is pending or firing: see /api/v1/alerts")
        }
        return SilenceRoutes.made(
          try silences.acknowledge(
            asked.labels, by: asked.author, comment: asked.comment, endsMs: asked.endsMs, nowMs: nowMs))
      }
    }
  }

  /// As Alertmanager answers.
  private static func made(_ silence: Silence) -> Response {
    Answers.json(Array(JSONValue.object([JSONMember(name: "silenceID", value: .string(silence.id))]).text.utf8))
  }

  /// Reads what is asked for, and does it on the administration worker.
  private func change<Asked: Sendable>(
    _ exchange: Exchange, _ read: (Exchange) throws(RequestError) -> Asked,
    _ work: @escaping @Sendable (Asked, _ nowMs: Int64) throws -> Response
  ) {
    let nowMs = Clock.wallMs()
    exchange.change(on: administration, read) { try work($0, nowMs) }
  }
}

/// `{"labels":{…},"by":WHO,"comment":WHY,"until":TIME}`, or `"for":DURATION`.
private struct Acknowledgement: Sendable {
  let labels: Labels
  let author: String
  let comment: String
  let endsMs: Int64

  init(_ exchange: Exchange, nowMs: Int64) throws(RequestError) {
    let document = try exchange.takeJSONObject(["labels", "by", "comment", "until", "for"])
    let members = document["labels"]?.members ?? []
    let pairs = members.compactMap { member in member.value.string.map { Label(member.name, $0) } }
    guard !pairs.isEmpty, pairs.count == members.count else {
      throw .badRequest(#"labels: must be those of the alert, such as {"alertname":"HitRatioLow","cache":"profile"}"#)
    }
    labels = Labels(pairs)
    author = document["by"]?.string ?? ""
    comment = document["comment"]?.string ?? ""
    guard author.contains(where: { !$0.isWhitespace }) else { throw .badRequest("by: must say who") }
    guard comment.contains(where: { !$0.isWhitespace }) else { throw .badRequest("comment: must say why") }
    endsMs = try Acknowledgement.end(document, nowMs: nowMs)
  }

  private static func end(_ document: JSONValue, nowMs: Int64) throws(RequestError) -> Int64 {
    switch (document["until"], document["for"]) {
    case (let until?, nil):
      // Seconds may be a number as well.
      if let ms = try RequestTime.ms(until.string ?? until.text, parameter: "until") { return ms }
    case (nil, let duration?):
      if let text = duration.string, let ms = DurationText.milliseconds(text), ms > 0, ms <= Silence.longestMs { return nowMs + ms }
      throw .badRequest("for: \((duration.string ?? duration.text).prefix(40)): must be a duration up to 366d, such as \"2h\"")
    default: break
    }
    throw .badRequest("until, for: one of them must say until when: until in RFC 3339 or seconds since 1970, or for a duration")
  }
}
