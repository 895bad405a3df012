// SPDX-License-Identifier: Apache-2.0

// Elasticsearch's bulk request: what each item is answered, and what counts.

import Ingest
import TimeSeries
import Testing

private typealias Bulk = (batch: DecodedBatch, items: [BulkItem])

private func bulk(_ body: String, index: String = "", seen: Set<Int> = []) throws(BodyFault) -> Bulk {
  try EventDecoder(settings: IngestSettings()).decode(
    bulk: Array(body.utf8).span, index: Array(index.utf8), seen: seen, receivedAtMs: noonMs)
}

private func outcomes(_ bulk: Bulk) -> [BulkItem.Outcome] { bulk.items.map(\.outcome) }

private let miss = #"{"event_type":"cache_miss"}"#

@Test func everyActionIsAnsweredInOrder() throws {
  let body = [
    #"{"create":{"_index":"logs","_id":"a"}}"#, #"{"message":"[CACHE] MISS user:5"}"#, #"{"index":{}}"#, miss,
    #"{ "create" : { "_id" : 7, "require_alias": false } }"#, #"{"message":"hello"}"#, #"{"delete":{"_id":"a"}}"#,
    #"{"update":{"_id":"a"}}"#, #"{"doc":{}}"#, #"{"create":{}}"#, #"{"event_type":"cache_x"}"#, #"{"create":{}}"#, "{broken",
    #"{"index":{}}"#, miss + " ", #"{"create":{}}"#,
  ].joined(separator: "\n") + "\n"
  let result = try bulk(body)
  #expect(result.items.map(\.action) == [.create, .index, .create, .delete, .update, .create, .create, .index, .create])
  #expect(
    outcomes(result) == [.accepted, .accepted, .ignored, .rejected, .rejected, .rejected, .rejected, .accepted, .rejected])
  #expect(result.items.map(\.number) == Array(1...9))
  let bytes = Array(body.utf8)
  #expect(result.items.map { String(decoding: bytes[$0.id], as: UTF8.self) } == ["a", "", "7", "a", "a", "", "", "", ""])
  #expect(String(decoding: bytes[result.items[0].index], as: UTF8.self) == "logs")
  #expect([result.batch.accepted, result.batch.ignored, result.batch.rejected] == [3, 1, 5])
  #expect(result.batch.rejections.map(\.line) == [4, 5, 6, 7, 9])
  #expect(result.batch.rejections.map(\.reason).last == "the request ends before the document")
  #expect(result.batch.delta.counts.map(\.increment).reduce(0, +) == 3)
}

@Test func anIdCountsOnceInARequest() throws {
  func pair(_ action: String, _ id: String, _ document: String = miss) -> String { "{\"\(action)\":\(id)}\n\(document)\n" }
  let result = try bulk(
    pair("create", #"{"_id":"a"}"#) + pair("create", #"{"_id":"a"}"#) + pair("index", #"{"_id":"a","_index":"logs"}"#)
      + pair("index", #"{"_id":"a","_index":"other"}"#) + pair("create", #"{"_id":"b"}"#, "{}") + pair("create", #"{"_id":"b"}"#)
      + pair("create", "{}") + pair("create", "{}"), index: "logs")
  #expect(outcomes(result) == [.accepted, .seen, .seen, .accepted, .ignored, .accepted, .accepted, .accepted])
  #expect(result.batch.delta.counts.map(\.increment).reduce(0, +) == 5)
}

@Test func whatWasSeenIsLeftOut() throws {
  let body = (1...4).map { "{\"create\":{\"_id\":\"\($0)\"}}\n\(miss)\n" }.joined()
  let result = try bulk(body, seen: [2, 4])
  #expect(outcomes(result) == [.accepted, .seen, .accepted, .seen])
  #expect(result.batch.accepted == 2 && result.batch.delta.counts.map(\.increment) == [2])
}

@Test(arguments: [
  ("x", "Malformed action/metadata line [1], column 1"), ("{}", "Malformed action/metadata line [1], column 2"),
  (#"{"create":5}"#, "Malformed action/metadata line [1], column 11"), (#"{"upsert":{}}"#, "Malformed action/metadata line [1]: expected"),
  ("{\"create\":{}}\n{}\n{\"create\":{}}x\n{}", "Malformed action/metadata line [3], column 14"),
  ("{\"create\":{}}\n\n{\"create\":{}\n{}", "Malformed action/metadata line [3], column 13"), (#"{"create":{},"index":{}}"#, "Malformed"),
])
func anActionThatIsNoneRefusesTheRequest(body: String, reason: String) {
  let fault = #expect(throws: BodyFault.self) { try bulk(body) }
  #expect(fault?.reason.hasPrefix(reason) == true, "\(String(describing: fault))")
}

@Test func emptyLinesAreDocumentsOnlyBehindAnAction() throws {
  let result = try bulk("\n\n{\"create\":{}}\r\n\(miss)\r\n\n{\"create\":{}}\n\n\n{\"create\":{}}\n\(miss)")
  #expect(outcomes(result) == [.accepted, .rejected, .accepted])
  #expect(try bulk("").items.isEmpty)
}

@Test func aDocumentsTimeIsItsTimestamp() throws {
  let result = try bulk("{\"create\":{}}\n{\"@timestamp\":\"2025-10-09T08:00:00Z\",\"event_type\":\"cache_hit\"}\n")
  #expect(result.batch.newestEventMs == 1_759_996_800_000)
}

@Test func documentsAreBounded() throws {
  let long = "{\"message\":\"" + String(repeating: "x", count: 256 << 10) + "\"}"
  let result = try bulk("{\"create\":{}}\n\(long)\n{\"create\":{}}\n\(miss)\n")
  #expect(outcomes(result) == [.rejected, .accepted])
  let many = try bulk(String(repeating: "{\"delete\":{\"_id\":\"1\"}}\n", count: 1_500))
  #expect(many.batch.rejected == 1_500 && many.batch.rejections.count == 1_000)
}

@Test func mutatedBulksAreReadOrRefused() {
  let seed = SeededRandom.seed(for: "mutatedBulksAreReadOrRefused")
  var random = SeededRandom(state: seed)
  let body = Array("{\"create\":{\"_index\":\"i\",\"_id\":\"a\\u00e9\"}}\n\(miss)\n{\"index\":{}}\n{\"message\":\"[CACHE] HIT a\"}\n".utf8)
  let decoder = EventDecoder(settings: IngestSettings())
  for _ in 0..<20_000 {
    let bytes = random.damaged(body)
    if let result = try? decoder.decode(bulk: bytes.span, index: [], receivedAtMs: noonMs) {
      let batch = result.batch
      #expect(batch.accepted + batch.rejected + batch.ignored + result.items.count { $0.outcome == .seen } == result.items.count, "seed \(seed)")
    }
  }
}
