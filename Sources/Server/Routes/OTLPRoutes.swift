// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import Ingest
internal import JSON
internal import Platform
internal import Storage
internal import TimeSeries

// `POST /v1/logs`: logs over OTLP/HTTP (OpenTelemetry Protocol, "OTLP/HTTP"). An answer is in the encoding of its
// request; what cannot be counted is told as a partial success, and errors are google.rpc.Status.

struct OTLPRoutes: Sendable {
  private static let path = "/v1/logs"
  private static let name = "otlp"

  let intake: EventIntake

  func add(to router: inout Router) {
    intake.counters.begin(protocol: OTLPRoutes.name)
    let policy = intake.bodies(
      refusal: { exchange in
        // Before the type is known to be one of the two, JSON is what people can read.
        let encoding = OTLPEncoding(exchange) ?? .json
        return { encoding.refusal($0) }
      },
      encoding: { (exchange) throws(RequestError) in
        guard OTLPEncoding(exchange) != nil else {
          let type = exchange.header("Content-Type") ?? "none"
          throw .unsupportedMediaType(
            "Content-Type: \(type.prefix(60)): must be application/x-protobuf or application/json")
        }
        return try EventIntake.contentEncoding(exchange)
      })
    router.add(.post, OTLPRoutes.path, body: policy) { respond(to: $0) }
  }

  private func respond(to exchange: Exchange) {
    guard let encoding = OTLPEncoding(exchange) else { preconditionFailure("a body of another type was taken") }
    intake.take(exchange, path: OTLPRoutes.path, name: OTLPRoutes.name) { body, nowMs in
      try intake.decode(body, as: encoding == .json ? .otlpJSON : .otlpProtobuf, nowMs: nowMs)
    } answer: {
      Answer(status: 200, body: encoding.answer(to: $0))
    } response: { answer, _ in
      encoding.response(answer)
    }
  }
}

/// The two encodings of OTLP/HTTP.
enum OTLPEncoding: Sendable {
  case protobuf, json

  /// Nil for another type than the two.
  init?(_ exchange: Exchange) {
    let type = exchange.header("Content-Type") ?? ""
    switch type.prefix(while: { $0 != ";" && $0 != " " }).lowercased() {
    case "application/x-protobuf", "application/protobuf": self = .protobuf
    case "application/json": self = .json
    default: return nil
    }
  }

  private var contentType: StaticString { self == .json ? "application/json" : "application/x-protobuf" }

  func response(_ answer: Answer) -> Response {
    Response(status: answer.status, contentType: contentType, body: answer.body)
  }

  /// ExportLogsServiceResponse{1: partial_success{1: rejected_log_records, 2: error_message}}; without a partial success
  /// everything was taken.
  func answer(to batch: DecodedBatch) -> [UInt8] {
    guard batch.rejected > 0 else { return self == .json ? Array("{}".utf8) : [] }
    let message = batch.rejections.prefix(3).map { "record \($0.line): \($0.reason)" }.joined(separator: "; ")
    if self == .json {
      var writer = JSONWriter()
      writer.beginObject()
      writer.key("partialSuccess")
      writer.beginObject()
      // 64-bit numbers are texts in this encoding.
      writer.member("rejectedLogRecords", String(batch.rejected))
      writer.member("errorMessage", message)
      writer.endObject()
      writer.endObject()
      return writer.bytes
    }
    return Wire.field(1, Wire.field(1, UInt64(batch.rejected)) + Wire.field(2, Array(message.utf8)))
  }

  /// google.rpc.Status{1: code, 2: message}.
  func refusal(_ error: any Error) -> Response {
    Answers.error(error) { status, sentence in
      response(Answer(status: status, body: message(OTLPEncoding.code(of: status), sentence)))
    }
  }

  private func message(_ code: Int, _ sentence: String) -> [UInt8] {
    if self == .protobuf { return Wire.field(1, UInt64(code)) + Wire.field(2, Array(sentence.utf8)) }
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("code", code)
    writer.member("message", sentence)
    writer.endObject()
    return writer.bytes
  }

  /// google.rpc.Code: INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNAVAILABLE, INTERNAL.
  private static func code(of status: Int) -> Int {
    switch status {
    case 400, 415: 3
    case 413, 429: 8
    case 503: 14
    default: 13
    }
  }
}

/// The few fields that answers in protobuf have.
private enum Wire {
  static func field(_ number: UInt64, _ value: UInt64) -> [UInt8] {
    var writer = PackedWriter()
    writer.varint(number << 3)
    writer.varint(value)
    return writer.bytes
  }

  static func field(_ number: UInt64, _ content: [UInt8]) -> [UInt8] {
    var writer = PackedWriter()
    writer.varint(number << 3 | 2)
    writer.count(content.count)
    writer.append(content)
    return writer.bytes
  }
}
