// SPDX-License-Identifier: Apache-2.0

// OTLP's export request of logs, in both of its encodings: every record is written in both and must mean the same.

import Ingest
import TimeSeries
import Testing

private func exported(_ json: String) throws(BodyFault) -> DecodedBatch {
  try EventDecoder(settings: IngestSettings()).decode(Array(json.utf8).span, as: .otlpJSON, receivedAtMs: noonMs)
}

private func exported(_ protobuf: [UInt8]) throws(BodyFault) -> DecodedBatch {
  try EventDecoder(settings: IngestSettings()).decode(protobuf.span, as: .otlpProtobuf, receivedAtMs: noonMs)
}

/// A value of an attribute or a body.
private indirect enum Value {
  case string(String), bool(Bool), int(Int64), double(Double), array, bytes(String), members([(String, Value)]), empty

  var json: String {
    switch self {
    case .string(let text): #"{"stringValue":\#(quoted(text))}"#
    case .bool(let value): #"{"boolValue":\#(value)}"#
    case .int(let value): #"{"intValue":"\#(value)"}"#
    case .double(let value): #"{"doubleValue":\#(value.isFinite ? "\(value)" : "\"NaN\"")}"#
    case .array: #"{"arrayValue":{"values":[{"intValue":1}]}}"#
    case .bytes: #"{"bytesValue":"AQID"}"#
    case .members(let members): #"{"kvlistValue":{"values":\#(list(members))}}"#
    case .empty: "{}"
    }
  }

  var protobuf: [UInt8] {
    switch self {
    case .string(let text): field(1, text)
    case .bool(let value): field(2, Int64(value ? 1 : 0))
    case .int(let value): field(3, value)
    case .double(let value): fixed64(4, value.bitPattern)
    case .array: field(5, field(1, field(3, Int64(1))))
    case .bytes(let text): field(7, text)
    case .members(let members): field(6, members.flatMap { field(1, member($0)) })
    case .empty: []
    }
  }
}

private func quoted(_ text: String) -> String {
  "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
}

