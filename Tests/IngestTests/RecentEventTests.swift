// SPDX-License-Identifier: Apache-2.0

// What is kept of events as they were received, and how it is read again.

import Ingest
import Testing

private func decoder(perSecond: Int = 1 << 40, bytesMax: Int = 8 << 20) -> EventDecoder {
  var settings = IngestSettings()
  settings.recentEventsPerSecond = perSecond
  settings.recentBytesMax = bytesMax
  return EventDecoder(settings: settings)
}

private func recent(
  _ body: String, _ decoder: EventDecoder = decoder(), at receivedMs: Int64 = noonMs
) -> RecentEvents {
  decoder.decode(Array(body.utf8).span, receivedAtMs: receivedMs).recent
}

private func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

/// One line an event: type, place, ids, how many it stands for, record.
private func listing(_ events: RecentEvents) throws -> [String] {
  let bytes = events.bytes
  return try RecentEvent.starts(bytes).map { start in
    let event = try RecentEvent(bytes, at: start)
    let place = "\(text(bytes[event.service]))/\(text(bytes[event.cache]))"
    let ids = "\(text(bytes[event.userID])),\(text(bytes[event.correlationID]))"
    let late = event.timestampMs == noonMs ? "" : " \(event.timestampMs - noonMs)"
    return "\(RecentEvent.typeNames[event.type]) \(place) [\(ids)]\(late) 1/\(event.weight) "
      + text(bytes[event.record]) + (event.isWhole ? "" : "…")
  }
}

/// One that is kept always, of each kind.
private let notable = [
  #"{"event_type":"cache_error","operation":"get"}"#, #"{"event_type":"cache_invalidation","success":true}"#,
  #"{"event_type":"invalidation","success":false}"#, #"{"event_type":"circuit_breaker","state":"open"}"#,
  #"{"event_type":"consistency_check","success":false}"#, "Cache get error: timed out", "[CACHE] DELETE user:id:5",
]
private let ordinary = [
  #"{"event_type":"cache_hit"}"#, #"{"event_type":"cache_miss"}"#, #"{"event_type":"cache_set"}"#,
  #"{"event_type":"cache_bypass","reason":"flag_off"}"#, #"{"event_type":"cache_bulk","requested":2,"hits":1,"misses":1}"#,
  #"{"event_type":"cache_stats","entries":1,"capacity":2}"#, #"{"event_type":"consistency_check","success":true}"#,
]

@Test(arguments: [2_000, 12_000, 150_000] as [Int64])
func afterASilenceEveryEventIsKeptAgain(_ silenceMs: Int64) {
  let decoder = decoder(perSecond: 100)
  #expect(recent(Array(repeating: ordinary[0], count: 100_000).joined(separator: "\n"), decoder).count < 2_000)
  for number in 0..<10 {
    let one = recent(ordinary[number % ordinary.count], decoder, at: noonMs + silenceMs + Int64(number))
    #expect([one.count, one.passedOver] == [1, 0], "event \(number)")
  }
}

@Test func whatGoesWrongIsKeptWhateverTheSampleSays() throws {
  let decoder = decoder(perSecond: 1)
  // The first second takes ever fewer.
  let flood = Array(repeating: ordinary[0], count: 10_000).joined(separator: "\n")
  let first = recent(flood, decoder)
  #expect((1...40).contains(first.count) && first.sampled == first.count && first.passedOver == 10_000 - first.count)
  let events = recent(Array(repeating: notable, count: 50).joined().joined(separator: "\n"), decoder, at: noonMs + 1)
  #expect([events.count, events.sampled, events.sampledOf, events.passedOver] == [notable.count * 50, 0, 0, 0])
  #expect(try listing(events).allSatisfy { $0.contains(" 1/1 ") })
  let few = recent((notable + ordinary).joined(separator: "\n"))
  #expect([few.count, few.sampled, few.sampledOf, few.passedOver] == [14, 7, 7, 0])
}

