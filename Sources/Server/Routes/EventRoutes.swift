// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import Ingest
internal import JSON
internal import Platform
internal import Storage

// `POST /api/v1/events`: bytes in, decoded into one delta, committed, answered.

struct EventRoutes: Sendable {
  static let path = "/api/v1/events"
  /// The `protocol` label and the `source` of dead letters.
  static let name = "events"

  let intake: EventIntake

  func add(to router: inout Router) {
    intake.counters.begin(protocol: EventRoutes.name)
    router.add(.post, EventRoutes.path, body: intake.bodies { _ in Answers.error }) { respond(to: $0) }
  }

  private func respond(to exchange: Exchange) {
    let origin = Result { () throws(RequestError) in try EventRoutes.origin(exchange) }
    intake.take(exchange, path: EventRoutes.path, name: EventRoutes.name) { body, nowMs in
      intake.decode(body, from: try origin.get(), nowMs: nowMs)
    } answer: { batch in
      EventRoutes.answer(to: batch, errorsMax: intake.settings.errorsMax)
    } response: { answer, isDuplicate in
      let first = Array("{\"duplicate\":\(isDuplicate),".utf8)
      return Answers.json(status: answer.status, first + answer.body + [UInt8(ascii: "}")])
    }
  }

  /// What the query says of the body.
  private static func origin(_ exchange: Exchange) throws(RequestError) -> EventOrigin {
    var origin = EventOrigin(service: exchange.query("service"), cache: exchange.query("cache"))
    if let framing = exchange.query("framing") {
      guard framing == "lines" else { throw .badRequest("framing: \(framing.prefix(40)): must be lines, or left out") }
      origin.framing = .lines
    }
    return origin
  }

  // MARK: Answers

  /// The members of the answer without `duplicate` and the closing brace, so that a repetition differs in that alone.
  static func answer(to batch: DecodedBatch, errorsMax: Int) -> Answer {
    var writer = JSONWriter(capacity: 256)
    writer.beginArray()
    for rejection in batch.rejections.prefix(errorsMax) {
      writer.beginObject()
      writer.member("line", rejection.line)
      writer.member("reason", rejection.reason)
      writer.endObject()
    }
    writer.endArray()
    let counts = "\"accepted\":\(batch.accepted),\"rejected\":\(batch.rejected),\"ignored\":\(batch.ignored)"
    let hasNothingGood = batch.accepted == 0 && batch.ignored == 0 && batch.rejected > 0
    return Answer(status: hasNothingGood ? 400 : 200, body: Array("\(counts),\"errors\":".utf8) + writer.bytes)
  }
}
