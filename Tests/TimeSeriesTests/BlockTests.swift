// SPDX-License-Identifier: Apache-2.0

// What the store keeps of hours of windows: that it comes back, how much it takes, and what damaged bytes do.

import Foundation
import Testing
import TimeSeries

private let widthMs: Int64 = 10_000
private let windowsMax: Int64 = 2_048

/// Times of windows in a block: none, one, dense, with gaps.
private func randomStarts(from startMs: Int64, _ random: inout SeededRandom) -> [Int64] {
  let density = ([0, 0.0005, 0.1, 0.9, 1] as [Double]).randomElement(using: &random) ?? 1
  return (0..<windowsMax).filter { _ in Double.random(in: 0..<1, using: &random) < density }.map { startMs + $0 * widthMs }
}

private func randomBlockStart(_ random: inout SeededRandom) -> Int64 {
  Int64.random(in: -90_000...90_000, using: &random) * widthMs * windowsMax
}

private func randomCounter(from startMs: Int64, _ random: inout SeededRandom) -> Timeline<CounterWindow> {
  let bits = Int64.random(in: 1...50, using: &random)
  return Timeline(
    sorted: randomStarts(from: startMs, &random).map {
      CounterWindow(startMs: $0, increment: Int64.random(in: 0..<1 << bits, using: &random))
    })
}

private func randomHistogram(from startMs: Int64, _ random: inout SeededRandom) -> Timeline<HistogramWindow> {
  Timeline(
    sorted: randomStarts(from: startMs, &random).map { timeMs in
      let first = Int32.random(in: 0..<200, using: &random)
      let buckets = (0..<Int32.random(in: 0...6, using: &random)).map {
        BatchDelta.BucketCount(bucket: first + $0 * 5, count: Int64.random(in: 1...1_000, using: &random))
      }
      return HistogramWindow(startMs: timeMs, buckets: buckets, sum: Double.random(in: 0...10, using: &random))
    })
}

private enum Values: CaseIterable {
  case constant, wholeWalk, wholeLarge, fractions, anything

  func next(after previous: Double, _ random: inout SeededRandom) -> Double {
    switch self {
    case .constant: return previous
    case .wholeWalk: return previous.rounded() + Double(Int.random(in: -2...2, using: &random))
    case .wholeLarge: return Double(Int64.random(in: -(1 << 53)...1 << 53, using: &random))
    case .fractions: return previous + Double(Int.random(in: -8...8, using: &random)) / 10
    case .anything:
      let special: [Double] = [0, -0.0, .infinity, -.infinity, .leastNonzeroMagnitude, 0x1p53, -0x1p53, 0x1p53 + 2, 1e300, 0.1]
      return special.randomElement(using: &random) ?? 0
    }
  }
}

private func randomGauge(from startMs: Int64, _ random: inout SeededRandom) -> Timeline<GaugeSample> {
  let values = Values.allCases.randomElement(using: &random) ?? .anything
  let jitterMs = ([0, 3, 400, 9_000] as [Int64]).randomElement(using: &random) ?? 0
  var timeline = Timeline<GaugeSample>()
  var value = Double(Int.random(in: 0...5_000, using: &random))
  for startMs in randomStarts(from: startMs, &random) {
    value = values.next(after: value, &random)
    timeline.add(GaugeSample(timeMs: startMs + Int64.random(in: 0...jitterMs, using: &random), value: value))
  }
  return timeline
}

// MARK: What is encoded is decoded

@Test func aBlockOfWindowsComesBackAsItWas() throws {
  let seed = SeededRandom.seed(for: "aBlockOfWindowsComesBackAsItWas")
  var random = SeededRandom(state: seed)
  for _ in 0..<200 {
    let startMs = randomBlockStart(&random)
    let counter = randomCounter(from: startMs, &random)
    let histogram = randomHistogram(from: startMs, &random)
    let counterBytes = Block.encoded(counter, startMs: startMs, widthMs: widthMs)
    let histogramBytes = Block.encoded(histogram, startMs: startMs, widthMs: widthMs)
    #expect(try Block.counter(counterBytes, startMs: startMs, widthMs: widthMs) == counter, "RAMPART_SEED=\(seed)")
    #expect(try Block.histogram(histogramBytes, startMs: startMs, widthMs: widthMs) == histogram, "RAMPART_SEED=\(seed)")
  }
}

