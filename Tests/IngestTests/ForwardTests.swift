// SPDX-License-Identifier: Apache-2.0

// Fluent's forward protocol: its modes, the bytes of its clients, and what breaks it.

import Ingest
import Testing
import TimeSeries

private let noon = UInt32(noonMs / 1000)
private let hit = Packed.map([("event_type", .text("cache_hit")), ("cache_tier", .text("L1"))])
private let miss = Packed.map([("message", .text("Cache miss: user:id:1"))])
private let other = Packed.map([("message", .text("hello"))])
private let wrong = Packed.map([("event_type", .text("cache_x"))])

private func entry(_ time: Packed, _ record: Packed) -> Packed { .array([time, record]) }

private let entries = [
  entry(.time(noon, 5_000_000), hit), entry(.int(Int64(noon)), miss), entry(.array([.time(noon), .map([])]), other),
  entry(.double(Double(noon) + 0.5), wrong),
]
private let packedEntries = entries.flatMap(\.bytes)

/// A message's own account of itself, and its events.
private struct Reading {
  var batch = decoded("")
  var ack: [UInt8]?
  var key: [UInt8]?
  var isHeartbeat = false
  var compression = ForwardMessage.Compression.none
}

private func understood(_ bytes: [UInt8], decompressed: [UInt8]? = nil, at receivedAtMs: Int64 = noonMs) throws(BodyFault) -> Reading {
  var framing = ForwardFraming(messageBytesMax: 1 << 20)
  framing.append(bytes)
  var reading = Reading()
  guard let range = try framing.next() else { throw BodyFault(reason: "not whole") }
  guard let message = try ForwardMessage(framing.bytes.span, range) else {
    reading.isHeartbeat = true
    return reading
  }
  reading.key = message.key(framing.bytes.span)
  reading.ack = message.ack(framing.bytes.span)
  reading.compression = message.compression
  var entries: [UInt8] = []
  try message.appendEntries(framing.bytes.span, to: &entries)
  entries = decompressed ?? entries
  reading.batch = EventDecoder(settings: IngestSettings()).decode(
    forward: entries.span, from: EventOrigin(service: "shop", cache: "cart"), receivedAtMs: receivedAtMs)
  return reading
}

private func message(_ values: Packed...) -> [UInt8] { Packed.array(values).bytes }

@Test func everyModeReadsTheSameEntries() throws {
  let options = Packed.map([("size", .int(4)), ("chunk", .text("c1")), ("x", .array([.map([("y", .null)])]))])
  let plain = [
    message(.text("app"), .array(entries), options), message(.text("app"), .bytes(packedEntries), options),
    // As encoders write bytes that know texts alone.
    message(.text("app"), .raw([0xda] + bigEndian(UInt64(packedEntries.count), 2) + packedEntries), options),
  ]
  var readings = try plain.map { try understood($0) }
  for (name, compression) in [("gzip", ForwardMessage.Compression.gzip), ("zstd", .zstd)] {
    let bytes = message(.text("app"), .bytes([1, 2]), .map([("compressed", .text(name)), ("chunk", .text("c1"))]))
    readings.append(try understood(bytes, decompressed: packedEntries))
    #expect(readings.last?.compression == compression)
  }
  for reading in readings {
    #expect([reading.batch.accepted, reading.batch.ignored, reading.batch.rejected] == [2, 1, 1])
    #expect(
      listing(reading.batch.delta) == [
        #"cache_hits_total{cache="cart",service="shop",tier="L1"} +1"#, #"cache_misses_total{cache="user",service="auth"} +1"#,
      ])
    #expect(reading.batch.newestEventMs == noonMs + 5)
    #expect(reading.batch.rejections.map(\.line) == [4] && reading.batch.rejections[0].record.timeMs == noonMs + 500)
    #expect(String(decoding: reading.batch.rejections[0].bytes, as: UTF8.self) == #"{"event_type":"cache_x"}"#)
    #expect(reading.ack == [0x81, 0xa3] + Array("ack".utf8) + [0xa2] + Array("c1".utf8))
    #expect(reading.key == [0xa2] + Array("c1app".utf8))
  }
}

