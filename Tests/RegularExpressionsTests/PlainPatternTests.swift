// SPDX-License-Identifier: Apache-2.0

// The patterns that are matched without RE2 against RE2, which gets them inside of `(?:…)`, never a plain pattern.

import RegularExpressions
import Testing

private let pieces = [
  "a", "b", "ab", "K", "\u{212A}", "é", "e\u{301}", "💡", "\n", "\0", " ", "-", "_", "#", "]", "}", "0",
  "|", "|", "|", ".*", ".*", ".*", ".+", ".", "*", "+", "?", "(", ")", "[", "{", "^", "$",
  #"\."#, #"\|"#, #"\-"#, #"\("#, #"\)"#, #"\\"#, #"\_"#, #"\d"#, #"\ "#, #"\é"#, "\\",
]

private let textPieces = [
  "a", "b", "ab", "K", "\u{212A}", "é", "e\u{301}", "💡", "\n", "\0", " ", "-", "_", ".", "|", "(", ")", #"\"#, "0",
]

@Test func aPlainPatternIsExactlyRE2s() throws {
  let seed = SeededRandom.seed(for: "aPlainPatternIsExactlyRE2s")
  var random = SeededRandom(state: seed)
  var compared = 0
  var matched = 0
  for _ in 0..<20_000 {
    let inner = (0..<Int.random(in: 0...4, using: &random)).map { _ in pieces.randomElement(using: &random)! }.joined()
    let pattern = Bool.random(using: &random) ? inner : "(\(inner))"
    // A pattern that is refused is RE2's own; `a)|(b` would be accepted inside of a group.
    guard let expression = try? RegularExpression(pattern, anchored: true) else { continue }
    let oracle = try RegularExpression("(?:\(pattern))", anchored: true)
    for _ in 0..<5 {
      let text = text(like: inner, using: &random)
      let expected = oracle.matches(text)
      compared += 1
      matched += expected ? 1 : 0
      let place: Comment = "RAMPART_SEED=\(seed): \(pattern.debugDescription) on \(text.debugDescription)"
      #expect(expression.matches(text) == expected, place)
      let expansions = [expression, oracle].map { $0.expanding("<$0|$1|${2}|$x>", in: text).map { Array($0.utf8) } }
      #expect(expansions[0] == expansions[1], place)
    }
  }
  #expect(compared > 10_000 && matched > 1_000, "RAMPART_SEED=\(seed): \(matched) matches of \(compared)")
}

// Half are random, half are one of the pattern's alternatives with something in place of its dots.
private func text(like pattern: String, using random: inout SeededRandom) -> String {
  func noise() -> String {
    (0..<Int.random(in: 0...3, using: &random)).map { _ in textPieces.randomElement(using: &random)! }.joined()
  }
  guard Bool.random(using: &random) else { return noise() }
  let alternative = pattern.split(separator: "|", omittingEmptySubsequences: false).randomElement(using: &random) ?? ""
  var text = ""
  for scalar in alternative.unicodeScalars {
    switch scalar {
    case ".": text += noise()
    case "*", "+", "\\": break
    default: text.unicodeScalars.append(scalar)
    }
  }
  return text
}