@Test func eachColumnOfAHistogramCanBeReadAlone() throws {
  let seed = SeededRandom.seed(for: "eachColumnOfAHistogramCanBeReadAlone")
  var random = SeededRandom(state: seed)
  for _ in 0..<50 {
    let startMs = randomBlockStart(&random)
    let windows = randomHistogram(from: startMs, &random).entries
    let bytes = Block.encoded(Timeline(sorted: windows), startMs: startMs, widthMs: widthMs)
    let isEncoded = Bool.random(using: &random)
    var columns = isEncoded
      ? try Block.columns(bytes, startMs: startMs, widthMs: widthMs) : HistogramColumns(Timeline(sorted: windows))
    columns.prepareBuckets()
    #expect(columns.startsMs == windows.map(\.timeMs), "RAMPART_SEED=\(seed)")
    #expect(columns.count == windows.reduce(0) { $0 + $1.count }, "RAMPART_SEED=\(seed)")
    #expect(columns.sum == windows.reduce(0) { $0 + $1.sum }, "RAMPART_SEED=\(seed)")
    var counts: [Int64] = []
    try columns.forEachCount { counts.append($0 == counts.count ? $1 : -1) }
    #expect(counts == windows.map(\.count), "RAMPART_SEED=\(seed)")
    var sums: [Double] = []
    try columns.forEachSum { sums.append($0 == sums.count ? $1 : -1) }
    #expect(sums == windows.map(\.sum), "RAMPART_SEED=\(seed)")
    var totals = Array(repeating: Int64(0), count: DurationBuckets.count)
    columns.addTotals(to: &totals)
    for bucket in [0, 3, 7, 100, 204, 237] {
      let expected = windows.map { window in window.buckets.first { $0.bucket == bucket }?.count ?? 0 }
      var found = Array(repeating: Int64(0), count: windows.count + 2)
      let total = try columns.addBucket(bucket, to: &found, at: 1)
      #expect(found == [0] + expected + [0], "RAMPART_SEED=\(seed)")
      #expect(total == totals[bucket], "RAMPART_SEED=\(seed)")
      var scattered = Array(repeating: Int64(0), count: windows.count)
      _ = try columns.addBucket(bucket, to: &scattered, at: 0, or: windows.indices.reversed())
      #expect(scattered == expected.reversed(), "RAMPART_SEED=\(seed)")
    }
  }
}

@Test func histogramsWrittenWindowAfterWindowAreStillRead() throws {
  // Two windows, the second after a gap of one: 0.5 s in two observations, 8 s in three.
  let half: [UInt8] = [0, 0, 0, 0, 0, 0, 0xe0, 0x3f]
  let eight: [UInt8] = [0, 0, 0, 0, 0, 0, 0x20, 0x40]
  let bytes: [UInt8] = [1, 0, 1] + half + [2, 5, 1, 2, 1] + [1, 1] + eight + [1, 7, 3]
  let windows = try Block.histogram(bytes, startMs: 0, widthMs: widthMs)
  #expect(
    windows.entries == [
      HistogramWindow(startMs: 0, buckets: [.init(bucket: 5, count: 1), .init(bucket: 7, count: 1)], sum: 0.5),
      HistogramWindow(startMs: 2 * widthMs, buckets: [.init(bucket: 7, count: 3)], sum: 8),
    ])
}

@Test func aBlockOfSamplesComesBackBitByBit() throws {
  let seed = SeededRandom.seed(for: "aBlockOfSamplesComesBackBitByBit")
  var random = SeededRandom(state: seed)
  for _ in 0..<300 {
    let startMs = randomBlockStart(&random)
    let gauge = randomGauge(from: startMs, &random)
    let decoded = try Block.gauge(Block.encoded(gauge, startMs: startMs), startMs: startMs)
    // -0.0 equals 0, so the bits are compared.
    #expect(decoded.entries.map(\.timeMs) == gauge.entries.map(\.timeMs), "RAMPART_SEED=\(seed)")
    #expect(decoded.entries.map(\.value.bitPattern) == gauge.entries.map(\.value.bitPattern), "RAMPART_SEED=\(seed)")
  }
}

@Test(arguments: [
  [], [0], [.max], [0, 0, 0], [.max, 0], [0, .max], [1 << 62, 1 << 62 - 1], [7, 7, 7, 8],
] as [[Int64]])
func aCounterAtItsBoundsComesBack(increments: [Int64]) throws {
  for gap in [1, 2, windowsMax - 1] as [Int64] {
    let windows = Timeline(
      sorted: increments.enumerated().map { CounterWindow(startMs: -widthMs + Int64($0) * gap * widthMs, increment: $1) })
    let bytes = Block.encoded(windows, startMs: -widthMs, widthMs: widthMs)
    #expect(try Block.counter(bytes, startMs: -widthMs, widthMs: widthMs) == windows)
  }
}

