// SPDX-License-Identifier: Apache-2.0

// The buckets of durations, what a quantile read off them is worth, and the form in which the store keeps them.

import Foundation
import Testing
import TimeSeries

@Test func boundsHoldWhatIsPromised() {
  let promised = [
    0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5, 5, 10,
  ]
  let missing = promised.filter { !DurationBuckets.upperBoundsSeconds.contains($0) }
  #expect(missing.isEmpty)
}

@Test func boundsAscendInSmallSteps() {
  let bounds = DurationBuckets.upperBoundsSeconds
  #expect(DurationBuckets.count == bounds.count + 1)
  for (lower, upper) in zip(bounds, bounds.dropFirst()) {
    #expect(lower < upper)
    if lower >= 10e-6, upper <= 10 { #expect(upper / lower <= 1.13, "\(lower) to \(upper)") }
  }
  // Each is the double nearest to a short decimal, so that `le` prints as people write it.
  for bound in bounds { #expect(bound.description.count <= 8, "\(bound)") }
}

@Test func aBoundBelongsToItsOwnBucket() {
  for (index, bound) in DurationBuckets.upperBoundsSeconds.enumerated() {
    #expect(DurationBuckets.index(ofSeconds: bound) == index, "\(bound)")
    #expect(DurationBuckets.index(ofSeconds: bound.nextUp) == index + 1, "just past \(bound)")
    #expect(DurationBuckets.index(ofSeconds: bound.nextDown) == index, "just below \(bound)")
  }
  #expect(DurationBuckets.index(ofSeconds: 0) == 0)
  #expect(DurationBuckets.index(ofSeconds: -1) == 0)
  #expect(DurationBuckets.index(ofSeconds: 60.1) == DurationBuckets.count - 1)
  #expect(DurationBuckets.index(ofSeconds: .infinity) == DurationBuckets.count - 1)
  #expect(DurationBuckets.index(ofSeconds: .nan) == DurationBuckets.count - 1)
}

enum Shape: CaseIterable {
  case lognormal, exponential

  /// One duration around `scale` seconds.
  func sample(scale: Double, _ random: inout SeededRandom) -> Double {
    let one = Double.random(in: 1e-12..<1, using: &random)
    switch self {
    case .exponential: return -log(one) * scale
    case .lognormal:
      let angle = Double.random(in: 0..<2 * .pi, using: &random)
      return exp(0.7 * sqrt(-2 * log(one)) * cos(angle)) * scale
    }
  }
}

@Test(arguments: Shape.allCases)
func aQuantileIsWithinThreePercentOfTheExactOne(shape: Shape) {
  let seed = SeededRandom.seed(for: "aQuantileIsWithinThreePercentOfTheExactOne(\(shape))")
  var worst = 0.0
  for run in 0..<12 as Range<UInt64> {
    var random = SeededRandom(state: seed &+ run)
    // From a local cache to a slow database.
    let scale = pow(10, Double.random(in: -4 ..< -0.5, using: &random))
    var exact: [Double] = []
    var counts = Array(repeating: Int64(0), count: DurationBuckets.count)
    for _ in 0..<40_000 {
      let seconds = shape.sample(scale: scale, &random)
      exact.append(seconds)
      counts[DurationBuckets.index(ofSeconds: seconds)] += 1
    }
    exact.sort()
    var histogram = Histogram()
    let buckets = counts.indices.filter { counts[$0] > 0 }.map { BatchDelta.BucketCount(bucket: Int32($0), count: counts[$0]) }
    histogram.add(buckets, sum: exact.reduce(0, +))
    for quantile in [0.5, 0.95, 0.99] {
      let expected = exact[Int((quantile * Double(exact.count)).rounded(.up)) - 1]
      let estimate = histogram.quantile(quantile) ?? .nan
      let error = abs(estimate / expected - 1)
      worst = max(worst, error)
      #expect(error <= 0.03, "RAMPART_SEED=\(seed), run \(run): p\(quantile) of \(shape) is \(expected), read as \(estimate)")
    }
  }
  print("worst quantile error of \(shape): \((worst * 10_000).rounded() / 100) %")
}

// A uniform distribution ends at a wall inside a bucket, and the estimate spreads that bucket's observations up to its
// bound. The bounds lie close enough that this stays within the 3 % promised for continuous data.
@Test(arguments: [0.00082, 0.0082, 0.0104, 0.124, 0.45])
func aQuantileBelowAWallIsWithinThreePercentToo(longestSeconds: Double) {
  let samples = 10_000
  var histogram = Histogram()
  for number in 1...samples {
    let seconds = longestSeconds * Double(number) / Double(samples)
    histogram.add([.init(bucket: Int32(DurationBuckets.index(ofSeconds: seconds)), count: 1)], sum: seconds)
  }
  for quantile in [0.5, 0.95, 0.99] {
    let expected = longestSeconds * quantile
    let estimate = histogram.quantile(quantile) ?? .nan
    #expect(
      abs(estimate / expected - 1) <= 0.03,
      "p\(quantile) of 0...\(longestSeconds) s is \(expected), read as \(estimate): \(100 * (estimate / expected - 1)) % off")
  }
}

@Test func quantilesAtTheEdges() {
  #expect(Histogram().quantile(0.5) == nil)
  var lowest = Histogram()
  lowest.add([.init(bucket: 0, count: 4)], sum: 1e-6)
  #expect(lowest.quantile(0.5) == 0.5e-6)
  #expect(lowest.quantile(0) == 0)
  var beyond = Histogram()
  beyond.add([.init(bucket: Int32(DurationBuckets.count - 1), count: 1)], sum: 100)
  #expect(beyond.quantile(0.5) == 60)
  var split = Histogram()
  split.add([.init(bucket: 10, count: 1), .init(bucket: 20, count: 1)], sum: 1)
  #expect(split.quantile(0.5) == DurationBuckets.upperBoundsSeconds[10])
  #expect(split.quantile(1) == DurationBuckets.upperBoundsSeconds[20])
}

/// Ascending buckets with counts from one to astronomic, within what one histogram can hold in total.
private func randomBuckets(_ random: inout SeededRandom) -> [BatchDelta.BucketCount] {
  let density = Double.random(in: 0...1, using: &random)
  return (0..<DurationBuckets.count).filter { _ in Double.random(in: 0...1, using: &random) < density }.map { bucket in
    .init(bucket: Int32(bucket), count: Int64.random(in: 1...1 << Int64.random(in: 0...55, using: &random), using: &random))
  }
}

@Test func whatIsEncodedIsDecoded() throws {
  let seed = SeededRandom.seed(for: "whatIsEncodedIsDecoded")
  var random = SeededRandom(state: seed)
  for _ in 0..<500 {
    let buckets = randomBuckets(&random)
    #expect(try Histogram.decode(Histogram.encoded(buckets)) == buckets, "RAMPART_SEED=\(seed)")
    var histogram = Histogram()
    histogram.add(buckets, sum: 1)
    #expect(histogram.nonEmpty == buckets, "RAMPART_SEED=\(seed)")
  }
  #expect(try Histogram.decode([]).isEmpty)
  let largest = [BatchDelta.BucketCount(bucket: Int32(DurationBuckets.count - 1), count: .max)]
  #expect(try Histogram.decode(Histogram.encoded(largest)) == largest)
}

@Test(arguments: [
  ([5], "a bucket without its count"),
  ([5, 0], "a count of zero"),
  ([0x80], "a number that ends in its middle"),
  ([5, 0x80], "a count that ends in its middle"),
  (varint(DurationBuckets.count) + [1], "a bucket past the last"),
  ([3, 1] + varint(DurationBuckets.count - 3) + [1], "a distance past the last"),
  (Array(repeating: 0xff, count: 9) + [1, 1], "a bucket past 63 bits"),
  ([0] + Array(repeating: 0xff, count: 20), "a count past 63 bits"),
] as [([UInt8], String)])
func decodingRefusesWhatWasNeverEncoded(bytes: [UInt8], what: String) {
  #expect(throws: DamagedBytes.self, "\(what)") { try Histogram.decode(bytes) }
}

/// LEB128 of a number below 2^14.
private func varint(_ value: Int) -> [UInt8] { [UInt8(value & 0x7f) | 0x80, UInt8(value >> 7)] }

@Test func decodingRefusesABucketGivenTwice() {
  #expect(throws: DamagedBytes.self) { try Histogram.decode([5, 1, 0, 1]) }
}

@Test func decodingRefusesMoreObservationsThanCanBeCounted() {
  // Each count fits, their sum does not: adding them up would trap in `Histogram.count`.
  let bytes = Histogram.encoded([.init(bucket: 1, count: .max), .init(bucket: 2, count: 1)])
  #expect(throws: DamagedBytes.self) { try Histogram.decode(bytes) }
}

@Test func decodingDamagedBytesNeverTraps() {
  let seed = SeededRandom.seed(for: "decodingDamagedBytesNeverTraps")
  var random = SeededRandom(state: seed)
  for _ in 0..<20_000 {
    var bytes = Histogram.encoded(Array(randomBuckets(&random).prefix(4)))
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      switch Int.random(in: 0..<3, using: &random) {
      case 0: bytes.append(UInt8.random(in: 0...255, using: &random))
      case 1 where !bytes.isEmpty: bytes.removeLast()
      default:
        guard let index = bytes.indices.randomElement(using: &random) else { continue }
        bytes[index] = UInt8.random(in: 0...255, using: &random)
      }
    }
    guard let buckets = try? Histogram.decode(bytes) else { continue }
    let areValid = buckets.allSatisfy { $0.count > 0 && (0..<DurationBuckets.count).contains(Int($0.bucket)) }
    #expect(areValid, "RAMPART_SEED=\(seed): \(bytes)")
  }
}
