// SPDX-License-Identifier: Apache-2.0

internal import Compression
internal import HTTP
internal import Ingest
internal import Platform
internal import Storage

// `POST /loki/api/v1/push` as Loki answers it: 204 without a body, errors as plain text. Clients give up a batch at 400
// and 413, and send it again at 429 and 503.

struct LokiRoutes: Sendable {
  private static let path = "/loki/api/v1/push"
  private static let name = "loki"

  let intake: EventIntake

  func add(to router: inout Router) {
    intake.counters.begin(protocol: LokiRoutes.name)
    router.add(.post, LokiRoutes.path, body: intake.bodies(refusal: { _ in LokiRoutes.refusal }, encoding: LokiRoutes.encoding)) {
      respond(to: $0)
    }
  }

  private func respond(to exchange: Exchange) {
    let isJSON = LokiRoutes.isJSON(exchange)
    let encoding = Result { () throws(RequestError) in try LokiRoutes.encoding(exchange) }
    intake.take(exchange, path: LokiRoutes.path, name: LokiRoutes.name) { body, nowMs in
      // Protobuf is compressed by itself, whatever is around it; without, `encoding` has seen to it.
      if !isJSON, try encoding.get() != .snappy { body = try intake.decompressed(body, .snappy) }
      return try intake.decode(body, as: isJSON ? .lokiJSON : .lokiProtobuf, nowMs: nowMs)
    } answer: {
      LokiRoutes.answer(to: $0)
    } response: { answer, _ in
      Response(
        status: answer.status, contentType: answer.body.isEmpty ? nil : "text/plain; charset=utf-8", body: answer.body)
    }
  }

  // MARK: Headers

  /// As Loki has it, what names no type is protobuf. Another type's name is one that a tool sent by itself, such as
  /// curl's for forms, and the body the JSON that its user wrote.
  private static func isJSON(_ exchange: Exchange) -> Bool {
    guard let type = exchange.header("Content-Type")?.lowercased() else { return false }
    return !type.contains("protobuf")
  }

  /// Clients name the snappy that is part of the protobuf format, or they do not; it is one compression all the same.
  private static func encoding(_ exchange: Exchange) throws(RequestError) -> ContentEncoding {
    let named = try EventIntake.contentEncoding(exchange)
    return named == .identity && !isJSON(exchange) ? .snappy : named
  }

  // MARK: Answers

  @Sendable private static func refusal(_ error: any Error) -> Response {
    Answers.error(error) { status, sentence in Response(status: status, text: sentence + "\n") }
  }

  /// A batch of which nothing could be counted is the client's mistake; where something could, the rest is among the
  /// dead letters, since no status says "some".
  private static func answer(to batch: DecodedBatch) -> Answer {
    guard batch.rejected > 0, batch.accepted == 0, batch.ignored == 0 else { return Answer(status: 204, body: []) }
    let first = batch.rejections.first.map { "entry \($0.line): \($0.reason)" } ?? ""
    return Answer(status: 400, body: Array("\(batch.rejected) entries were rejected: \(first)\n".utf8))
  }
}