/// The specification's own example, and what clients send.
@Test(arguments: [
  // fluent-logger: ["app.a", 1760000000, {"event_type": "cache_hit"}]
  [0x93, 0xa5, 0x61, 0x70, 0x70, 0x2e, 0x61, 0xce, 0x68, 0xe7, 0x78, 0x00, 0x81, 0xaa] + Array("event_type".utf8) + [0xa9]
    + Array("cache_hit".utf8),
  // The same with nanoseconds: an extension of type 0.
  [0x93, 0xa5, 0x61, 0x70, 0x70, 0x2e, 0x61, 0xd7, 0x00, 0x68, 0xe7, 0x78, 0x00, 0x00, 0x00, 0x00, 0x07, 0x81, 0xaa]
    + Array("event_type".utf8) + [0xa9] + Array("cache_hit".utf8),
  // Docker's driver: the line in `log`, and options without a chunk.
  [0x94, 0xa1, 0x78, 0xce, 0x68, 0xe7, 0x78, 0x00, 0x82, 0xa6] + Array("source".utf8) + [0xa6] + Array("stdout".utf8) + [0xa3]
    + Array("log".utf8) + [0xd9, 0x1a] + Array(#"{"event_type":"cache_hit"}"#.utf8) + [0x80],
] as [[UInt8]])
func theBytesOfAMessage(bytes: [UInt8]) throws {
  let reading = try understood(bytes, at: 1_760_000_010_000)
  #expect(reading.batch.accepted == 1 && reading.ack == nil && reading.key == nil)
  #expect(reading.batch.newestEventMs == 1_760_000_000_000)
}

@Test func aHeartbeatIsNoMessage() throws {
  #expect(try understood([0xc0]).isHeartbeat)
}

@Test func metricsAndTracesAreAcknowledgedAndPassedOver() throws {
  for signal in 1...2 {
    let reading = try understood(message(.text("m"), .bytes([0xc1]), .map([("fluent_signal", .int(Int64(signal))), ("chunk", .text("x"))])))
    #expect(reading.ack != nil && reading.batch.accepted + reading.batch.ignored + reading.batch.rejected == 0)
  }
}

@Test(arguments: [
  (.int(0), nil), (.null, nil), (.time(0), nil), (.time(1, 999_999_999), 1_999), (.int(-5), -5_000), (.double(1.5), 1_500),
  (.int(1_760_000_000_123), 1_760_000_000_123), (.array([.time(7), .map([("a", .int(1))])]), 7_000), (.array([.int(7)]), 7_000),
  (.time(.max), 4_294_967_295_000),
] as [(Packed, Int64?)])
func timesOfEntries(time: Packed, expectedMs: Int64?) throws {
  let batch = try understood(message(.text("t"), time, wrong)).batch
  // The second member of a message that is an array is its entries.
  let alone = try understood(message(.text("t"), .array([entry(time, wrong)]))).batch
  #expect(alone.rejections.map(\.record.timeMs) == [expectedMs])
  if case .array = time { return }
  #expect(batch.rejections.map(\.record.timeMs) == [expectedMs])
}

@Test(arguments: [
  (.array([entry(.text("now"), hit)]), "time: must be"), (.array([entry(.ext(1, [0, 0, 0, 0, 0, 0, 0, 0]), hit)]), "time: must be"),
  (.array([entry(.ext(0, [0]), hit)]), "time: must be"), (.array([entry(.unsigned(.max), hit)]), "time: must be"),
  (.array([entry(.double(.nan), hit)]), "time: must be"), (.array([entry(.array([]), hit)]), "time: must be"),
  (.array([entry(.array([.array([.int(1)]), .int(2)]), hit)]), "time: must be"), (.array([entry(.map([]), hit)]), "time: must be"),
  (.array([.map([])]), "entry: must be"), (.array([.array([.int(1)])]), "entry: must be"), (.array([.int(5)]), "entry: must be"),
  (.array([entry(.int(1), .text("x"))]), "record: must be"), (.bytes([0x92, 0x00, 0xc0]), "record: must be"),
] as [(Packed, String)])
func anEntryOfAnotherShapeIsOneRejectedRecord(entries: Packed, reason: String) throws {
  let good = entry(.int(Int64(noon)), hit).bytes
  let bytes: [UInt8]
  switch entries {
  case .array(let values): bytes = message(.text("t"), .array([.raw(good)] + values + [.raw(good)]))
  default: bytes = message(.text("t"), .bytes(good + entries.contentBytes + good))
  }
  let batch = try understood(bytes).batch
  #expect([batch.accepted, batch.rejected] == [2, 1])
  #expect(batch.rejections[0].reason.hasPrefix(reason) && batch.rejections[0].line == 2, "\(batch.rejections)")
}

@Test(arguments: [
  ([0x05], "message: must be"), ([0x81, 0xa1, 0x61, 0x01], "message: must be"), ([0x91, 0xa1, 0x61], "message: must be"),
  (message(.int(1), .array([])), "tag: must be"), (message(.null, .int(0), .map([])), "tag: must be"),
  (message(.text("t"), .array([]), .int(1)), "options: must be"), (message(.text("t"), .array([]), .map([]), .map([])), "message: has"),
  (message(.text("t"), .int(1)), "message: has a time and no record"),
  (message(.text("t"), .bytes([0x92, 0x00])), "broken MessagePack at byte 3: it ends"),
  (message(.text("t"), .bytes([0xc1])), "broken MessagePack at byte 1: no value"),
  ([0x93, 0xa1, 0x74, 0xc1], "broken MessagePack at byte 4: no value"),
  (message(.text("t"), .array([]), .map([("chunk", .int(5))])), "chunk: must be"),
  (message(.text("t"), .array([]), .map([("chunk", .text(""))])), "chunk: must be"),
  (message(.text("t"), .array([]), .map([("chunk", .text(String(repeating: "c", count: 257)))])), "chunk: must be"),
  (message(.text("t"), .bytes([]), .map([("compressed", .text("lz4"))])), "compressed: must be"),
  (message(.text("t"), .array([]), .map([("compressed", .text("gzip"))])), "compressed: only"),
  (message(.text("t"), .array([]), .raw([0x81, 0x01, 0x02])), "options: a name"),
] as [([UInt8], String)])
func aBrokenMessageSaysWhy(bytes: [UInt8], reason: String) {
  let fault = #expect(throws: BodyFault.self) { try understood(bytes) }
  #expect(fault?.reason.hasPrefix(reason) == true, "\(String(describing: fault))")
}

@Test func aMessageThatMustBecomeTooLongIsRefusedAtOnce() throws {
  for head in [
    [0x92, 0xa1, 0x74, 0xc6, 0xff, 0xff, 0xff, 0xff], [0x92, 0xa1, 0x74, 0xdd, 0xff, 0xff, 0xff, 0xff],
    [0x93, 0xa1, 0x74, 0x00, 0xdf, 0xff, 0xff, 0xff, 0xff], [0xdd, 0xff, 0xff, 0xff, 0xff], [0xdb, 0x00, 0x00, 0x01, 0x00],
  ] as [[UInt8]] {
    var framing = ForwardFraming(messageBytesMax: 255)
    framing.append(head)
    let fault = #expect(throws: BodyFault.self) { try framing.next() }
    #expect(fault?.reason.hasPrefix("a message has more than 255 bytes") == true)
  }
  for (count, fits) in [(250, true), (251, false)] {
    var framing = ForwardFraming(messageBytesMax: 255)
    framing.append(message(.text("t"), .bytes([UInt8](repeating: 0, count: count))))
    let range = try? framing.next()
    #expect((range != nil) == fits)
  }
}

@Test func nestingIsWalkedWithoutAStack() throws {
  let deep = [UInt8](repeating: 0x91, count: 400_000) + [0xc0]
  let deepEntries = [entry(.raw(deep), hit), entry(.int(1), .raw(deep)), entry(.int(Int64(noon)), hit)]
  let batch = try understood(message(.text("t"), .bytes(deepEntries.flatMap(\.bytes)))).batch
  #expect([batch.accepted, batch.rejected] == [1, 2])
  var nested = hit
  for _ in 0..<3 { nested = .map([("message", nested)]) }
  #expect(try understood(message(.text("t"), .int(Int64(noon)), nested)).batch.accepted == 1)
  #expect(try understood(message(.text("t"), .int(Int64(noon)), .map([("message", nested)]))).batch.ignored == 1)
}

@Test func wholeNumbersKeepAllTheirDigits() throws {
  for number in [UInt64(1) << 63, 1 << 63 + 5, .max, 1 << 53 + 1] {
    let record = Packed.map([
      ("event_type", .text("cache_hit")), ("cache", .raw([0xcf] + bigEndian(number, 8))),
    ])
    let reading = try understood(message(.text("app"), .array([entry(.int(Int64(noon)), record)])))
    #expect(reading.batch.delta.series.contains { $0.labels.description.contains("\"\(number)\"") }, "\(reading.batch.delta.series)")
  }
}

@Test func aRecordIsReadLikeAnObject() throws {
  let record = Packed.map([
    ("event_type", .bytes(Array("cache_bulk".utf8))), ("requested", .unsigned(5)), ("hits", .int(3)), ("misses", .float(2)),
    ("duration_ms", .double(2.5)), ("success", .bool(true)), ("cache_tier", .text("L2")), ("key", .text("\u{1}é:\"")),
    ("timestamp", .time(noon - 60)), ("unknown", .array([.map([("event_type", .text("x"))])])), ("service", .null),
  ])
  let batch = try understood(message(.text("t"), .int(Int64(noon)), record)).batch
  #expect(batch.newestEventMs == noonMs - 60_000)
  #expect(
    listing(batch.delta).prefix(2) == [
      "cache_hits_total{cache=\"\u{fffd}é\",service=\"shop\",tier=\"L2\"} +3",
      "cache_misses_total{cache=\"\u{fffd}é\",service=\"shop\"} +2",
    ])
  let lent = Packed.map([
    ("service", .text("api")), ("time", .int(Int64(noon) - 5)),
    ("log", .map([("event_type", .text("cache_hit"))])), ("id", .text("7")),
  ])
  let outcome = try understood(message(.text("t"), .int(Int64(noon)), lent)).batch
  #expect(listing(outcome.delta) == [#"cache_hits_total{cache="cart",service="api",tier="unknown"} +1"#])
  #expect(outcome.newestEventMs == noonMs - 5_000)
}

