// SPDX-License-Identifier: Apache-2.0

// The fast way against a slow counter over the tree, and against bytes that mean nothing.

import Ingest
import JSON
import TimeSeries
import Testing

/// Counts lookups and sets the slow way: dictionaries of strings.
private struct SlowCounter {
  var counts: [String: Int64] = [:]
  var sums: [String: Double] = [:]
  var buckets: [String: Int64] = [:]

  mutating func add(_ event: JSONValue) {
    let window = event["timestamp"]!.integer! / 10_000 * 10_000
    let pattern = event["key"]?.string.flatMap { KeyPatterns().match($0) }
    let cache = event["cache"]?.string ?? pattern?.cache ?? event["key"]?.string?.split(separator: ":").first.map(String.init)
    let service = event["service"]?.string ?? pattern?.service ?? "profile"
    var labels = [Label("cache", cache ?? "profile"), Label("service", service)]
    let tier = Label("tier", event["cache_tier"]?.string ?? "unknown")
    let cohort = Label("cohort", event["cohort"]?.string ?? "")
    func name(_ metric: String, _ more: [Label]) -> String { "\(Labels(metric: metric, labels + more)) @\(window)" }
    var operation = ""
    switch event["event_type"]!.string! {
    case "cache_hit":
      counts[name("cache_hits_total", [tier, cohort]), default: 0] += 1
      operation = "hit"
    case "cache_miss":
      counts[name("cache_misses_total", [cohort]), default: 0] += 1
      operation = "miss"
    default:
      counts[name("cache_bypasses_total", [cohort, Label("reason", event["reason"]!.string!)]), default: 0] += 1
      operation = "bypass"
    }
    guard let ms = event["duration_ms"]?.double else { return }
    labels += [cohort, Label("operation", operation)]
    if operation == "hit" { labels.append(tier) }
    let series = name("cache_operation_duration_seconds", [])
    sums[series, default: 0] += ms / 1000
    buckets["\(series) #\(DurationBuckets.index(ofSeconds: ms / 1000))", default: 0] += 1
  }
}

@Test func theFastCountEqualsTheSlowOne() throws {
  let seed = SeededRandom.seed(for: "theFastCountEqualsTheSlowOne")
  var random = SeededRandom(state: seed)
  let decoder = EventDecoder(settings: IngestSettings())
  for _ in 0..<20 {
    var slow = SlowCounter()
    var lines: [String] = []
    for _ in 0..<Int.random(in: 1...2000, using: &random) {
      var fields = [
        #""event_type":"\#(["cache_hit", "cache_miss", "cache_bypass"].randomElement(using: &random)!)""#,
        #""timestamp":\#(noonMs - Int64.random(in: 0...300_000, using: &random))"#,
        #""reason":"\#(["flag_off", "skip_header", "breaker_open"].randomElement(using: &random)!)""#,
      ]
      func sometimes(_ field: String) { if Bool.random(using: &random) { fields.append(field) } }
      sometimes(#""cache":"c\#(Int.random(in: 0...200, using: &random))é""#)
      sometimes(#""service":"s\#(Int.random(in: 0...3, using: &random))""#)
      sometimes(#""key":"\#(["user:id:5", "user:5", "other:1", "x:y:z"].randomElement(using: &random)!)""#)
      sometimes(#""cache_tier":"L\#(Int.random(in: 1...2, using: &random))""#)
      sometimes(#""cohort":"\#(["treatment", "control"].randomElement(using: &random)!)""#)
      sometimes(#""duration_ms":\#(Double.random(in: 0...100, using: &random))"#)
      sometimes(#""other":{"a":[1,"\u00e9"]}"#)
      fields.shuffle(using: &random)
      lines.append("{" + fields.joined(separator: ",") + "}")
      slow.add(try JSONValue(parsing: lines.last!))
    }
    let body = Array(lines.joined(separator: "\n").utf8)
    let batch = decoder.decode(body.span, receivedAtMs: noonMs)
    #expect(batch.accepted == lines.count, "seed \(seed): \(batch.rejections.map(\.reason))")
    let delta = batch.delta
    #expect(Set(delta.series).count == delta.series.count)
    let counts = delta.counts.map { ("\(delta.series[$0.series].labels) @\($0.windowStartMs)", $0.increment) }
    #expect(Dictionary(uniqueKeysWithValues: counts) == slow.counts, "seed \(seed)")
    var buckets: [String: Int64] = [:]
    for distribution in delta.distributions {
      let name = "\(delta.series[distribution.series].labels) @\(distribution.windowStartMs)"
      #expect(abs(distribution.sum - slow.sums[name, default: -1]) < 1e-9, "seed \(seed): \(name)")
      for bucket in distribution.buckets { buckets["\(name) #\(bucket.bucket)"] = bucket.count }
      #expect(distribution.buckets.map(\.bucket) == distribution.buckets.map(\.bucket).sorted())
    }
    #expect(delta.distributions.count == slow.sums.count)
    #expect(buckets == slow.buckets, "seed \(seed)")
  }
}

@Test func anyBytesAreCountedAsSomething() {
  let seed = SeededRandom.seed(for: "anyBytesAreCountedAsSomething")
  var random = SeededRandom(state: seed)
  let decoder = EventDecoder(settings: IngestSettings())
  let pieces = [
    #"{"event_type":"cache_hit","#, #""key":"a:b","#, "}", "{", "[", "]", "\n", "\r\n", "\"", "[CACHE] HIT ", "x:y", " (3.2ms)",
    "Cache ", "delete: ", ", ", "error for key ", ":", " error:", #"{"message":"[CACHE] HIT a"}"#, #"{"msg":"{}"}"#, "\\u00", "é",
    #""timestamp":1e11"#, ",", "Invalidated 5 cache keys matching ", "invalidated: programs + ", "INVALIDATE pattern ", "(1 keys)",
  ]
  for _ in 0..<20_000 {
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 0...12, using: &random) {
      if Int.random(in: 0..<8, using: &random) == 0 { bytes.append(UInt8.random(in: 0...255, using: &random)) }
      bytes += Array(pieces.randomElement(using: &random)!.utf8)
    }
    let batch = decoder.decode(bytes.span, receivedAtMs: noonMs)
    #expect(batch.rejections.count == batch.rejected, "seed \(seed)")
    #expect(batch.delta.isEmpty || batch.accepted > 0, "seed \(seed)")
    // Text without braces and brackets is lines, and every line that is not blank is one record.
    if !bytes.contains(where: { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "[") }) {
      let lines = bytes.split(separator: 0x0a).count { $0.contains { $0 > 0x20 } }
      #expect(batch.accepted + batch.rejected + batch.ignored == lines, "seed \(seed): \(bytes)")
    }
  }
}
