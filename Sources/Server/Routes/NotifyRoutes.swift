// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import JSON
internal import Notification
internal import Platform

// Receivers of notifications: how they are doing, and trying them out.

struct NotifyRoutes: Sendable {
  private static let bodyBytesMax = 64 << 10

  let notifier: Notifier
  /// Its own: a receiver that does not answer keeps it for some 20 seconds.
  let worker: Worker

  func add(to router: inout Router) {
    router.get("/api/v1/notify") { $0.respond(Answers.json(receivers())) }
    router.add(.post, "/api/v1/notify/test", body: .buffered(bytesMax: NotifyRoutes.bodyBytesMax)) { test($0) }
  }

  private func receivers() -> [UInt8] {
    var writer = JSONWriter(capacity: 1024)
    writer.beginObject()
    writer.key("receivers")
    writer.beginArray()
    for status in notifier.statuses {
      writer.beginObject()
      writer.member("name", status.name)
      writer.member("kind", status.kind.rawValue)
      writer.member("place", status.place)
      writer.member("queued", status.queued)
      writer.member("sent", status.sent)
      writer.member("failed", status.failed)
      writer.member("dropped", status.dropped)
      writer.optional("last_taken_ms", status.lastTakenMs)
      writer.key("last_error")
      if let error = status.lastError { writer.string(error) } else { writer.null() }
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  private func test(_ exchange: Exchange) {
    let name: String?
    do throws(RequestError) {
      let document = try exchange.takeJSONObject(["receiver"])
      name = document["receiver"]?.string
      guard document["receiver"]?.isNull != false || name != nil else {
        throw .badRequest("receiver: must be a name; without it all are tried")
      }
    } catch {
      return exchange.respond(Answers.error(error))
    }
    let busy = RequestError.unavailable("another test is under way: try again")
    exchange.answer(on: worker, busy: busy, failure: { Answers.error($0) }) { _ in
      let results = notifier.test(name, nowMs: Clock.wallMs())
      guard !results.isEmpty else { throw absence(of: name) }
      return Answers.json(NotifyRoutes.document(results))
    }
  }

  private func absence(of name: String?) -> RequestError {
    let known = notifier.receivers.map(\.name)
    if known.isEmpty { return .notFound("no receivers: name some under `notify` in the settings") }
    return .notFound("\(name?.prefix(80) ?? ""): no receiver: known here: \(known.joined(separator: ", "))")
  }

  private static func document(_ results: [ReceiverTest]) -> [UInt8] {
    var writer = JSONWriter(capacity: 1024)
    writer.beginObject()
    writer.key("taken")
    writer.bool(results.allSatisfy(\.isTaken))
    writer.key("receivers")
    writer.beginArray()
    for result in results {
      writer.beginObject()
      writer.member("name", result.receiver)
      writer.member("kind", result.kind.rawValue)
      writer.member("place", result.place)
      writer.key("taken")
      writer.bool(result.isTaken)
      step("firing", result.firing, to: &writer)
      step("resolved", result.resolved, to: &writer)
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  private static func step(_ key: StaticString, _ step: ReceiverTest.Step?, to writer: inout JSONWriter) {
    writer.key(key)
    guard let step else { return writer.null() }
    writer.beginObject()
    writer.optional("status", step.status.map { Int64($0) })
    writer.key("error")
    if let error = step.error { writer.string(error) } else { writer.null() }
    writer.member("duration_seconds", Double(step.durationMs) / 1000)
    writer.endObject()
  }
}
