// SPDX-License-Identifier: Apache-2.0

// Loki's push request, in both of its formats.

import Ingest
import TimeSeries
import Testing

private func pushed(_ json: String) throws(BodyFault) -> DecodedBatch {
  try EventDecoder(settings: IngestSettings()).decode(Array(json.utf8).span, as: .lokiJSON, receivedAtMs: noonMs)
}

private func pushed(_ protobuf: [UInt8]) throws(BodyFault) -> DecodedBatch {
  try EventDecoder(settings: IngestSettings()).decode(protobuf.span, as: .lokiProtobuf, receivedAtMs: noonMs)
}

private func entry(_ seconds: Int64, _ nanos: Int64, _ line: String) -> [UInt8] {
  field(2, field(1, field(1, seconds) + field(2, nanos)) + field(2, line) + field(3, field(1, "trace_id") + field(2, "x")))
}

private func stream(_ labels: String, _ entries: [UInt8]) -> [UInt8] { field(1, field(1, labels) + entries + field(3, Int64(7))) }

private let lines = ["[CACHE] MISS plain", #"{"event_type":"cache_miss","cache":"own"}"#, "hello", #"{"event_type":"cache_x"}"#]
/// What they count to with the labels `{app="api"}`.
private let counted = [
  #"cache_misses_total{cache="default",service="api"} +1"#, #"cache_misses_total{cache="own",service="api"} +1"#,
]

@Test func bothFormatsReadTheSameLines() throws {
  let values = lines.map { line in
    "[\"1759999000000000001\",\"\(line.replacing("\"", with: "\\\""))\",{\"trace_id\":\"x\"}]"
  }.joined(separator: ",")
  let labelsFirst = #"{"streams":[{"stream":{"app":"api"},"values":[\#(values)]}]}"#
  let labelsLast = #" {"x":[1],"streams":[{"values":[\#(values)],"y":null,"stream":{"a":1,"app":"api"}}],"z":{}} "#
  let protobuf = stream(#"{app="api"}"#, lines.flatMap { entry(1_759_999_000, 1, $0) })
  for batch in [try pushed(labelsFirst), try pushed(labelsLast), try pushed(protobuf + field(2, "format"))] {
    #expect([batch.accepted, batch.ignored, batch.rejected] == [2, 1, 1])
    #expect(listing(batch.delta) == counted)
    #expect(batch.newestEventMs == 1_759_999_000_000)
    #expect(batch.rejections.map(\.line) == [4])
    #expect(batch.carriesIdentity)
  }
}

