// SPDX-License-Identifier: Apache-2.0

// Which keys are looked up most, against dictionaries that count every one.

import Ingest
import Testing

private let slice = HotKeys.sliceMs
/// The beginning of a slice.
private let startMs = noonMs / HotKeys.sliceMs * HotKeys.sliceMs

private func decoder(samplesPerSecond: Int = 1 << 40) -> EventDecoder {
  var settings = IngestSettings()
  settings.keySamplesPerSecond = samplesPerSecond
  return EventDecoder(settings: settings)
}

private func lookup(_ key: String, cache: String = "c", type: String = "cache_hit") -> String {
  #"{"event_type":"\#(type)","service":"s","cache":"\#(cache)","key":"\#(key)"}"#
}

private func samples(
  _ lines: [String], _ decoder: EventDecoder = decoder(), at receivedMs: Int64 = startMs
) -> KeySamples {
  let body = Array(lines.joined(separator: "\n").utf8)
  return decoder.decode(body.span, receivedAtMs: receivedMs).keys
}

private func keys(_ lines: [String]) -> HotKeys {
  var keys = HotKeys(startedMs: startMs)
  keys.add(samples(lines), receivedMs: startMs)
  return keys
}

extension HotKeys {
  /// One line a key.
  fileprivate func listing(limit: Int = 100, at nowMs: Int64 = startMs) -> [String] {
    caches(service: nil, cache: nil, limit: limit, nowMs: nowMs).flatMap { cache in
      cache.keys.map { "\(cache.place.cache) \(String(decoding: $0.key, as: UTF8.self)) \($0.count)±\($0.error)" }
    }
  }
}

/// Key k with a weight of 1 / (k + 1), by a table of a thousand draws.
private struct Skewed {
  private let ranks: [Int]

  init(_ count: Int) {
    let sum = (1...count).map { 1 / Double($0) }.reduce(0, +)
    ranks = (0..<count).flatMap { rank in
      Array(repeating: rank, count: max(1, Int(20_000 / Double(rank + 1) / sum)))
    }
  }

  func draw(_ random: inout SeededRandom) -> Int { ranks.randomElement(using: &random) ?? 0 }
}

@Test func theTrueCountIsWithinTheErrorWhateverWasPruned() {
  let seed = SeededRandom.seed(for: "theTrueCountIsWithinTheErrorWhateverWasPruned")
  var random = SeededRandom(state: seed)
  let skewed = Skewed(5_000), decoder = decoder()
  var keys = HotKeys(startedMs: startMs)
  var exact: [String: [String: Int64]] = [:]
  var batches: [(KeySamples, Int64)] = []
  for _ in 0..<60 {
    let receivedMs = startMs + Int64.random(in: 0..<HotKeys.windowMs, using: &random)
    let lines = (0..<Int.random(in: 1...1_000, using: &random)).map { _ in
      let cache = Bool.random(using: &random) ? "a" : "b", key = "k\(skewed.draw(&random))"
      exact[cache, default: [:]][key, default: 0] += 1
      return lookup(key, cache: cache, type: Bool.random(using: &random) ? "cache_hit" : "cache_miss")
    }
    batches.append((samples(lines, decoder, at: receivedMs), receivedMs))
  }
  for (samples, receivedMs) in batches.shuffled(using: &random) { keys.add(samples, receivedMs: receivedMs) }
  let caches = keys.caches(service: nil, cache: nil, limit: .max, nowMs: startMs + HotKeys.windowMs - 1)
  #expect(caches.map(\.place.cache) == ["a", "b"])
  for cache in caches {
    let counts = exact[cache.place.cache] ?? [:]
    #expect(cache.lookups == counts.values.reduce(0, +))
    for key in cache.keys {
      let count = counts[String(decoding: key.key, as: UTF8.self)] ?? 0
      #expect(count <= key.count && count >= key.count - key.error, "\(count): \(key.count)±\(key.error), seed \(seed)")
    }
    let top = counts.sorted { $0.value > $1.value }.prefix(5).map(\.key)
    #expect(Set(top).isSubset(of: cache.keys.prefix(10).map { String(decoding: $0.key, as: UTF8.self) }), "seed \(seed)")
  }
}

@Test func theMostFrequentAreFoundInASample() {
  let seed = SeededRandom.seed(for: "theMostFrequentAreFoundInASample")
  var random = SeededRandom(state: seed)
  let decoder = decoder(samplesPerSecond: 8_000)
  var keys = HotKeys(startedMs: startMs)
  var exact: [String: Int64] = [:]
  // Key k twice as often as key k + 1: the first ten are one lookup in 1,000 apart at least.
  for second in 0..<20 {
    let lines = (0..<20_000).map { _ in
      let key = "k\(min(Int.random(in: 0..<1 << 20, using: &random).leadingZeroBitCount - 44, 18))"
      exact[key, default: 0] += 1
      return lookup(key)
    }
    keys.add(samples(lines, decoder, at: startMs + Int64(second) * 1_000), receivedMs: startMs)
  }
  guard let cache = keys.caches(service: "s", cache: "c", limit: 10, nowMs: startMs).first else {
    Issue.record("no cache")
    return
  }
  #expect(Set(cache.keys.map { String(decoding: $0.key, as: UTF8.self) }) == Set((0..<10).map { "k\($0)" }), "seed \(seed)")
  for key in cache.keys {
    let count = exact[String(decoding: key.key, as: UTF8.self)] ?? 0
    // Five standard deviations, where `error` is two.
    #expect(abs(Double(count - key.count)) <= 2.5 * Double(key.error) + 1, "\(count): \(key.count)±\(key.error), seed \(seed)")
  }
  #expect(abs(cache.lookups - 400_000) < 4_000, "seed \(seed)")
}