@Test func anEventIsKeptWithItsPlaceAndIDs() throws {
  let error = #"{"event_type":"cache_error","operation":"get","user_id":"u\"1","correlation_id":7,"key":"user:id:5"}"#
  let late = #" {"event_type":"invalidation","success":true,"timestamp":\#(noonMs - 5),"user_id":null,"id":"x"} "#
  #expect(
    try listing(recent("\(error)\n\(late)\n[CACHE] HIT blog:1")) == [
      #"cache_error auth/user [u"1,7] 1/1 \#(error)"#,
      #"cache_invalidation profile/profile [,] -5 1/1 \#(late.dropFirst().dropLast())"#,
      "cache_hit web/blog [,] 1/1 [CACHE] HIT blog:1",
    ])
  #expect(try listing(recent(#"["[CACHE] HIT blog:1",\#(error)]"#)).map { $0.hasSuffix(#""[CACHE] HIT blog:1""#) } == [true, false])
}

@Test func recordsLendTheirIDsAndAreKeptWhole() throws {
  let plain = #"{"message":"Cache get error: x","user_id":"u1","correlation_id":"r\u0031","service":"api"}"#
  let nested = #"{"log":"{\"msg\":\"[CACHE] HIT blog:1\",\"correlation_id\":\"in\"}","user_id":"out","correlation_id":"out"}"#
  let own = #"{"msg":{"event_type":"cache_hit","user_id":"own"},"user_id":"out","correlation_id":"out"}"#
  let bare = #"{"msg":"[CACHE] HIT blog:1"}"#
  #expect(
    try listing(recent([plain, nested, own, bare, "[CACHE] HIT blog:1"].joined(separator: "\n"))) == [
      "cache_error api/default [u1,r1] 1/1 \(plain)", "cache_hit web/blog [out,in] 1/1 \(nested)",
      "cache_hit profile/profile [own,out] 1/1 \(own)", "cache_hit web/blog [,] 1/1 \(bare)",
      "cache_hit web/blog [,] 1/1 [CACHE] HIT blog:1",
    ])
}

