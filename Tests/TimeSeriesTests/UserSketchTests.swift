// SPDX-License-Identifier: Apache-2.0

// Estimates against known numbers of users, and that a sketch is a union however it came about.

import Testing
import TimeSeries

private func sketch(_ hashes: some Sequence<UInt64>) -> UserSketch {
  var sketch = UserSketch()
  sketch.raise(hashes.map { UserRegister.word(hash: $0) })
  return sketch
}

private func estimate(_ sketches: UserSketch...) -> Double { UserSketch.estimate(ofUnion: sketches) }

@Test func estimatesAreWithinTwoPercent() {
  let seed = SeededRandom.seed(for: "estimatesAreWithinTwoPercent")
  var random = SeededRandom(state: seed)
  var errors: [Double] = []
  for _ in 0..<6 {
    var whole = UserSketch()
    var count = 0
    for size in [1, 2, 5, 10, 100, 1_000, 5_000, 10_000, 20_000, 40_000, 60_000, 80_000, 100_000, 150_000, 300_000, 600_000, 1_000_000] {
      whole.raise((count..<size).map { _ in UserRegister.word(hash: random.next()) })
      count = size
      let error = abs(estimate(whole) / Double(size) - 1)
      errors.append(error)
      #expect(error <= 0.025, "\(size) users are \(estimate(whole))")
    }
  }
  #expect(errors.count { $0 <= 0.02 } * 100 >= errors.count * 95, "\(errors.filter { $0 > 0.02 })")
  // The standard error is 0.57 %, and much less while users are few.
  let mean = errors.reduce(0, +) / Double(errors.count)
  #expect(mean < 0.008, "on average \(mean)")
}

@Test func nobodyIsNobodyAndOneIsOne() {
  #expect(estimate() == 0)
  #expect(estimate(UserSketch()) == 0)
  #expect(UserSketch().isEmpty && UserSketch().words == [])
  #expect(estimate(sketch([1])).rounded() == 1)
  #expect(estimate(sketch([UInt64.max])).rounded() == 1)
  #expect(estimate(sketch([0])).rounded() == 1)
}

@Test func everyHashRaisesARegisterWithinItsBounds() {
  #expect(UserRegister.word(hash: 0) == UserRegister.rankMax)
  #expect(UserRegister.word(hash: .max) == UInt32(UserRegister.count - 1) << 6 | 1)
  #expect(UserRegister.word(hash: 1) == UserRegister.rankMax - 1)
  #expect(UserRegister.word(hash: 1 << 48) == 1)
  #expect(UserRegister.word(hash: 1 << 49 | 1 << 47) == 1 << 6 | 2)
}

@Test func aSketchIsTheUnionOfItsPartsInAnyOrder() {
  var random = SeededRandom(state: SeededRandom.seed(for: "aSketchIsTheUnionOfItsPartsInAnyOrder"))
  for size in [0, 1, 30, 3_000, 5_000, 20_000] {
    let hashes = (0..<size).map { _ in random.next() }
    let whole = sketch(hashes)
    var parts = (0..<5).map { _ in UserSketch() }
    // Every user in one part at least, some in several, some twice in one.
    for hash in hashes.shuffled(using: &random) + hashes.prefix(size / 3) {
      parts[Int.random(in: 0..<5, using: &random)].raise([UserRegister.word(hash: hash)])
    }
    #expect(UserSketch.estimate(ofUnion: parts) == estimate(whole))
    var merged = UserSketch()
    for part in parts.shuffled(using: &random) { merged.raise(part.words) }
    #expect(merged.words.sorted() == whole.words.sorted())
    #expect(whole.rising(merged.words) == [])
    #expect(UserSketch().rising(whole.words).sorted() == whole.words.sorted())
    let half = sketch(hashes.prefix(size / 2))
    var caught = half
    caught.raise(half.rising(whole.words))
    #expect(caught.words.sorted() == whole.words.sorted())
  }
}

@Test func storedRegistersAreReadBack() throws {
  var random = SeededRandom(state: SeededRandom.seed(for: "storedRegistersAreReadBack"))
  for size in [0, 1, 100, 10_000, 20_000, 200_000] {
    let words = sketch((0..<size).map { _ in random.next() }).words
    let bytes = UserSketch.encoded(words)
    #expect(bytes.count <= UserRegister.count + 1)
    #expect(try UserSketch.decode(bytes).sorted() == words.sorted())
  }
  for bytes in [[], [0], [3, 1, 1, 1], [1, 1], [1, 0, 1, 0], [1, 63, 0, 0], [1, 1, 0, 0x20], [2, 1]] as [[UInt8]] {
    #expect(throws: DamagedBytes.self) { try UserSketch.decode(bytes) }
  }
}

@Test func theHighestRankOfARegisterCounts() {
  for few in [true, false] {
    var sketch = UserSketch()
    if !few { sketch.raise((0..<20_000).map { UInt32($0) << 6 | 2 }) }
    sketch.raise([7 << 6 | 3, 7 << 6 | 5, 7 << 6 | 4])
    #expect(sketch.words.filter { $0 >> 6 == 7 } == [7 << 6 | 5])
    #expect(sketch.rising([7 << 6 | 5, 7 << 6 | 6, 20_001 << 6 | 1]) == [7 << 6 | 6, 20_001 << 6 | 1])
  }
}