@Test func aRecordThatIsTooLongIsRejectedAndCut() throws {
  let long = Packed.map([("event_type", .text("cache_hit")), ("message", .text(String(repeating: "x", count: 300_000)))])
  let batch = try understood(message(.text("t"), .array([entry(.int(Int64(noon)), long), entry(.int(Int64(noon)), hit)]))).batch
  #expect([batch.accepted, batch.rejected] == [1, 1])
  #expect(batch.rejections[0].reason.hasPrefix("longer than 262144 bytes") && !batch.rejections[0].isWhole)
  // What means nothing is not counted towards it.
  let large = Packed.map([("event_type", .text("cache_hit")), ("stack", .text(String(repeating: "x", count: 300_000)))])
  #expect(try understood(message(.text("t"), .int(Int64(noon)), large)).batch.accepted == 1)
}

// MARK: Random streams

extension Packed {
  fileprivate var contentBytes: [UInt8] {
    if case .bytes(let bytes) = self { return bytes }
    return bytes
  }

  fileprivate static func random(_ random: inout SeededRandom, depth: Int) -> Packed {
    let count = Int.random(in: 0...20, using: &random)
    switch Int.random(in: 0..<(depth > 0 ? 11 : 9), using: &random) {
    case 0: return .null
    case 1: return .bool(.random(using: &random))
    case 2: return .int(Int64(bitPattern: random.next()) >> Int64.random(in: 0...63, using: &random))
    case 3: return .unsigned(random.next())
    case 4: return .double(Double(bitPattern: random.next()))
    case 5: return .float(Float(bitPattern: UInt32(truncatingIfNeeded: random.next())))
    case 6: return .text(String((0..<count * 20).map { _ in "aé\"\\\n☃𐍈".randomElement(using: &random)! }))
    case 7: return .bytes((0..<count * 20).map { _ in UInt8.random(in: 0...255, using: &random) })
    case 8: return .ext(UInt8.random(in: 0...1, using: &random), (0..<count).map { UInt8($0) })
    case 9: return .array((0..<count).map { _ in Packed.random(&random, depth: depth - 1) })
    default: return randomMap(&random, depth: depth - 1)
    }
  }

