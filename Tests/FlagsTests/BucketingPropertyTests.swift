// SPDX-License-Identifier: Apache-2.0

// A million targeting keys: evenly spread, nested as a ramp grows, and another order for each flag. The keys come from a
// fixed list, so nothing flickers; the sum over all buckets is the same on every machine.

import Assignment
import Flags
import Testing

@Suite struct BucketingPropertyTests {
  private static let keyCount = 1_000_000

  private static func buckets(salt: String) -> [Int] {
    let prefix = Array("user-".utf8)
    var key = prefix
    return (0..<keyCount).map { number in
      key.removeLast(key.count - prefix.count)
      key.append(contentsOf: String(number).utf8)
      return Bucketing.bucket(salt: salt.utf8.span, targetingKey: key.span)
    }
  }

  private func chiSquare(_ counts: [Int], expected: (Int) -> Double) -> Double {
    counts.indices.reduce(0) { sum, cell in
      let difference = Double(counts[cell]) - expected(cell)
      return sum + difference * difference / expected(cell)
    }
  }

  /// The quantile at one in a thousand, by Wilson and Hilferty's approximation.
  private func limit(degreesOfFreedom: Double) -> Double {
    let part = 2 / (9 * degreesOfFreedom)
    let root = 1 - part + 3.0902 * part.squareRoot()
    return degreesOfFreedom * root * root * root
  }

  @Test(arguments: ["ENABLE_PROFILE_CACHE", "flag-2", "用户"])
  func bucketsAreUniform(_ salt: String) {
    var cells = [Int](repeating: 0, count: 100)
    for bucket in Self.buckets(salt: salt) { cells[bucket / 100] += 1 }
    let found = chiSquare(cells) { _ in Double(Self.keyCount) / 100 }
    #expect(found < limit(degreesOfFreedom: 99), "chi-square \(found)")
  }

  @Test func rampsAreNested() throws {
    let percents: [Double] = [0, 0.01, 10, 50, 100]
    let sets = try percents.map { try flagSet(#"{"key":"F","type":"boolean","rollout":{"variant":"on","percent":\#($0)}}"#) }
    var admitted = [Int](repeating: 0, count: percents.count)
    var strays = 0
    for number in 0..<Self.keyCount {
      let context = EvaluationContext(targetingKey: "user-\(number)")
      var wasOn = false
      for (level, set) in sets.enumerated() {
        let isOn = if case .variant(0, _, _)? = set.evaluate(key: "F".utf8.span, context: context) { true } else { false }
        if isOn { admitted[level] += 1 }
        if wasOn, !isOn { strays += 1 }
        wasOn = isOn
      }
    }
    #expect(strays == 0, "whoever is in at a percentage is in at every greater one")
    #expect(admitted[0] == 0 && admitted[4] == Self.keyCount)
    // Four standard deviations.
    #expect(abs(admitted[2] - 100_000) < 1_200 && abs(admitted[3] - 500_000) < 2_000, "\(admitted)")
  }

  @Test func flagsAreIndependent() {
    let (left, right) = (Self.buckets(salt: "ENABLE_PROFILE_CACHE"), Self.buckets(salt: "ENABLE_MATCH_CACHE"))
    var cells = [Int](repeating: 0, count: 100)
    var (rows, columns) = ([Int](repeating: 0, count: 10), [Int](repeating: 0, count: 10))
    for number in 0..<Self.keyCount {
      let (row, column) = (left[number] / 1000, right[number] / 1000)
      cells[row * 10 + column] += 1
      rows[row] += 1
      columns[column] += 1
    }
    let found = chiSquare(cells) { Double(rows[$0 / 10]) * Double(columns[$0 % 10]) / Double(Self.keyCount) }
    #expect(found < limit(degreesOfFreedom: 81), "chi-square \(found)")
  }

  /// Computed once with mmh3 5.3.1 on Linux x86-64: any other machine must come to the same.
  @Test func theSameOnEveryMachine() {
    let buckets = Self.buckets(salt: "ENABLE_PROFILE_CACHE")
    #expect(buckets.reduce(0, +) == 5_003_570_058)
    let mixed = buckets.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
    #expect(mixed == 16_821_784_686_395_004_035, "FNV-1a over the buckets in order")
  }
}
