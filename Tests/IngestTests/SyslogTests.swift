// SPDX-License-Identifier: Apache-2.0

// Syslog's framings and headers, as programs write them.

import Ingest
import JSON
import Testing

private let priority = "<13>"
private let hourMs: Int64 = 3_600_000

private func header(_ line: String, zoneOffsetMs: Int64 = 0) -> (message: String, timestampMs: Int64?) {
  let bytes = Array(line.utf8)
  let header = SyslogHeader(bytes.span, zoneOffsetMs: zoneOffsetMs, receivedAtMs: noonMs)
  return (String(decoding: bytes[header.messageStart...], as: UTF8.self), header.timestampMs)
}

@Test(arguments: [
  ("<165>1 2025-10-09T08:53:20.5Z host app 12 ID - [CACHE] HIT a:1", "[CACHE] HIT a:1", 1_760_000_000_500),
  (#"<165>1 2025-10-09T10:53:20+02:00 host app - - [x@1 a="]\"" b="c"][y] {"a":1}"#, #"{"a":1}"#, 1_760_000_000_000),
  ("<165>1 - - - - - - \u{feff}Cache hit: a", "Cache hit: a", nil),
  ("<165>1 2025-10-09T08:53:20Z host app - - - @cee: {\"a\":1}", "{\"a\":1}", 1_760_000_000_000),
  ("<165>1 2025-10-09T08:53:20Z host app - - -", "", 1_760_000_000_000),
  ("<13>Oct  9 08:53:20 host app[12]: Cache hit: a", "Cache hit: a", 1_760_000_000_000),
  ("<13>Oct 09 08:53:20 host app: @cee:{\"a\":1}", "{\"a\":1}", 1_760_000_000_000),
  ("<13>Oct  9 08:53:20 app[12]: Cache hit: a", "Cache hit: a", 1_760_000_000_000),
  ("<13>Oct  9 08:53:20 host [CACHE] HIT a:1", "[CACHE] HIT a:1", 1_760_000_000_000),
  ("<13>Oct  9 08:53:20 host {\"a\":1}", "{\"a\":1}", 1_760_000_000_000),
  ("<13>2025-10-09T08:53:20Z host /usr/bin/app[1]: x", "x", 1_760_000_000_000),
  ("<13>[CACHE] HIT a:1", "[CACHE] HIT a:1", nil), ("[CACHE] HIT a:1", "[CACHE] HIT a:1", nil),
  ("<>x", "<>x", nil), ("<1234>x", "<1234>x", nil), ("<13", "<13", nil), ("<13>1", "", nil), ("<13>1 ", "", nil),
  ("<13>Oct 99 08:53:20 host x", "Oct 99 08:53:20 host x", nil),
])
func headersAreTakenOff(line: String, message: String, timestampMs: Int64?) {
  let found = header(line)
  #expect(found.message == message)
  #expect(found.timestampMs == timestampMs)
}

@Test func timesWithoutYearAndZoneAreTheNearestLocalOnes() {
  #expect(header("<13>Oct  9 10:53:20 h x", zoneOffsetMs: 2 * hourMs).timestampMs == 1_760_000_000_000)
  // New Year's Eve, received in the first minutes of 2026, and the other way round.
  for (received, line, expected) in [
    (1_767_225_700_000, "<13>Dec 31 23:59:59 h x", 1_767_225_599_000), (1_767_225_500_000, "<13>Jan  1 00:00:05 h x", 1_767_225_605_000),
  ] as [(Int64, String, Int64)] {
    let bytes = Array(line.utf8)
    #expect(SyslogHeader(bytes.span, zoneOffsetMs: 0, receivedAtMs: received).timestampMs == expected)
  }
}

private func framed(_ stream: [UInt8], pieces: [Int], bytesMax: Int = 64) -> [String] {
  var framing = SyslogFraming(messageBytesMax: bytesMax)
  var messages = SyslogMessages()
  var start = 0
  for piece in pieces where start < stream.count {
    framing.append(stream[start..<min(start + piece, stream.count)], to: &messages)
    start += piece
  }
  if start < stream.count { framing.append(stream[start...], to: &messages) }
  framing.finish(to: &messages)
  return messages.ranges.map { String(decoding: messages.bytes[$0], as: UTF8.self) }
}

@Test(arguments: [
  ("<1>a\n<1>b\n", ["<1>a", "<1>b"]), ("<1>a\n\n<1>b", ["<1>a", "<1>b"]), ("4 <1>a4 <1>b", ["<1>a", "<1>b"]),
  ("6 <1>a\nb<1>c\n4 <1>d", ["<1>a\nb", "<1>c", "<1>d"]), ("4 <1>", []), ("2026-11-21 x\n4 y\n", ["2026-11-21 x", "4 y"]),
  ("12", ["12"]), ("0 <1>a\n", ["0 <1>a"]),
])
func bothFramingsAreReadMessageByMessage(stream: String, messages: [String]) {
  for piece in 1...stream.utf8.count {
    #expect(framed(Array(stream.utf8), pieces: Array(repeating: piece, count: 40)) == messages, "in pieces of \(piece)")
  }
}

@Test func aMessageThatIsTooLongIsGivenOutCut() {
  let long = "<1>" + String(repeating: "x", count: 200)
  for stream in ["\(long)\n<1>b\n", "203 \(long)4 <1>b"] {
    for piece in [1, 7, 64, 500] {
      let messages = framed(Array(stream.utf8), pieces: Array(repeating: piece, count: 400))
      #expect(messages == [String(long.prefix(65)), "<1>b"], "in pieces of \(piece)")
    }
  }
}

@Test func anyStreamIsCutAlikeInAnyPieces() {
  let seed = SeededRandom.seed(for: "anyStreamIsCutAlikeInAnyPieces")
  var random = SeededRandom(state: seed)
  let alphabet = Array("0123456789 <>\nabc[]\"\\:".utf8)
  let decoder = EventDecoder(settings: IngestSettings())
  for _ in 0..<3_000 {
    let stream = (0..<Int.random(in: 0...300, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
    let whole = framed(stream, pieces: [stream.count])
    let pieces = (0..<300).map { _ in Int.random(in: 1...40, using: &random) }
    #expect(framed(stream, pieces: pieces) == whole, "seed \(seed)")
    var messages = SyslogMessages()
    for message in whole { messages.append(Array("<13>1 \(message)".utf8)[...]) }
    let batch = decoder.decode(syslog: messages, from: EventOrigin(), zoneOffsetMs: 0, receivedAtMs: noonMs)
    #expect(batch.rejections.count == batch.rejected, "seed \(seed)")
  }
}

@Test func messagesAreReadLikeLines() {
  var messages = SyslogMessages()
  for text in [
    "<13>Oct  9 08:53:20 host app: [CACHE] HIT user:id:5", #"<13>1 2025-10-09T08:53:20Z h a - - - {"event_type":"cache_hit"}"#,
    #"<13>Oct  9 08:53:20 host app: @cee: {"msg":"Cache miss: a:1"}"#, "<13>hello\0", #"<13>{"event_type":"cache_x"}"#, "<13>", " ",
  ] { messages.append(Array(text.utf8)[...]) }
  let batch = EventDecoder(settings: IngestSettings()).decode(
    syslog: messages, from: EventOrigin(service: "shop", cache: "cart"), zoneOffsetMs: 0, receivedAtMs: noonMs)
  #expect([batch.accepted, batch.rejected, batch.ignored] == [3, 1, 2])
  #expect(batch.newestEventMs == 1_760_000_000_000)
  #expect(batch.rejections.map(\.line) == [5])
}

@Test func whatIsRejectedIsKeptWithoutItsHeaderAndWithItsTime() {
  var messages = SyslogMessages()
  let wrong = #"{"event_type":"cache_x"}"#
  for header in ["<13>Oct  9 08:53:20 host app: ", "<13>1 2025-10-09T08:53:20Z h a - - - ", "<13>Oct  9 08:53:20 app: @cee:", "<13>"] {
    messages.append(Array("\(header)\(wrong)".utf8)[...])
  }
  let batch = EventDecoder(settings: IngestSettings()).decode(
    syslog: messages, from: EventOrigin(service: "shop", cache: "cart"), zoneOffsetMs: 0, receivedAtMs: noonMs)
  #expect(batch.rejections.allSatisfy { String(decoding: $0.bytes, as: UTF8.self) == wrong && $0.record.service == "shop" })
  #expect(batch.rejections.map(\.record.timeMs) == [1_760_000_000_000, 1_760_000_000_000, 1_760_000_000_000, nil])
}
