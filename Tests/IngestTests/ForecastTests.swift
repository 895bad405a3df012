// SPDX-License-Identifier: Apache-2.0

// What a decoder has learned from earlier lines, and the bytes behind a line, change nothing: each line of a body means
// what it means alone to a new decoder, to the last word of a reason.

import Ingest
import TimeSeries
import Testing

/// Counts and gauges by name and window, and the rejections.
private struct Outcome: Equatable {
  var sums: [String: Double] = [:]
  var counts = [0, 0, 0]
  var rejections: [String] = []

  mutating func add(_ batch: DecodedBatch) {
    let delta = batch.delta
    for count in delta.counts { sums["\(delta.series[count.series].labels) \(count.windowStartMs)", default: 0] += Double(count.increment) }
    for gauge in delta.gauges { sums["\(delta.series[gauge.series].labels) \(gauge.timestampMs)"] = gauge.value }
    for distribution in delta.distributions {
      for bucket in distribution.buckets {
        let name = "\(delta.series[distribution.series].labels) \(distribution.windowStartMs) \(bucket.bucket)"
        sums[name, default: 0] += Double(bucket.count)
      }
    }
    for (index, count) in [batch.accepted, batch.rejected, batch.ignored].enumerated() { counts[index] += count }
    rejections += batch.rejections.map { "\($0.reason) \(String(decoding: $0.bytes, as: UTF8.self))" }
  }
}

private func line(_ random: inout SeededRandom) -> String {
  let types = ["cache_hit", "cache_miss", "cache_set", "cache_bypass", "cache_invalidation", "cache_error", "other"]
  let minute = Int.random(in: 40...41, using: &random)
  let second = ["00", "09", "59", "60", "61", "5", "x1"].randomElement(using: &random)!
  let time = ["Z", ".000Z", ".123Z", ".123z", ".1234Z", ".12+01:00", ".1x3Z"].randomElement(using: &random)!
  // Of 13, 14 and 15 bytes: the longest names that are expected, and one past them.
  let other = ["thirteen_byte", "fourteen_bytes", "fifteen_bytes__", "a", "key\\u0041", "é"].randomElement(using: &random)!
  var fields = [
    #""event_type":"\#(types.randomElement(using: &random)!)""#, #""reason":"flag_off""#, #""operation":"get""#,
    #""timestamp":"2025-10-09T08:\#(minute):\#(second)\#(time)""#, #""success":\#(Bool.random(using: &random))"#,
    #""correlation_id":"00000001-\#(String(repeating: "7", count: Int.random(in: 0...20, using: &random)))""#,
    #""duration_ms":\#(["0.112", "12345678.5", "1e1", "-0", "00", "3", "\"4.5\"", "null"].randomElement(using: &random)!)"#,
    #""\#(other)":\#(["1", "\"x\"", "\"\\n\"", "[{}]", "null", "true", "\"é\""].randomElement(using: &random)!)"#,
    #""cache":"c\#(Int.random(in: 0...3, using: &random))""#, #""cache_tier":"L1""#, #""duration_ms":7"#,
  ]
  // The first six in order, as one sender writes them, the rest as they come.
  if Bool.random(using: &random) { fields.shuffle(using: &random) }
  fields.removeLast(Int.random(in: 0...4, using: &random))
  let comma = Int.random(in: 0..<4, using: &random) == 0 ? " , " : ","
  return "{" + fields.joined(separator: comma) + "}"
}

@Test func aLineMeansTheSameAloneAndAfterOthers() {
  let seed = SeededRandom.seed(for: "aLineMeansTheSameAloneAndAfterOthers")
  var random = SeededRandom(state: seed)
  let decoder = EventDecoder(settings: IngestSettings())
  let alphabet = Array("\"\\{}[]:,01e.- \t\u{e9}".utf8) + [0x00, 0x7f, 0xff]
  var accepted = 0
  for _ in 0..<150 {
    var lines: [[UInt8]] = []
    for _ in 0..<Int.random(in: 1...12, using: &random) {
      var bytes = Array(line(&random).utf8)
      if Int.random(in: 0..<4, using: &random) == 0 {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = alphabet.randomElement(using: &random)!
        case 1: bytes.remove(at: place)
        default: bytes.removeLast(bytes.count - place)
        }
      }
      // What does not begin with a brace may be read in another way as the first of a body.
      if bytes.first == UInt8(ascii: "{") { lines.append(bytes) }
    }
    var alone = Outcome()
    for line in lines { alone.add(EventDecoder(settings: IngestSettings()).decode(line.span, receivedAtMs: noonMs)) }
    var together = Outcome()
    let body = Array(lines.joined(separator: [0x0a]))
    together.add(decoder.decode(body.span, receivedAtMs: noonMs))
    accepted += together.counts[0]
    #expect(together == alone, "seed \(seed): \(String(decoding: body, as: UTF8.self))")
  }
  #expect(accepted > 100)
}

@Test func timesOfOneMinuteAreReadLikeAnyOther() {
  let decoder = EventDecoder(settings: IngestSettings())
  let minutes = ["2025-10-09T08:40", "2025-10-09 08:40", "2025-10-09T08:41", "2025-10-39T08:41", "2024-02-29T00:00"]
  let seconds = [":00.000Z", ":07.099Z", ":59.999Z", ":60.000Z", ":61.000Z", ":0a.000Z", ":00.00/Z", ":00.0:0Z", ";00.000Z", ":00,000Z"]
  for minute in minutes + minutes.reversed() {
    for second in seconds {
      let text = Array((minute + second).utf8)
      let batch = decoder.decode(
        Array(#"{"event_type":"cache_hit","timestamp":"\#(minute + second)"}"#.utf8).span, receivedAtMs: noonMs)
      #expect(batch.newestEventMs == EventTime.ms(rfc3339: text.span, 0, text.count), "\(minute + second)")
    }
  }
}

@Test func aLineIsReadAloneThoughJSONGoesOnBehindIt() {
  // The object would end, or go on, on the next line.
  for (body, accepted, rejected) in [
    ("{\"event_type\":\"cache_hit\"\n}\n{\"event_type\":\"cache_hit\"}", 1, 1),
    ("{\"event_type\":\"cache_hit\",\n\"a\":1}\n{\"event_type\":\"cache_hit\"}", 1, 1),
    ("{\"event_type\":\"cache_hit\",\"a\":[\n]}\n{\"event_type\":\"cache_hit\"}", 1, 1),
    ("{\"event_type\":\"cache_hit\",\"a\":1\n2}\n{\"event_type\":\"cache_hit\"}", 1, 1),
  ] {
    // A first line that is whole, so that the body is read by lines.
    let batch = decoded("{\"event_type\":\"cache_miss\"}\n" + body)
    #expect(batch.accepted == accepted + 1 && batch.rejected == rejected, "\(body) \(batch.rejections)")
  }
}
