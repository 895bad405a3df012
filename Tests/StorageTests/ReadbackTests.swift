// SPDX-License-Identifier: Apache-2.0

// Random bodies in random order, some sent again, some days late, with compactions and restarts in between: what queries
// read equals a model that keeps every window in a dictionary and says each sample by the rule.

import Storage
import Testing
import TimeSeries

private let widthMs: Int64 = 10_000
private let hour: Int64 = 3_600_000
private let lifeMs: Int64 = 24 * hour
private let endMs: Int64 = 100 * hour

/// The buckets that are read, which are not all of them.
private let boundsRead = ["5e-06", "1.07e-05", "0.001", "0.05", "+Inf"]

private struct Sample: Equatable {
  var timeMs: Int64
  /// Nil for the marker that the series has ended.
  var value: Double?
}

/// Every sample of all time.
private struct Model {
  /// What each window adds to a counter, by series as Prometheus names it.
  var increments: [String: [Int64: Double]] = [:]
  var gauges: [String: [Int64: Double]] = [:]

  mutating func count(_ series: String, at startMs: Int64, _ increment: Double) {
    increments[series, default: [:]][startMs, default: 0] += increment
  }

  var samples: [String: [Sample]] {
    increments.mapValues(Model.counter).merging(gauges.mapValues(Model.gauge)) { $1 }
  }

  /// A counter stands at the end of each window, and again at each multiple of the width until it has been silent for a
  /// day, which a marker says. It stands at the start of a window that no other is alive before.
  private static func counter(_ increments: [Int64: Double]) -> [Sample] {
    var samples: [Sample] = []
    var total = 0.0
    var lastEnd: Int64?
    for timeMs in stride(from: 0, through: endMs, by: Int64.Stride(widthMs)) {
      if let increment = increments[timeMs - widthMs] {
        total += increment
        lastEnd = timeMs
      }
      if let lastEnd, timeMs - lastEnd <= lifeMs {
        samples.append(Sample(timeMs: timeMs, value: total))
      } else if increments[timeMs] != nil {
        samples.append(Sample(timeMs: timeMs, value: total))
      } else if let lastEnd, timeMs == lastEnd + lifeMs + widthMs {
        samples.append(Sample(timeMs: timeMs))
      }
    }
    return samples
  }

  /// What a service says of its cache holds until it says something else, for a day at most.
  private static func gauge(_ values: [Int64: Double]) -> [Sample] {
    let times = values.keys.sorted()
    var samples: [Sample] = []
    for (index, timeMs) in times.enumerated() {
      samples.append(Sample(timeMs: timeMs, value: values[timeMs]))
      let next = index + 1 < times.count ? times[index + 1] : .max
      var held = (timeMs / widthMs + 1) * widthMs
      while held < next, held <= timeMs + lifeMs {
        samples.append(Sample(timeMs: held, value: values[timeMs]))
        held += widthMs
      }
      if timeMs + lifeMs + widthMs < next { samples.append(Sample(timeMs: timeMs + lifeMs + widthMs)) }
    }
    return samples
  }
}

/// Times lie close together around a few moments of four days, so that some windows meet and some series fall silent.
private func randomTime(_ random: inout SeededRandom) -> Int64 {
  let moment = ([0, 1, 2, 5, 26, 27, 60, 84, 85] as [Int64]).randomElement(using: &random) ?? 0
  return moment * hour + Int64.random(in: 0..<40 * widthMs, using: &random)
}