@Test func anEmptyBlockComesBackEmpty() throws {
  #expect(try Block.counter(Block.encoded(Timeline<CounterWindow>(), startMs: 0, widthMs: 1), startMs: 0, widthMs: 1).isEmpty)
  #expect(try Block.histogram(Block.encoded(Timeline<HistogramWindow>(), startMs: 0, widthMs: 1), startMs: 0, widthMs: 1).isEmpty)
  #expect(try Block.gauge(Block.encoded(Timeline<GaugeSample>(), startMs: 0), startMs: 0).isEmpty)
}

@Test func theFullestHistogramComesBack() throws {
  let buckets = (0..<DurationBuckets.count).map { BatchDelta.BucketCount(bucket: Int32($0), count: 1 << 48) }
  let windows = Timeline(sorted: [HistogramWindow(startMs: 0, buckets: buckets, sum: .greatestFiniteMagnitude)])
  let bytes = Block.encoded(windows, startMs: 0, widthMs: widthMs)
  #expect(try Block.histogram(bytes, startMs: 0, widthMs: widthMs) == windows)
}

// MARK: Sizes

/// Knuth's; exact, and quick enough for means of some tens.
private func poisson(_ mean: Double, _ random: inout SeededRandom) -> Int64 {
  let limit = exp(-mean)
  var product = Double.random(in: 0..<1, using: &random)
  var count: Int64 = 0
  while product > limit {
    product *= Double.random(in: 0..<1, using: &random)
    count += 1
  }
  return count
}

@Test func aBusyCounterTakesHardlyMoreThanAByteAWindow() {
  let seed = SeededRandom.seed(for: "aBusyCounterTakesHardlyMoreThanAByteAWindow")
  var random = SeededRandom(state: seed)
  for mean in [1, 40, 100] as [Double] {
    let windows = Timeline(
      sorted: (0..<windowsMax).map { CounterWindow(startMs: $0 * widthMs, increment: poisson(mean, &random)) })
    let perWindow = Double(Block.encoded(windows, startMs: 0, widthMs: widthMs).count) / Double(windowsMax)
    print("a counter around \(mean): \(perWindow) bytes a window")
    #expect(perWindow <= 1.5, "RAMPART_SEED=\(seed): around \(mean)")
  }
}

@Test func aSlowGaugeTakesHardlyMoreThanAByteASample() {
  let seed = SeededRandom.seed(for: "aSlowGaugeTakesHardlyMoreThanAByteASample")
  var random = SeededRandom(state: seed)
  var value = 5_000.0
  let samples = Timeline(
    sorted: (0..<windowsMax).map { index in
      value += Double(Int.random(in: -30...30, using: &random))
      return GaugeSample(timeMs: index * widthMs + 1_234, value: value)
    })
  let perSample = Double(Block.encoded(samples, startMs: 0).count) / Double(windowsMax)
  print("a gauge every 10 s: \(perSample) bytes a sample")
  #expect(perSample <= 1.5, "RAMPART_SEED=\(seed)")
}

@Test func aGaugeThatStandsStillTakesNextToNothing() {
  let samples = Timeline(sorted: (0..<windowsMax).map { GaugeSample(timeMs: $0 * widthMs, value: 65_536) })
  #expect(Block.encoded(samples, startMs: 0).count <= 20)
}

// MARK: Damage

private let runOfNothing: [UInt8] = [0xff, 0xff, 0xff, 0x07, 0x00]

@Test(arguments: [
  ([], "no form"),
  ([9], "an unknown form"),
  ([3, 0, 1, 1], "a form of gauges"),
  ([1, 0], "a run without its length"),
  ([1, 0, 2, 5], "a run that ends early"),
  ([2, 0, 1, 1], "an increment below 0"),
  ([1, 0, 1] + Array(repeating: 0xff, count: 9) + [1], "an increment past 63 bits"),
  ([1, 0, 2] + Array(repeating: 0xff, count: 8) + [0x7f, 1], "increments that together pass 63 bits"),
  ([1, 0, 0], "a run of no window"),
  ([1] + Array(repeating: runOfNothing, count: 200_000).joined(), "runs past the end of time"),
] as [([UInt8], String)])
func aCounterBlockThatWasNeverWrittenIsRefused(bytes: [UInt8], what: String) {
  #expect(throws: DamagedBytes.self, "\(what)") { try Block.counter(bytes, startMs: 0, widthMs: 3_600_000) }
}