private func list(_ members: [(String, Value)]) -> String {
  "[" + members.map { #"{"key":"\#($0.0)","value":\#($0.1.json)}"# }.joined(separator: ",") + "]"
}

private func member(_ member: (String, Value)) -> [UInt8] { field(1, member.0) + field(2, member.1.protobuf) }

private struct Record {
  var time: UInt64 = 1_759_999_000_123_456_789
  var observed: UInt64 = 0
  var body: Value?
  var attributes: [(String, Value)] = []
  var trace = ""
  var event = ""

  var json: String {
    var members = [#""attributes":\#(list(attributes))"#, #""severityNumber":9"#, #""traceId":"\#(trace)""#]
    if time != 0 { members.append(#""timeUnixNano":"\#(time)""#) }
    if observed != 0 { members.append(#""observedTimeUnixNano":\#(observed)"#) }
    if let body { members.append(#""body":\#(body.json)"#) }
    if !event.isEmpty { members.append(#""eventName":"\#(event)""#) }
    return "{" + members.joined(separator: ",") + "}"
  }

  var protobuf: [UInt8] {
    let trace = self.trace.isEmpty ? [] : field(9, [UInt8](repeating: self.trace.contains("1") ? 1 : 0, count: 16))
    return fixed64(1, time) + field(3, "INFO") + (body.map { field(5, $0.protobuf) } ?? [])
      + attributes.flatMap { field(6, member($0)) } + trace + fixed64(11, observed) + field(12, event)
  }
}

/// Both encodings of records of one resource.
private func both(_ records: [Record], service: String? = nil) throws -> [DecodedBatch] {
  let attributes = service.map { [("host.name", Value.string("h")), ("service.name", .string($0))] } ?? []
  let json =
    #"{"resourceLogs":[{"scopeLogs":[{"scope":{"name":"x"},"logRecords":[\#(records.map(\.json).joined(separator: ","))]}],"#
    + #""resource":{"attributes":\#(list(attributes)),"droppedAttributesCount":0}}]}"#
  let scope = field(2, field(1, field(1, "x")) + records.flatMap { field(2, $0.protobuf) })
  let protobuf = field(1, scope + field(1, attributes.flatMap { field(1, member($0)) }))
  return [try exported(json), try exported(protobuf)]
}

private let hit: [(String, Value)] = [
  ("event_type", .string("cache_hit")), ("cache_tier", .string("L1")), ("duration_ms", .double(2.5)), ("user_id", .string("u")),
  ("stale", .bool(true)), ("cache", .string("c")),
]
private let hitSeries = [
  #"cache_hits_total{cache="c",service="api",tier="L1"} +1"#,
  #"cache_operation_duration_seconds{cache="c",operation="hit",service="api",tier="L1"} n=1 sum=0.0025"#,
  #"cache_stale_hits_total{cache="c",service="api",tier="L1"} +1"#,
]

@Test func anEventIsTheAttributesTheBodyOrBoth() throws {
  let event = #"{"event_type":"cache_hit","cache_tier":"L1","duration_ms":2.5,"stale":true,"cache":"c"}"#
  for record in [
    Record(attributes: hit), Record(body: .string("a remark"), attributes: hit), Record(body: .members(hit)),
    Record(body: .string(event)), Record(body: .bytes(event)), Record(body: .string("2025-10-09T08:00:00Z stdout F " + event)),
    Record(attributes: Array(hit.dropFirst()), event: "cache_hit"),
    Record(attributes: Array(hit.dropFirst()) + [("event.name", .string("cache_hit"))]),
    Record(body: .members(hit), attributes: [("event_type", .string("cache_miss")), ("cache", .string("other"))]),
    Record(attributes: hit, event: "login"), Record(body: .string(event), attributes: [("log.file.name", .string("x"))]),
    Record(body: .string(event), attributes: [("event_type", .string("login"))]),
    Record(body: .members([("message", .string(event)), ("level", .string("info"))])),
  ] {
    for batch in try both([record], service: "api") where !(record.isBytes && batch.ignored == 1) {
      #expect(listing(batch.delta) == hitSeries, "\(record)")
      #expect(batch.accepted == 1 && batch.carriesIdentity, "\(record) \(batch.rejections)")
    }
  }
}

extension Record {
  /// Bytes are read as a text in protobuf alone, where they need no decoding.
  fileprivate var isBytes: Bool { if case .bytes? = body { true } else { false } }
}

@Test func attributesLendWhatABodyDoesNotSay() throws {
  let record = Record(body: .string("[CACHE] MISS x"), attributes: [("service", .string("s")), ("cache", .string("c"))])
  for batch in try both([record], service: "api") {
    #expect(listing(batch.delta) == [#"cache_misses_total{cache="c",service="s"} +1"#])
  }
  for batch in try both([Record(body: .string("[CACHE] MISS x"))], service: "a\"b") {
    #expect(listing(batch.delta) == [#"cache_misses_total{cache="default",service="a\"b"} +1"#])
  }
}

@Test func timesComeFromTheEventTheRecordOrItsObserver() throws {
  func time(_ record: Record) throws -> [Int64?] { try both([record]).map(\.newestEventMs) }
  let line = Value.string("[CACHE] MISS x")
  #expect(try time(Record(body: line)) == [1_759_999_000_123, 1_759_999_000_123])
  #expect(try time(Record(time: 0, observed: 1_759_998_000_000_000_001, body: line)) == [1_759_998_000_000, 1_759_998_000_000])
  #expect(try time(Record(time: 0, body: line)) == [noonMs, noonMs])
  #expect(try time(Record(body: line, attributes: [("time", .int(1_759_997_000))])) == [1_759_999_000_123, 1_759_999_000_123])
  #expect(try time(Record(time: 0, body: line, attributes: [("time", .int(1_759_997_000))])) == [1_759_997_000_000, 1_759_997_000_000])
  let own = [("event_type", Value.string("cache_hit")), ("timestamp", .int(1_759_996_000))]
  #expect(try time(Record(attributes: own)) == [1_759_996_000_000, 1_759_996_000_000])
}

@Test func aTraceIsACorrelationId() throws {
  let round: UInt64 = 1_759_999_000_000_000_000
  let trace = String(repeating: "01", count: 16)
  #expect(try both([Record(time: round, attributes: hit, trace: trace)]).allSatisfy(\.carriesIdentity))
  #expect(try both([Record(time: round, attributes: hit)]).allSatisfy { !$0.carriesIdentity })
  #expect(try both([Record(time: round, attributes: hit, trace: String(repeating: "0", count: 32))]).allSatisfy { !$0.carriesIdentity })
  #expect(try both([Record(time: round, attributes: hit + [("correlation_id", .string("r"))])]).allSatisfy(\.carriesIdentity))
}

@Test func aWrongRecordIsRejectedReadably() throws {
  func type(_ name: String) -> (String, Value) { ("event_type", .string(name)) }
  let cases: [([(String, Value)], String)] = [
    ([type("cache_hit"), ("duration_ms", .string("fast"))], #"duration_ms: "fast": must be"#),
    ([type("cache_hit"), ("duration_ms", .double(.nan))], #"duration_ms: "nan": must be"#),
    ([type("cache_hit"), ("cache_tier", .array)], "cache_tier: []: must be"),
    ([type("cache_hit"), ("success", .int(1))], "success: 1: must be true or false"),
    ([type("cache_hti")], #"event_type: "cache_hti": unknown"#),
    ([type("cache_error"), ("operation", .empty)], "operation: missing"),
  ]
  for (attributes, reason) in cases {
    for batch in try both([Record(attributes: hit), Record(attributes: attributes), Record()]) {
      #expect([batch.accepted, batch.rejected, batch.ignored] == [1, 1, 1], "\(reason)")
      let rejection = try #require(batch.rejections.first)
      #expect(rejection.line == 2 && rejection.reason.lowercased().hasPrefix(reason), "\(rejection)")
      #expect(rejection.bytes.starts(with: Array(#"{"event_type":"cache_"#.utf8)))
    }
  }
}

@Test func textsThatAreNotUTF8AreRepairedOrRefused() throws {
  let latin1 = field(1, "cache") + field(2, field(1, [0x63, 0xe9]))
  let type = field(1, "event_type") + field(2, field(1, "cache_miss"))
  let request = field(1, field(2, field(2, field(6, type) + field(6, latin1))))
  #expect(try exported(request).delta.series.first?.labels["cache"] == "c\u{fffd}")
}

@Test(arguments: [
  "", "[]", "{", #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[5]}]}]}"#, #"{"resourceLogs":[{"scopeLogs":5}]}"#, #"{"resourceLogs":[]} x"#,
  #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"x"}]}]}]}"#, #"{"resourceLogs":[{"resource":[]}]}"#,
  #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[{"key":5}]}]}]}]}"#,
  #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":"text"}]}]}]}"#, #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]"#,
])
func aBrokenExportIsRefused(json: String) {
  #expect(throws: BodyFault.self) { try exported(json) }
}

@Test(arguments: [
  "{}", #"{"resourceLogs":null}"#, #"{"resourceLogs":[{}]}"#, #"{"resourceLogs":[{"resource":null,"scopeLogs":null}]}"#,
  #"{"resourceLogs":[{"scopeLogs":[{"scope":{},"logRecords":[]}],"schemaUrl":""}]}"#,
])
func anEmptyExportIsNoError(json: String) throws {
  #expect(try exported(json).delta.isEmpty)
  #expect(try exported([]).delta.isEmpty)
}

@Test func membersOfUnknownFieldsArePassedOver() throws {
  let body = #"{"resourceLogs":[{"x":1,"scopeLogs":[{"logRecords":[{"flags":1,"body":{"stringValue":"[CACHE] MISS x","x":[]},"#
    + #""spanId":"00","attributes":[{"key":"a","value":{"futureValue":{"b":1}},"y":1}]}]}]}]}"#
  #expect(try exported(body).accepted == 1)
}

@Test func aTimeAtTheEdgeIsARecordThatIsRejected() throws {
  let record = { (time: String) in #"{"timeUnixNano":"\#(time)","body":{"stringValue":"[CACHE] HIT a:1"}}"# }
  let records = ["-9223372036854775807", "9223372036854775807", "1759999000000000000"].map(record).joined(separator: ",")
  let batch = try exported(#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[\#(records)]}]}]}"#)
  #expect([batch.accepted, batch.ignored, batch.rejected] == [1, 0, 2])
}

@Test func mutatedExportsAreReadOrRefused() throws {
  let seed = SeededRandom.seed(for: "mutatedExportsAreReadOrRefused")
  var random = SeededRandom(state: seed)
  let records = [Record(body: .string("[CACHE] HIT a:b"), attributes: hit), Record(body: .members(hit), trace: "01"), Record(event: "cache_hit")]
  let json = Array(#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[\#(records.map(\.json).joined(separator: ","))]}]}]}"#.utf8)
  let resource = field(1, field(1, member(("service.name", .string("s")))))
  let protobuf = field(1, resource + field(2, records.flatMap { field(2, $0.protobuf) }))
  let decoder = EventDecoder(settings: IngestSettings())
  for (body, format) in [(protobuf, WrappedFormat.otlpProtobuf), (json, .otlpJSON)] {
    for _ in 0..<20_000 {
      let bytes = random.damaged(body)
      if let batch = try? decoder.decode(bytes.span, as: format, receivedAtMs: noonMs) {
        #expect(batch.rejections.count == batch.rejected, "seed \(seed)")
      }
    }
  }
}