private func randomBody(_ model: inout Model, _ random: inout SeededRandom) -> BatchDelta {
  var delta = BatchDelta()
  for _ in 0..<Int.random(in: 1...5, using: &random) {
    let name = "c\(Int.random(in: 0..<3, using: &random))"
    let timeMs = randomTime(&random)
    let startMs = floor(timeMs, to: widthMs)
    switch Int.random(in: 0..<3, using: &random) {
    case 0:
      let increment = Int64.random(in: 1...1_000, using: &random)
      delta = delta.counting("hits_total", ["cache": name], at: startMs, increment)
      model.count(#"hits_total{cache="\#(name)"}"#, at: startMs, Double(increment))
    case 1:
      let bucket = Int32.random(in: 0..<200, using: &random)
      delta = delta.measuring("d_seconds", ["cache": name], at: startMs, [bucket: 2, bucket + 5: 1], sum: Double(bucket))
      model.count(#"d_seconds_count{cache="\#(name)"}"#, at: startMs, 3)
      model.count(#"d_seconds_sum{cache="\#(name)"}"#, at: startMs, Double(bucket))
      for (index, bound) in DurationBuckets.boundNames.enumerated() where boundsRead.contains(bound) {
        let through = Double((index >= bucket ? 2 : 0) + (index >= bucket + 5 ? 1 : 0))
        model.count(#"d_seconds_bucket{cache="\#(name)",le="\#(bound)"}"#, at: startMs, through)
      }
    default:
      let series = #"cache_entries{cache="\#(name)"}"#
      // Of two values for one time the later would win, which order decides.
      guard model.gauges[series]?[timeMs] == nil else { continue }
      let value = Double(Int.random(in: 0...9_999, using: &random))
      delta = delta.sampling("cache_entries", ["cache": name], at: timeMs, value)
      model.gauges[series, default: [:]][timeMs] = value
    }
  }
  return delta
}

private func read(
  _ store: Store, _ matchers: [Matcher], fromMs: Int64, throughMs: Int64
) throws -> [String: [Sample]] {
  try store.reading("test") { snapshot in
    let source = StoreSource(snapshot, asOfMs: endMs, widthMs: widthMs)
    var read: [String: [Sample]] = [:]
    for series in try source.series(matching: matchers, fromMs: fromMs, throughMs: throughMs) {
      var buffer = SampleBuffer()
      try source.appendSamples(of: series, fromMs: fromMs, throughMs: throughMs, to: &buffer)
      guard buffer.count > 0 else { continue }
      read[source.labels(of: series).description] = zip(buffer.timesMs, buffer.values).map {
        Sample(timeMs: $0, value: StaleMarker.isStale($1) ? nil : $1)
      }
    }
    return read
  }
}

private func text(_ samples: [Sample]?) -> String {
  guard let samples else { return "nothing" }
  return samples.map { "\($0.timeMs / 1000)=\($0.value.map { Exposition.number($0) } ?? "stale")" }.joined(separator: " ")
}

@Test func whatIsReadIsWhatAModelSaysWhateverTheOrder() throws {
  let seed = SeededRandom.seed(for: "whatIsReadIsWhatAModelSaysWhateverTheOrder")
  var random = SeededRandom(state: seed)
  let le = try Matcher("le", .matches, #"0.001|5e-06|0.05|1.07e-05|\+Inf"#)
  // These times are ancient to a compaction that goes by the clock, and all of them shall stay.
  let configure = { (configuration: inout StoreConfiguration) in
    configuration.retention.rawMs = .max / 4
    configuration.retention.hourMs = .max / 4
  }
  for _ in 0..<4 {
    var model = Model()
    let folder = Folder()
    var store = try folder.open(with: configure)
    var sent: [BatchDelta] = []
    for _ in 0..<6 {
      for _ in 0..<Int.random(in: 1...30, using: &random) {
        if let again = sent.indices.randomElement(using: &random), Int.random(in: 0..<4, using: &random) == 0 {
          try store.commit(Submission(sent[again], key: DedupeKey(again)))
        } else {
          sent.append(randomBody(&model, &random))
          try store.commit(Submission(sent[sent.count - 1], key: DedupeKey(sent.count - 1)))
        }
      }
      switch Int.random(in: 0..<4, using: &random) {
      case 0: store = try folder.reopen(store, with: configure)
      case 1, 2: try store.compact(nowMs: 0)
      default: break
      }
      let samples = model.samples
      for isBuckets in [false, true] {
        let name = try Matcher(Labels.metricLabel, isBuckets ? .equal : .notEqual, "d_seconds_bucket")
        for _ in 0..<8 {
          let fromMs = Int64.random(in: 0..<endMs, using: &random)
          let length = ([0, widthMs, hour, 30 * hour] as [Int64]).randomElement(using: &random) ?? 0
          let throughMs = min(endMs, fromMs + length)
          let wanted = samples.filter { $0.key.hasPrefix("d_seconds_bucket") == isBuckets }
            .mapValues { $0.filter { $0.timeMs >= fromMs && $0.timeMs <= throughMs } }.filter { !$0.value.isEmpty }
          let found = try read(store, isBuckets ? [name, le] : [name], fromMs: fromMs, throughMs: throughMs)
          let different = Set(found.keys).union(wanted.keys).sorted().first { found[$0] != wanted[$0] }
          #expect(
            different == nil,
            """
            RAMPART_SEED=\(seed): \(fromMs) through \(throughMs)
            found \(text(different.flatMap { found[$0] }))
            not \(text(different.flatMap { wanted[$0] }))
            """)
          if different != nil { return }
        }
      }
    }
  }
}