@Test func theOrderOfBodiesDoesNotMatter() {
  let bodies = (0..<30).map { body in
    samples((0..<body).map { lookup("k\($0 % 7)") }, at: startMs + Int64(body) * 100_000)
  }
  let listings = (0..<5).map { _ in
    var keys = HotKeys(startedMs: startMs)
    for body in (0..<30).shuffled() { keys.add(bodies[body], receivedMs: startMs + Int64(body) * 100_000) }
    return keys.listing(at: startMs + 2_900_000)
  }
  #expect(Set(listings).count == 1)
  #expect(listings[0].count == 7)
}

@Test func slicesAgeOut() {
  var keys = HotKeys(startedMs: startMs)
  for number in 0..<8 { keys.add(samples([lookup("k\(number)")]), receivedMs: startMs + Int64(number) * slice) }
  let nowMs = startMs + 7 * slice
  #expect(keys.listing(at: nowMs) == (2..<8).map { "c k\($0) 1±0" })
  #expect(keys.sinceMs(nowMs: nowMs) == startMs + 2 * slice)
  #expect(keys.listing(at: nowMs + 5 * slice) == ["c k7 1±0"])
  #expect(keys.listing(at: nowMs + 6 * slice) == [])
  // What waited too long for its commit.
  keys.add(samples([lookup("old")]), receivedMs: startMs + slice)
  #expect(keys.listing(at: nowMs).count == 6)
  #expect(HotKeys(startedMs: startMs + 5).sinceMs(nowMs: startMs + 7) == startMs + 5)
}

@Test func onlyLookupsOfNowWithAKeyCount() {
  let late = noonMs - HotKeys.sliceMs - 1, inTime = noonMs - HotKeys.sliceMs
  let lines = [
    lookup("a"), lookup("a", type: "cache_miss"), lookup("a", type: "cache_set"), #"{"event_type":"cache_hit","cache":"c"}"#,
    #"{"event_type":"cache_bypass","reason":"flag_off","service":"s","cache":"c","key":"a"}"#,
    #"{"event_type":"cache_hit","service":"s","cache":"c","key":"late","timestamp":\#(late)}"#,
    #"{"event_type":"cache_hit","service":"s","cache":"c","key":"in time","timestamp":\#(inTime)}"#,
    #"{"event_type":"cache_error","operation":"get","service":"s","cache":"c","key":"a"}"#,
    #"{"event_type":"cache_hit","stale":true,"service":"s","cache":"c","key":"\u0061"}"#, "[CACHE] HIT dash:5",
  ]
  var keys = HotKeys(startedMs: noonMs)
  keys.add(samples(lines, at: noonMs), receivedMs: noonMs)
  #expect(keys.listing(at: noonMs) == ["c a 4±0", "c in time 1±0", "dashboard dash:5 1±0"])
}

@Test func cachesAndKeysAreBounded() {
  let many = keys((0...HotKeys.placesMax).map { lookup("k", cache: "c\($0)") })
  #expect(many.listing().count == HotKeys.placesMax)
  #expect(keys((0..<100).map { lookup("k\($0)") }).listing(limit: 3).count == 3)
  let long = keys([lookup(String(repeating: "x", count: 300)), lookup(String(repeating: "x", count: 256))])
  #expect(long.listing() == ["c \(String(repeating: "x", count: 256)) 2±0"])
  #expect(keys([lookup("a")]).caches(service: "t", cache: nil, limit: 1, nowMs: startMs).isEmpty)
  #expect(samples([lookup("a")], decoder(samplesPerSecond: 0)).isEmpty)
}

@Test func aClockThatStepsBackALittleBeginsNoSecond() {
  let decoder = decoder(samplesPerSecond: 10)
  // Threads take turns with a decoder, each with the time it read before.
  let lookups = (0..<200).flatMap { body in
    let keys = HotKeys(startedMs: 0, of: samples(Array(repeating: lookup("k"), count: 100), decoder, at: startMs - Int64(body % 2)))
    return keys.listing()
  }
  // Steps of 1, 2, 4 … 2,048: at most ten with each.
  #expect(lookups.count <= 130, "\(lookups.count)")
}

extension HotKeys {
  fileprivate init(startedMs: Int64, of samples: KeySamples) {
    self.init(startedMs: startedMs)
    add(samples, receivedMs: startMs)
  }
}
