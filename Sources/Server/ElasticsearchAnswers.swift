// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import Ingest
internal import JSON

// What Elasticsearch's clients read: the header that tells them the product, errors in its form, and the answer to a
// bulk request with an item for each of its.

enum ElasticsearchAnswers {
  /// A version that today's shippers work with. Clients of 7.14 and later insist on the header, those of 8 and 9 talk to
  /// an 8.
  static let version = "8.19.0"

  static func json(status: Int = 200, _ body: [UInt8]) -> Response {
    Answers.json(status: status, body).with("X-Elastic-Product", "Elasticsearch")
  }

  static func json(status: Int = 200, _ body: String) -> Response { json(status: status, Array(body.utf8)) }

  // MARK: Errors

  @Sendable static func refusal(_ error: any Error) -> Response {
    let status = Answers.error(error).status
    let response = self.error(status, (error as? RequestError)?.sentence ?? "\(error)")
    return status == 429 || status == 503
      ? response.with("Retry-After", String(Answers.retryAfterSeconds)) : response
  }

  static func error(_ status: Int, _ sentence: String) -> Response {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("error")
    writer.beginObject()
    writer.key("root_cause")
    writer.beginArray()
    writer.beginObject()
    writer.member("type", type(of: status))
    writer.member("reason", sentence)
    writer.endObject()
    writer.endArray()
    writer.member("type", type(of: status))
    writer.member("reason", sentence)
    writer.endObject()
    writer.member("status", status)
    writer.endObject()
    return json(status: status, writer.bytes)
  }

  private static func type(of status: Int) -> String {
    switch status {
    case 404: "resource_not_found_exception"
    case 413: "content_too_long_exception"
    case 415: "media_type_header_exception"
    case 429: "es_rejected_execution_exception"
    case 503: "unavailable_shards_exception"
    case 500: "exception"
    default: "illegal_argument_exception"
    }
  }

  // MARK: Bulk

  /// - Parameters:
  ///   - body: the request, which the items' ranges are of.
  ///   - index: of items that name none.
  static func bulk(
    _ items: [BulkItem], _ rejections: [Rejection], body: [UInt8], index: String, tookMs: Int64
  ) -> [UInt8] {
    let reasons = Dictionary(rejections.map { ($0.line, $0.reason) }, uniquingKeysWith: { first, _ in first })
    let hasErrors = items.contains { status(of: $0) >= 400 }
    // Fluent Bit looks for `"errors":false,"items":[` as these bytes.
    var writer = JSONWriter(capacity: 64 + items.count * 96)
    writer.beginObject()
    writer.member("took", tookMs)
    writer.member("errors", hasErrors)
    writer.key("items")
    writer.beginArray()
    for item in items { write(item, reasons[item.number], body, index, to: &writer) }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  private static func write(
    _ item: BulkItem, _ reason: String?, _ body: [UInt8], _ index: String, to writer: inout JSONWriter
  ) {
    let status = status(of: item)
    writer.beginObject()
    writer.key(item.action.rawValue)
    writer.beginObject()
    writer.key("_index")
    if item.index.isEmpty { writer.string(index) } else { writer.raw(quoted(body[item.index])) }
    if !item.id.isEmpty {
      writer.key("_id")
      writer.raw(quoted(body[item.id]))
    }
    writer.member("status", status)
    if status >= 400 {
      writer.key("error")
      writer.beginObject()
      writer.member("type", status == 409 ? "version_conflict_engine_exception" : "document_parsing_exception")
      writer.member("reason", status == 409 ? "version conflict, document already exists" : reason ?? "rejected like others before it")
      writer.endObject()
    } else {
      writer.member("result", status == 200 ? "updated" : "created")
    }
    writer.endObject()
    writer.endObject()
  }

  /// A document that was there before is a conflict for `create`, and for `index` one that was written over.
  private static func status(of item: BulkItem) -> Int {
    switch item.outcome {
    case .accepted, .ignored: 201
    case .rejected: 400
    case .seen: item.action == .create ? 409 : 200
    }
  }

  /// Escapes are as they came, so the text is JSON's already.
  private static func quoted(_ text: ArraySlice<UInt8>) -> [UInt8] {
    [UInt8(ascii: "\"")] + text + [UInt8(ascii: "\"")]
  }
}
