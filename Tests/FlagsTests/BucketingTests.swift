// SPDX-License-Identifier: Apache-2.0

// The arithmetic that decides who is asked. Vectors: flagd's fractional-v2 feature file and the contract's own.

import Assignment
import Flags
import Testing

@Suite struct BucketingTests {
  private func hash(_ text: String) -> UInt32 {
    var murmur = Murmur3()
    murmur.update(text.utf8.span)
    return murmur.value
  }

  @Test(
    arguments: [
      ("ENABLE_PROFILE_CACHEuser-1", 906_323_694), ("ENABLE_PROFILE_CACHEuser-2", 1_628_196_196),
      ("ENABLE_PROFILE_CACHEuser-3", 3_872_919_729), ("ENABLE_PROFILE_CACHEuser-42", 964_691_913),
      ("ENABLE_PROFILE_CACHEalice", 2_060_216_639), ("ENABLE_PROFILE_CACHEbob", 1_706_680_923),
      ("ENABLE_PROFILE_CACHE用户", 1_388_694_162), ("fractional-flagjack", 2_682_799_072),
      ("fractional-flagqueen", 4_278_517_551),
      ("fractional-flagten", 801_845_258), ("fractional-flagnine", 1_406_129_861), ("fractional-flag3", 604_371_928),
      ("ejOoVL", 0), ("bY9fO-", 1), ("SI7p-", 2_147_483_647), ("6LvT0", 2_147_483_648), ("ceQdGm", 4_294_967_295),
    ] as [(String, UInt32)])
  func hashIsMurmur3(_ text: String, _ expected: UInt32) {
    #expect(hash(text) == expected)
  }

  @Test(arguments: [
    ("user-1", 2110), ("user-2", 3790), ("user-3", 9017), ("user-42", 2246), ("alice", 4796), ("bob", 3973),
    ("用户", 3233),
  ])
  func bucketIsTheContracts(_ targetingKey: String, _ bucket: Int) {
    #expect(Bucketing.bucket(salt: "ENABLE_PROFILE_CACHE", targetingKey: targetingKey) == bucket)
  }

  @Test(arguments: [("jack", 62), ("queen", 99), ("ten", 18), ("nine", 32), ("3", 14)])
  func bucketOfTenThousandAgreesWithFlagdsHundred(_ card: String, _ hundredth: Int) {
    #expect(Bucketing.bucket(salt: "fractional-flag", targetingKey: card) / 100 == hundredth)
  }

  @Test func hashDoesNotDependOnThePieces() {
    let text = Array("The quick brown fox jumps over the lazy dog".utf8)
    let whole = hash("The quick brown fox jumps over the lazy dog")
    #expect(whole == 0x2e4f_f723)
    for cut in text.indices {
      var murmur = Murmur3()
      let (left, right) = (Array(text[..<cut]), Array(text[cut...]))
      murmur.update(left.span)
      murmur.update(right.span)
      #expect(murmur.value == whole)
    }
  }

  @Test func bucketsAreSpreadEvenly() {
    let (keys, groups) = (100_000, 100)
    var counts = [Int](repeating: 0, count: groups)
    for index in 0..<keys {
      counts[Bucketing.bucket(salt: "ENABLE_PROFILE_CACHE", targetingKey: "user-\(index)") / 100] += 1
    }
    let expected = Double(keys) / Double(groups)
    let chiSquare = counts.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    // 99 degrees of freedom: 148 is exceeded once in a thousand. The keys are fixed, so this cannot flicker.
    #expect(chiSquare < 148, "chi-square \(chiSquare)")
  }

  @Test func raisingThePercentageOnlyAddsUsers() throws {
    let percents = [0, 0.01, 1, 10, 12.5, 50, 99.99, 100]
    let sets = try percents.map { percent in
      try flagSet(#"{"key":"F","type":"boolean","rollout":{"variant":"on","percent":\#(percent)}}"#)
    }
    var admitted = [Int](repeating: 0, count: percents.count)
    for index in 0..<100_000 {
      let context = EvaluationContext(targetingKey: "user-\(index)")
      var wasOn = false
      for (level, set) in sets.enumerated() {
        guard case .variant(let variant, _, _) = set.evaluate(key: "F".utf8.span, context: context) else {
          Issue.record("no value for user-\(index)")
          return
        }
        let isOn = variant == 0
        #expect(isOn || !wasOn, "user-\(index) is on at \(percents[level - 1]) % and off at \(percents[level]) %")
        if isOn { admitted[level] += 1 }
        wasOn = isOn
      }
    }
    #expect(admitted.first == 0 && admitted.last == 100_000)
    #expect((9_500...10_500).contains(admitted[3]) && (49_000...51_000).contains(admitted[5]), "\(admitted)")
  }
}
