// SPDX-License-Identifier: Apache-2.0

import PromQL
import Testing

// How numbers are written: by hand at the edges, and over random bits against a slow writer.

private let answers: [(Double, String)] = [
  (0.0, "0"), (-0.0, "-0"), (1, "1"), (-100, "-100"), (0.1, "0.1"), (-2.50, "-2.5"), (123456.789, "123456.789"),
  (1e-4, "0.0001"), (1.5e-5, "0.000015"), (1e-6, "0.000001"), (9.9e-7, "9.9e-07"), (-1e-7, "-1e-07"),
  (.leastNonzeroMagnitude, "5e-324"), (2.2250738585072014e-308, "2.2250738585072014e-308"),
  (9007199254740992, "9007199254740992"), (18014398509481984, "18014398509481984"), (1e16, "10000000000000000"),
  (1.2345e20, "123450000000000000000"), (1e21, "1e+21"), (1.7976931348623157e308, "1.7976931348623157e+308"),
  (-1.2345678901234567e-6, "-0.0000012345678901234567"), (.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
]

@Test(arguments: answers)
func answersHaveExponentsOnlyForTheVerySmallAndLarge(value: Double, text: String) {
  #expect(answer(value) == text)
}

@Test func numbersAreWrittenAsASlowWriterWritesThem() throws {
  let seed = SeededRandom.seed(for: "numbersAreWrittenAsASlowWriterWritesThem")
  var random = SeededRandom(state: seed)
  for _ in 0..<20_000 {
    let value = randomNumber(&random)
    let text = answer(value)
    #expect(text == SlowNumber(value).answer, "\(value.bitPattern), RAMPART_SEED=\(seed)")
    #expect(Double(text)?.bitPattern == value.bitPattern, "\(text), RAMPART_SEED=\(seed)")
    let literal = value.magnitude
    let printed = try Expr(parsing: "\(literal)").description
    #expect(printed == SlowNumber(literal).plain, "\(literal.bitPattern), RAMPART_SEED=\(seed)")
  }
}

/// Any bits that are a finite number; every other time one as answers have them.
private func randomNumber(_ random: inout SeededRandom) -> Double {
  switch Int.random(in: 0..<6, using: &random) {
  case 0: return Double(Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0...63, using: &random))
  case 1: return Double.random(in: -10...10, using: &random)
  case 2: return Double(Int.random(in: -9999...9999, using: &random)) / 1000
  default:
    let value = Double(bitPattern: UInt64.random(in: 0 ... .max, using: &random))
    return value.isFinite ? value : 0
  }
}

private func answer(_ value: Double) -> String {
  var bytes: [UInt8] = []
  bytes.append(addingCapacity: GeneralNumber.answerBytesMax) { GeneralNumber.append(answer: value, to: &$0) }
  return String(decoding: bytes, as: UTF8.self)
}

/// Digits and the place of the point, as strings.
private struct SlowNumber {
  let value: Double
  private let digits: String
  private let pointAt: Int

  init(_ value: Double) {
    self.value = value
    let parts = value.magnitude.description.split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let written = Substring(mantissa.joined())
    let significant = written.drop { $0 == "0" }
    let exponent = parts.count > 1 ? Int(parts[1])! : 0
    let trailing = significant.reversed().prefix { $0 == "0" }.count
    digits = significant.isEmpty ? "0" : String(significant.dropLast(trailing))
    pointAt = significant.isEmpty ? 1 : mantissa[0].count + exponent - (written.count - significant.count)
  }

  private var sign: String { value.sign == .minus ? "-" : "" }

  var answer: String {
    value != 0 && (value.magnitude < 1e-6 || value.magnitude >= 1e21) ? scientific : plain
  }

  var plain: String {
    if pointAt <= 0 { return sign + "0." + String(repeating: "0", count: -pointAt) + digits }
    if pointAt >= digits.count { return sign + digits + String(repeating: "0", count: pointAt - digits.count) }
    return "\(sign)\(digits.prefix(pointAt)).\(digits.dropFirst(pointAt))"
  }

  private var scientific: String {
    let exponent = pointAt - 1
    let size = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
    let fraction = digits.count > 1 ? ".\(digits.dropFirst())" : ""
    return "\(sign)\(digits.prefix(1))\(fraction)e\(exponent < 0 ? "-" : "+")\(size)"
  }
}