@Test func everyProtocolKeepsItsRecords() throws {
  let loki = #"{"streams":[{"stream":{"app":"shop","cache":"cart"},"values":[["1760000000000000000","Cache get error: x"]]}]}"#
  let batch = try decoder().decode(Array(loki.utf8).span, as: .lokiJSON, receivedAtMs: noonMs)
  #expect(try listing(batch.recent) == ["cache_error shop/cart [,] 1/1 Cache get error: x"])
  let otlp = #"""
    {"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"api"}}]},"scopeLogs":[{"logRecords":[
    {"timeUnixNano":"1760000000000000000","eventName":"cache_hit","attributes":[{"key":"user_id","value":{"stringValue":"u1"}}]},
    {"timeUnixNano":"1760000000000000000","body":{"stringValue":"Cache get error: x"},
      "attributes":[{"key":"correlation_id","value":{"stringValue":"r1"}}]}]}]}]}
    """#
  let logs = try decoder().decode(Array(otlp.utf8).span, as: .otlpJSON, receivedAtMs: noonMs)
  let lines = try listing(logs.recent)
  #expect(lines.count == 2)
  #expect(lines[0].hasPrefix("cache_hit api/profile [u1,] 1/1 {"))
  #expect(lines[1] == "cache_error api/default [,r1] 1/1 Cache get error: x")
  let bulk = "{\"create\":{}}\n\(ordinary[0])\n{\"create\":{}}\n{\"event_type\":\"cache_x\"}\n"
  let result = try decoder().decode(bulk: Array(bulk.utf8).span, index: [], receivedAtMs: noonMs)
  #expect(try listing(result.batch.recent) == ["cache_hit profile/profile [,] 1/1 \(ordinary[0])"])
  let again = RejectedRecord(bytes: Array(notable[0].utf8), timeMs: noonMs - 9, service: "s", cache: "")
  let replayed = decoder().decode(again: [again], receivedAtMs: noonMs)
  #expect(try listing(replayed.batch.recent) == ["cache_error s/profile [,] -9 1/1 \(notable[0])"])
  #expect(replayed.batch.accepted == 1 && replayed.batch.recent.passedOver == 0)
}

@Test func whatIsNotCountedIsNotKept() throws {
  let bodies = ["", "hello", #"{"event_type":"cache_x"}"#, #"{"event_type":"cache_hit","timestamp":1}"#, #"{"event_type":"cache_error"}"#]
  for body in bodies { #expect(recent(body).isEmpty, "\(body)") }
  let off = decoder(bytesMax: 0), decoder = decoder()
  #expect(throws: BodyFault.self) { try decoder.decode(Array("[".utf8).span, as: .lokiJSON, receivedAtMs: noonMs) }
  #expect(recent("", decoder).isEmpty)
  let none = recent((notable + ordinary).joined(separator: "\n"), off)
  #expect(none.isEmpty && none.passedOver == 0)
}

@Test func recordsIDsAndBodiesAreBounded() throws {
  func error(_ fill: Int) -> String {
    #"{"event_type":"cache_error","operation":"get","fill":"\#(String(repeating: "x", count: fill))"}"#
  }
  let short = error(0).utf8.count
  #expect(try listing(recent(error(4096 - short)))[0].last == "}")
  #expect(try listing(recent(error(4097 - short)))[0].last == "…")
  #expect(recent(error(200_000)).bytes.count < 4_200)
  let id = String(repeating: "ä", count: 129)
  let kept = try listing(recent(#"{"event_type":"cache_hit","user_id":"\#(id)"}"#))[0]
  #expect(kept.contains("[\(id.dropLast()),]"))
  let body = Array(repeating: error(1_000), count: 100).joined(separator: "\n")
  let full = recent(body, decoder(bytesMax: 20_000))
  #expect(full.bytes.count <= 20_100 && full.bytes.count > 18_000)
  #expect(full.passedOver == 100 - full.count)
  // Of what is sampled an eighth, and the rate knows what had no room.
  let hits = recent(Array(repeating: ordinary[0], count: 1_000).joined(separator: "\n"), decoder(bytesMax: 20_000))
  #expect(hits.bytes.count <= 3_500 && hits.sampledOf == 1_000 && hits.sampled == hits.count)
}

@Test func theSampleStandsForAllWithinWhatChanceAllows() throws {
  let decoder = decoder(perSecond: 200)
  let body = Array(repeating: ordinary[0], count: 100).joined(separator: "\n")
  var sampled = 0, sampledOf = 0, lastSampled = 0
  // 20,000 a second in bodies of 100.
  for index in 0..<2_000 {
    let events = recent(body, decoder, at: noonMs + Int64(index) * 5)
    sampled += events.sampled
    sampledOf += events.sampledOf
    if index >= 1_800 { lastSampled += events.sampled }
    for start in try RecentEvent.starts(events.bytes) { #expect(try RecentEvent(events.bytes, at: start).weight >= 1) }
  }
  #expect(abs(sampledOf - 200_000) < 3_000, "\(sampledOf)")
  // The first second takes more, until it is known how many come.
  #expect((1_800...4_500).contains(sampled), "\(sampled)")
  #expect((150...250).contains(lastSampled), "\(lastSampled)")
}

@Test func aFilterComparesWholeValues() throws {
  let body = #"{"event_type":"cache_error","operation":"get","user_id":"u1","correlation_id":"r1","service":"s","cache":"c"}"#
  let bytes = recent(body).bytes
  let event = try RecentEvent(bytes, at: 0)
  func matches(_ change: (inout RecentEventFilter) -> Void) -> Bool {
    var filter = RecentEventFilter()
    change(&filter)
    return filter.matches(event, bytes)
  }
  #expect(matches { _ in })
  #expect(matches { $0.userID = Array("u1".utf8) } && !matches { $0.userID = Array("u".utf8) } && !matches { $0.userID = [] })
  #expect(matches { $0.correlationID = Array("r1".utf8) } && !matches { $0.correlationID = Array("r12".utf8) })
  #expect(matches { $0.service = Array("s".utf8) } && !matches { $0.cache = Array("s".utf8) })
  #expect(matches { $0.type = RecentEvent.type(named: "cache_error") } && !matches { $0.type = 0 })
  #expect(RecentEvent.type(named: "invalidation") == RecentEvent.type(named: "cache_invalidation"))
  #expect(RecentEvent.type(named: "login") == nil)
}

@Test func damagedBytesAreTold() throws {
  let bytes = recent(notable.joined(separator: "\n")).bytes
  for count in 1..<bytes.count {
    let cut = Array(bytes[..<count])
    guard let starts = try? RecentEvent.starts(cut) else { continue }
    for start in starts { _ = try RecentEvent(cut, at: start) }
  }
  for index in bytes.indices {
    var changed = bytes
    changed[index] ^= 0xff
    guard let starts = try? RecentEvent.starts(changed) else { continue }
    for start in starts {
      guard let event = try? RecentEvent(changed, at: start) else { continue }
      #expect(event.record.upperBound <= changed.count && event.type < RecentEvent.typeNames.count)
    }
  }
}