@Test(arguments: [
  ([2], "no count"),
  ([1, 0], "a form of counters"),
  ([2, 1], "no time"),
  ([2, 1, 2], "no value"),
  ([2, 2, 2, 1, 0, 2], "a time that comes twice"),
  ([2, 1, 0, 0, 0, 1], "a run of no zero"),
  ([2, 1, 2, 2, 0], "a byte too many"),
  ([3, 1, 2, 0x19], "a value of nine bytes"),
  ([2, 0xff, 0xff, 0xff, 0x07, 2, 0, 0xff, 0xff, 0xff, 0x07, 0], "sixteen million samples without values"),
] as [([UInt8], String)])
func aGaugeBlockThatWasNeverWrittenIsRefused(bytes: [UInt8], what: String) {
  #expect(throws: DamagedBytes.self, "\(what)") { try Block.gauge(bytes, startMs: 0) }
}

@Test(arguments: [
  ([4], "no runs"),
  ([4, 1, 0, 0], "a run of no window"),
  ([4, 1, 0, 9], "windows without columns"),
  ([4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7], "a byte too many"),
  ([4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xef, 0x01, 0], "more buckets than there are"),
  ([4, 1, 0, 1] + zero + [1, 3, 2, 1] + [1, 2] + zero + [0], "a bucket with more observations than its entries"),
  ([4, 1, 0, 1] + zero + [1, 3, 1, 1] + [1, 1] + zero + [2], "an entry past the last window"),
  ([4, 1, 0, 1] + zero + [1, 3, 1, 1] + [1, 2] + zero + [0], "a window that counts what no bucket has"),
] as [([UInt8], String)])
func aHistogramBlockThatWasNeverWrittenIsRefused(bytes: [UInt8], what: String) {
  #expect(throws: DamagedBytes.self, "\(what)") { try Block.histogram(bytes, startMs: 0, widthMs: widthMs) }
}

@Test func aHistogramBlockOfOneObservationIsRead() throws {
  let windows = try Block.histogram([4, 1, 0, 1] + zero + [1, 3, 1, 1] + [1, 1] + zero + [0], startMs: 0, widthMs: widthMs)
  #expect(windows.entries == [HistogramWindow(startMs: 0, buckets: [.init(bucket: 3, count: 1)], sum: 0)])
}

private let zero = Array(repeating: UInt8(0), count: 8)

private func damaged(_ original: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
  var bytes = original
  for _ in 0..<Int.random(in: 1...6, using: &random) {
    let index = Int.random(in: 0...bytes.count, using: &random)
    switch Int.random(in: 0..<5, using: &random) {
    case 0: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
    case 1: bytes.removeLast(bytes.count - index)
    case 2: bytes.insert(contentsOf: [0xff, 0xff, 0xff, 0x07], at: index)
    case 3 where index < bytes.count: bytes[index] = UInt8.random(in: 0...255, using: &random)
    default: if index < bytes.count { bytes[index] ^= 0x80 }
    }
  }
  return bytes
}

@Test func damagedBlocksNeverTrap() {
  let seed = SeededRandom.seed(for: "damagedBlocksNeverTrap")
  var random = SeededRandom(state: seed)
  for round in 0..<6_000 {
    // The row may be damaged too: its start is any number.
    let starts: [Int64] = [0, .max, .min, .max - widthMs, Int64(truncatingIfNeeded: random.next())]
    let startMs = starts.randomElement(using: &random) ?? 0
    switch round % 3 {
    case 0:
      let bytes = damaged(Block.encoded(randomCounter(from: 0, &random), startMs: 0, widthMs: widthMs), &random)
      guard let decoded = try? Block.counter(bytes, startMs: startMs, widthMs: widthMs) else { continue }
      _ = decoded.entries.reduce(0) { $0 + $1.increment }
      expectOrder(decoded.entries, bytes, seed)
    case 1:
      let bytes = damaged(Block.encoded(randomHistogram(from: 0, &random), startMs: 0, widthMs: widthMs), &random)
      guard let decoded = try? Block.histogram(bytes, startMs: startMs, widthMs: widthMs) else { continue }
      expectOrder(decoded.entries, bytes, seed)
    default:
      let bytes = damaged(Block.encoded(randomGauge(from: 0, &random), startMs: 0), &random)
      guard let decoded = try? Block.gauge(bytes, startMs: startMs) else { continue }
      expectOrder(decoded.entries, bytes, seed)
    }
  }
}

private func expectOrder(_ entries: [some TimelineEntry], _ bytes: [UInt8], _ seed: UInt64) {
  let isAscending = zip(entries, entries.dropFirst()).allSatisfy { $0.timeMs < $1.timeMs }
  #expect(isAscending, "RAMPART_SEED=\(seed): \(bytes.prefix(200))")
}
