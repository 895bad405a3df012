// SPDX-License-Identifier: Apache-2.0

// Long texts cut into bodies: together they are the text, and count what the whole would.

import Ingest
import Testing
import TimeSeries

private func parts(of text: [UInt8], chunk: Int, partBytes: Int = 64, lineBytesMax: Int = 32) throws -> [BodyPart] {
  var cutter = BodyCutter(partBytes: partBytes, lineBytesMax: lineBytesMax, documentBytesMax: 4096)
  var parts: [BodyPart] = []
  for start in stride(from: 0, to: text.count, by: chunk) {
    cutter.append { $0 += text[start..<min(start + chunk, text.count)] }
    while let part = try cutter.next() { parts.append(part) }
  }
  while let part = try cutter.finish() { parts.append(part) }
  return parts
}

private func parts(of text: String, chunk: Int = 7) throws -> [String] {
  try parts(of: Array(text.utf8), chunk: chunk).map { String(decoding: $0.bytes, as: UTF8.self) }
}

@Test func aTextIsCutAtLineEnds() throws {
  #expect(try parts(of: "") == [])
  #expect(try parts(of: "a\nb") == ["a\nb"])
  let line = "[CACHE] HIT user:5"
  #expect(
    try parts(of: Array(repeating: line, count: 5).joined(separator: "\n")) == [
      "\(line)\n\(line)\n\(line)\n", "\(line)\n\(line)",
    ])
}

@Test func jsonThatDoesNotKeepToLinesStaysWhole() throws {
  let array = "[\n" + Array(repeating: #"{"event_type":"cache_hit"}"#, count: 9).joined(separator: ",\n") + "\n]\n"
  let whole = try parts(of: Array(array.utf8), chunk: 50)
  #expect(whole.map(\.bytes) == [Array(array.utf8)] && whole.map(\.framing) == [.byContent])
  // A line that is an array is a line.
  let lines = Array(repeating: #"[{"event_type":"cache_hit"}]"#, count: 9).joined(separator: "\n")
  #expect(try parts(of: Array(lines.utf8), chunk: 50).count > 1)
  #expect(throws: UncuttableText.self) { try parts(of: Array("[{\n".utf8) + [UInt8](repeating: 0x20, count: 5_000), chunk: 512) }
}

@Test func ofALineThatIsTooLongOneRecordIsLeft() throws {
  let long = "{" + String(repeating: "x", count: 500)
  let cut = try parts(of: Array("a\n\(long)\nb\nc".utf8), chunk: 11)
  #expect(cut.map { String(decoding: $0.bytes, as: UTF8.self) } == ["a\n", String(long.prefix(33)), "b\nc"])
  #expect(cut.map(\.firstLine) == [1, 2, 3])
  #expect(try parts(of: Array(long.utf8), chunk: 600).map(\.bytes.count) == [33])
}

@Test func partsCountWhatTheWholeWould() throws {
  let seed = SeededRandom.seed(for: "partsCountWhatTheWholeWould")
  var random = SeededRandom(state: seed)
  let lines = [
    #"{"event_type":"cache_hit"}"#, "[CACHE] HIT user:5", "{", "", "hello", #"{"event_type":"cache_x"}"#, "Cache miss: a:\u{e9}",
    #"[{"event_type":"cache_hit"}]"#, String(repeating: "y", count: 300), #"{"event_type":"cache_hit"}{"event_type":"cache_hit"}"#,
  ]
  var settings = IngestSettings()
  settings.lineBytesMax = 64
  let decoder = EventDecoder(settings: settings)
  let origin = EventOrigin(framing: .lines)
  for _ in 0..<500 {
    // Plain text first, which is a text of lines whatever follows.
    let text = Array((["x"] + (0..<Int.random(in: 0...60, using: &random)).map { _ in lines.randomElement(using: &random)! })
      .joined(separator: "\n").utf8)
    let whole = decoder.decode(text.span, from: origin, receivedAtMs: noonMs)
    var sums = [0, 0, 0]
    var rejected: [Int] = []
    for part in try parts(of: text, chunk: Int.random(in: 1...200, using: &random), partBytes: 200, lineBytesMax: 64) {
      #expect(part.framing == .lines)
      let batch = decoder.decode(part.bytes.span, from: origin, receivedAtMs: noonMs)
      sums = [sums[0] + batch.accepted, sums[1] + batch.rejected, sums[2] + batch.ignored]
      rejected += batch.rejections.map { $0.line + part.firstLine - 1 }
    }
    #expect(sums == [whole.accepted, whole.rejected, whole.ignored], "seed \(seed)")
    #expect(rejected == whole.rejections.map(\.line), "seed \(seed)")
  }
}

@Test func anOriginLendsWhatNothingElseTells() {
  let decoder = EventDecoder(settings: IngestSettings())
  let body = Array(#"{"event_type":"cache_hit"}"#.utf8) + Array("\n[CACHE] HIT user:id:5".utf8)
  let batch = decoder.decode(body.span, from: EventOrigin(service: "shop", cache: "cart"), receivedAtMs: noonMs)
  #expect(batch.delta.series.map { "\($0.labels)" }.sorted() == [
    #"cache_hits_total{cache="cart",service="shop",tier="unknown"}"#, #"cache_hits_total{cache="user",service="auth",tier="L2"}"#,
  ])
  // The next body is its own.
  let next = decoder.decode(body.span, receivedAtMs: noonMs)
  #expect(next.delta.series.contains { "\($0.labels)".contains(#"cache="profile""#) })
}