  fileprivate static func randomMap(_ random: inout SeededRandom, depth: Int) -> Packed {
    let names = ["event_type", "message", "log", "key", "cache", "service", "duration_ms", "timestamp", "time", "x", "é\""]
    let count = Int.random(in: 0...18, using: &random)
    return .map((0..<count).map { _ in (names.randomElement(using: &random)!, Packed.random(&random, depth: depth)) })
  }
}

@Test func anyMapIsOneRecordInAnyPiecesOfTheStream() throws {
  let seed = SeededRandom.seed(for: "anyMapIsOneRecordInAnyPiecesOfTheStream")
  var random = SeededRandom(state: seed)
  let decoder = EventDecoder(settings: IngestSettings())
  for _ in 0..<400 {
    var stream: [UInt8] = []
    var expected = 0
    for _ in 0..<Int.random(in: 1...5, using: &random) {
      let records = (0..<Int.random(in: 1...4, using: &random)).map { _ in
        entry(.time(noon), Bool.random(using: &random) ? hit : Packed.randomMap(&random, depth: 3))
      }
      stream += [0xc0] + message(.text("t"), Bool.random(using: &random) ? .array(records) : .bytes(records.flatMap(\.bytes)))
      expected += records.count
    }
    var framing = ForwardFraming(messageBytesMax: 1 << 24)
    var found = 0
    var start = 0
    while start < stream.count {
      let end = min(start + Int.random(in: 1...(Bool.random(using: &random) ? 9 : 900), using: &random), stream.count)
      framing.append(Array(stream[start..<end]))
      while let range = try framing.next() {
        guard let message = try ForwardMessage(framing.bytes.span, range) else { continue }
        var entries: [UInt8] = []
        try message.appendEntries(framing.bytes.span, to: &entries)
        let batch = decoder.decode(forward: entries.span, from: EventOrigin(), receivedAtMs: noonMs)
        found += batch.accepted + batch.rejected + batch.ignored
        #expect(batch.rejections.count == batch.rejected, "seed \(seed)")
      }
      framing.removeRead()
      start = end
    }
    #expect(found == expected && framing.bytes.isEmpty, "seed \(seed)")
  }
}

@Test func mutatedMessagesAreReadOrRefused() {
  let seed = SeededRandom.seed(for: "mutatedMessagesAreReadOrRefused")
  var random = SeededRandom(state: seed)
  let decoder = EventDecoder(settings: IngestSettings())
  let options = Packed.map([("chunk", .text("c")), ("size", .int(4)), ("compressed", .text("text"))])
  for body in [
    message(.text("app"), .array(entries), options), message(.text("app"), .bytes(packedEntries), options),
    message(.text("app"), .time(noon), hit, options),
  ] {
    for _ in 0..<20_000 {
      var bytes = body
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: index)
        default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
        }
      }
      if let batch = try? understood(bytes).batch {
        #expect(batch.rejections.count == batch.rejected && (batch.delta.isEmpty || batch.accepted > 0), "seed \(seed)")
      }
      // Entries that nobody has checked are read up to where they break.
      let unchecked = decoder.decode(forward: bytes.span, from: EventOrigin(), receivedAtMs: noonMs)
      #expect(unchecked.rejections.count == unchecked.rejected, "seed \(seed)")
    }
  }
}