@Test(arguments: [
  (#"{"app":"a","service":"s","service_name":"n","job":"j"}"#, #"{app="a", service="s",service_name="n",job="j"}"#, "n", "default"),
  (#"{"job":"j","app":"a"}"#, #"{job="j",app="a"}"#, "a", "default"),
  (#"{"job":"a\"b","cache":"c"}"#, #"{job="a\"b",cache="c"}"#, "a\"b", "c"),
  (#"{"env":"prod"}"#, #"{env="prod"}"#, "default", "default"), ("{}", "{}", "default", "default"),
  ("{}", "", "default", "default"), ("null", #"{x="#, "default", "default"), (#"{"app":""}"#, #"{app=""}"#, "default", "default"),
])
func theLabelsOfAStreamAreDefaults(json: String, text: String, service: String, cache: String) throws {
  let fromJSON = try pushed(#"{"streams":[{"stream":\#(json),"values":[["1","[CACHE] MISS x"]]}]}"#.replacing("\"1\"", with: "\"0\""))
  let fromProtobuf = try pushed(stream(text, entry(0, 0, "[CACHE] MISS x")))
  for batch in [fromJSON, fromProtobuf] {
    #expect(batch.delta.series.first?.labels["service"] == service, "\(text)")
    #expect(batch.delta.series.first?.labels["cache"] == cache, "\(text)")
    #expect(batch.newestEventMs == noonMs && !batch.carriesIdentity)
  }
}

@Test func oneStreamsLabelsAreNotTheNextOnes() throws {
  let batch = try pushed(
    #"{"streams":[{"stream":{"app":"a"},"values":[["0","[CACHE] MISS x"]]},{"values":[["0","[CACHE] MISS x"]]}]}"#)
  #expect(batch.delta.series.compactMap { $0.labels["service"] }.sorted() == ["a", "default"])
  let decoder = EventDecoder(settings: IngestSettings())
  let body = Array(#"{"streams":[{"stream":{"app":"a"},"values":[["0","[CACHE] MISS x"]]}]}"#.utf8)
  _ = try decoder.decode(body.span, as: .lokiJSON, receivedAtMs: noonMs)
  #expect(decoder.decode(Array("[CACHE] MISS x".utf8).span, receivedAtMs: noonMs).delta.series[0].labels["service"] == "default")
}

@Test func keysDecideBeforeLabels() throws {
  let batch = try pushed(#"{"streams":[{"stream":{"app":"a","cache":"c"},"values":[["0","[CACHE] MISS user:5"],["0","[CACHE] MISS z:5"]]}]}"#)
  #expect(
    listing(batch.delta) == [
      #"cache_misses_total{cache="web_user",service="web"} +1"#, #"cache_misses_total{cache="z",service="a"} +1"#,
    ])
}

@Test func aTimeFinerThanAMillisecondIsAnIdentity() throws {
  func batch(_ time: String) throws -> DecodedBatch {
    try pushed(#"{"streams":[{"stream":{},"values":[[\#(time),"[CACHE] MISS x"]]}]}"#)
  }
  #expect(try batch(#""1759999000123000001""#).carriesIdentity)
  #expect(try !batch(#""1759999000123000000""#).carriesIdentity)
  #expect(try batch("1759999000123456789").newestEventMs == 1_759_999_000_123)
}

@Test(arguments: [
  "", "x", "[]", "{", #"{"streams":5}"#, #"{"streams":[5]}"#, #"{"streams":[]}x"#, #"{"streams":[{"values":[["1"]]}]}"#,
  #"{"streams":[{"values":[["1","a"}]}]}"#, #"{"streams":[{"values":[["x","a"]]}]}"#, #"{"streams":[{"values":[["1",5]]}]}"#,
  #"{"streams":[{"values":[["1","a"],]}]}"#, #"{"streams":[{"stream":[],"values":[]}]}"#, #"{"streams":[{"values":[["1.5","a"]]}]}"#,
  #"{"streams":[{"stream":{},"values":[["0","[CACHE] HIT x"]]}"#,
])
func aBrokenPushCountsNothing(json: String) {
  #expect(throws: BodyFault.self) { try pushed(json) }
  let decoder = EventDecoder(settings: IngestSettings())
  _ = try? decoder.decode(Array(json.utf8).span, as: .lokiJSON, receivedAtMs: noonMs)
  #expect(decoder.decode([UInt8]().span, receivedAtMs: noonMs).delta.isEmpty)
}

@Test(arguments: ["{}", #"{"streams":[]}"#, #"{"streams":null}"#, #"{"streams":[{}]}"#, #"{"streams":[{"stream":{},"values":null}]}"#])
func anEmptyPushIsNoError(json: String) throws {
  let batch = try pushed(json)
  #expect(batch.accepted + batch.rejected + batch.ignored == 0)
  #expect(try pushed([]).delta.isEmpty)
}

@Test func brokenProtobufNamesThePlace() {
  let message = stream(#"{app="a"}"#, entry(1, 2, "[CACHE] HIT x"))
  for count in 1..<message.count {
    let fault = #expect(throws: BodyFault.self, "\(count) bytes") { try pushed(Array(message[..<count])) }
    #expect(fault?.reason.hasPrefix("broken protobuf at byte ") == true)
  }
  for (bytes, reason) in [
    ([0x0b] as [UInt8], "a wire type that no field has"), ([0x02, 0], "a field number that no field has"),
    ([0x08] + [UInt8](repeating: 0xff, count: 10), "a number of more than 64 bits"), ([0x0a, 5, 1], "a field that is longer than what holds it"),
    ([0x09, 1, 2], "it ends in the middle of a field"),
  ] {
    let fault = #expect(throws: BodyFault.self) { try pushed(bytes) }
    #expect(fault?.reason.hasSuffix(reason) == true, "\(String(describing: fault))")
  }
}

/// The earliest and latest that 64 bits of nanoseconds hold.
@Test(arguments: [.min + 1, .min + 1_000, .max, -1] as [Int64])
func aTimeAtTheEdgeIsALineThatIsRejected(nanoseconds: Int64) throws {
  let hit = "[CACHE] HIT a:1"
  let json = #"{"streams":[{"stream":{},"values":[["\#(nanoseconds)","\#(hit)"],["1759999000000000000","\#(hit)"]]}]}"#
  let early = entry(nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000, hit)
  for batch in [try pushed(json), try pushed(stream("{}", early + entry(1_759_999_000, 0, hit)))] {
    #expect([batch.accepted, batch.ignored, batch.rejected] == [1, 0, 1])
  }
}

@Test func mutatedPushesAreReadOrRefused() {
  let seed = SeededRandom.seed(for: "mutatedPushesAreReadOrRefused")
  var random = SeededRandom(state: seed)
  let protobuf = stream(#"{app="api",job="x\"y"}"#, lines.flatMap { entry(1_759_999_000, 1, $0) })
  let json = Array(#"{"streams":[{"stream":{"app":"a\"b"},"values":[["1759999000000000001","[CACHE] HIT x:\u00e9",{"a":"b"}]]}]}"#.utf8)
  let decoder = EventDecoder(settings: IngestSettings())
  for (body, format) in [(protobuf, WrappedFormat.lokiProtobuf), (json, .lokiJSON)] {
    for _ in 0..<20_000 {
      let bytes = random.damaged(body)
      if let batch = try? decoder.decode(bytes.span, as: format, receivedAtMs: noonMs) {
        #expect(batch.rejections.count == batch.rejected, "seed \(seed)")
        #expect(batch.delta.isEmpty || batch.accepted > 0, "seed \(seed)")
      }
    }
  }
}
