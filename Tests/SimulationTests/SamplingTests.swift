// SPDX-License-Identifier: Apache-2.0

import JSON
import Simulation
import Testing

// Random numbers, ranks and durations: their shape, and that they are the same everywhere.

@Test func theGeneratorMatchesItsReference() {
  // xoshiro256** after SplitMix64 of seed 42, from the reference C code.
  var random = SeededGenerator(seed: 42)
  let numbers = (0..<3).map { _ in random.next() }
  #expect(numbers == [1_546_998_764_402_558_742, 6_990_951_692_964_543_102, 12_544_586_762_248_559_009])
}

@Test func partsOfASeedDifferAndBoundsHold() {
  var one = SeededGenerator.part(1, ofSeed: 7)
  var two = SeededGenerator.part(2, ofSeed: 7)
  let first = (one.next(), two.next())
  #expect(first.0 != first.1)
  let below = (0..<10_000).map { _ in one.below(3) }
  #expect(Set(below) == [0, 1, 2])
  let units = (0..<10_000).map { _ in one.unit() }
  #expect(units.allSatisfy { (0..<1).contains($0) })
  let quarter = (0..<10_000).count { _ in two.happens(perMillion: 250_000) }
  #expect(abs(quarter - 2_500) < 250)
  let never = (0..<10_000).count { _ in two.happens(perMillion: 0) }
  #expect(never == 0)
}

@Test(arguments: [(1_000, 1.0, 0.0), (2_000, 1.1, 10.0), (50, 0.0, 0.0), (1, 1.0, 0.0)])
func ranksFollowTheirLaw(count: Int, exponent: Double, offset: Double) {
  let sampler = ZipfSampler(count: count, exponent: exponent, offset: offset)
  var random = SeededGenerator(seed: 3)
  let draws = 400_000
  var seen = [Int](repeating: 0, count: count)
  for _ in 0..<draws { seen[sampler.sample(&random)] += 1 }
  // Whole exponents are checked with exact weights; 1.1 by the ratio of the halves.
  if exponent == 0 || exponent == 1 {
    let weights = (1...count).map { exponent == 0 ? 1 : 1 / (Double($0) + offset) }
    let total = weights.reduce(0, +)
    for rank in [0, 1, 2, 9, count / 2, count - 1] where rank < count {
      let expected = weights[rank] / total * Double(draws)
      #expect(abs(Double(seen[rank]) - expected) < 5 * expected.squareRoot() + 1, "rank \(rank)")
    }
  } else {
    #expect(Double(seen[0]) / Double(draws) < 0.03)
    #expect(seen[..<(count / 10)].reduce(0, +) > draws * 4 / 10)
    #expect(seen[(count - 10)...].reduce(0, +) > 0)
  }
}

@Test func latenciesHaveTheirPercentiles() {
  let latency = LatencyDistribution(p1Us: 20_000, p99Us: 80_000)
  var random = SeededGenerator(seed: 5)
  let sorted = (0..<200_000).map { _ in latency.sampleUs(&random) }.sorted()
  #expect(abs(sorted[2_000] - 20_000) < 600)
  #expect(abs(sorted[100_000] - 40_000) < 600)
  #expect(abs(sorted[198_000] - 80_000) < 2_400)
  #expect(sorted[0] > 10_000 && sorted[199_999] < 160_000)
}

@Test func bucketsAreTheDocumentedOnes() {
  let view = RolloutFlagView(percent: 23, salt: "ENABLE_PROFILE_CACHE")
  let users = ["user-1": 2_110, "user-2": 3_790, "user-3": 9_017, "user-42": 2_246, "用户": 3_233]
  for (user, bucket) in users {
    #expect(view.bucket(userID: user) == bucket)
    #expect(view.isOn(userID: user) == (bucket < 2_300))
  }
  // user-42 is in bucket 2246: within 22.47 %, not within 22.46.
  #expect(RolloutFlagView(percent: 22.47, salt: "ENABLE_PROFILE_CACHE").isOn(userID: "user-42"))
  #expect(!RolloutFlagView(percent: 22.46, salt: "ENABLE_PROFILE_CACHE").isOn(userID: "user-42"))
  #expect(!RolloutFlagView(percent: 0, salt: "").isOn(userID: "a"))
  #expect(RolloutFlagView(percent: 100, salt: "").isOn(userID: "a"))
}

@Test(arguments: [
  (#"{"value":false,"reason":"SPLIT","metadata":{"rolloutPercent":10}}"#, 10.0),
  (#"{"value":true,"reason":"SPLIT","metadata":{"rolloutPercent":12.5}}"#, 12.5),
  (#"{"value":true,"reason":"STATIC","metadata":{"rolloutPercent":100}}"#, 100),
  (#"{"value":false,"reason":"DISABLED","metadata":{"rolloutPercent":50}}"#, 0),
  (#"{"errorCode":"FLAG_NOT_FOUND","errorDetails":"flag \"X\" is unknown"}"#, 0),
])
func anAnswerToAnEvaluationSaysWhoHasTheFlag(answer: String, percent: Double) throws {
  let view = RolloutFlagView(answer: try JSONValue(parsing: answer), salt: "ENABLE_PROFILE_CACHE")
  #expect(view.percent == percent)
}
