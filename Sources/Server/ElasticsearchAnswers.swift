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
    Answers.error(error) { status, sentence in self.error(status, sentence) }
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
    // Put together by hand: it is as long as the request, and all but its ids are the same few pieces. Fluent Bit looks
    // for `"errors":false,"items":[` as these bytes.
    var answer = Array("{\"took\":\(tookMs),\"errors\":\(hasErrors),\"items\":[".utf8)
    answer.reserveCapacity(answer.count + items.count * 96)
    let defaultIndex = quoted(index)
    let openings = BulkItem.Action.allCases.map { Array("{\"\($0.rawValue)\":{\"_index\":".utf8) }
    for item in items {
      if item.number > 1 { answer.append(UInt8(ascii: ",")) }
      answer += openings[BulkItem.Action.allCases.firstIndex(of: item.action)!]
      append(item.index, of: body, orElse: defaultIndex, to: &answer)
      if !item.id.isEmpty {
        answer += ",\"_id\":".utf8
        append(item.id, of: body, orElse: [], to: &answer)
      }
      switch status(of: item) {
      case 201: answer += ",\"status\":201,\"result\":\"created\"}}".utf8
      case 200: answer += ",\"status\":200,\"result\":\"updated\"}}".utf8
      case let status: answer += failure(status, reasons[item.number])
      }
    }
    return answer + Array("]}".utf8)
  }

  /// A text of the request with its quotes. Its escapes are as they came, so it is JSON's already.
  private static func append(_ range: Range<Int>, of body: [UInt8], orElse other: [UInt8], to answer: inout [UInt8]) {
    guard !range.isEmpty else { return answer += other }
    answer.append(UInt8(ascii: "\""))
    answer += body[range]
    answer.append(UInt8(ascii: "\""))
  }

  private static func failure(_ status: Int, _ reason: String?) -> [UInt8] {
    let type = status == 409 ? "version_conflict_engine_exception" : "document_parsing_exception"
    let reason = status == 409 ? "version conflict, document already exists" : reason ?? "rejected like others before it"
    return Array(",\"status\":\(status),\"error\":{\"type\":\"\(type)\",\"reason\":".utf8) + quoted(reason) + Array("}}}".utf8)
  }

  private static func quoted(_ text: String) -> [UInt8] {
    var writer = JSONWriter(capacity: text.utf8.count + 2)
    writer.string(text)
    return writer.bytes
  }

  /// A document that was there before is a conflict for `create`, and for `index` one that was written over.
  private static func status(of item: BulkItem) -> Int {
    switch item.outcome {
    case .accepted, .ignored: 201
    case .rejected: 400
    case .seen: item.action == .create ? 409 : 200
    }
  }
}
