// SPDX-License-Identifier: Apache-2.0

import RegularExpressions
import Testing

private func matches(_ pattern: String, _ text: String) throws -> Bool {
  try RegularExpression(pattern, anchored: true).matches(text)
}

@Test(arguments: [
  // pattern, texts that match, texts that do not
  ("", [""], ["a"]),
  (".*", ["", "a", "a\nb", "é"], []),
  (".+", ["a", "\n"], [""]),
  ("api", ["api"], ["", "ap", "apis", "xapi"]),
  ("a|b|cd", ["a", "b", "cd"], ["", "ab", "c", "a|b"]),
  ("(a|b)", ["a", "b"], ["", "(a", "b)"]),
  ("a||b", ["a", "b", ""], ["|"]),
  ("(a|b)|c", ["a", "b", "c"], ["", "(a"]),
  ("(a)|(b)", ["a", "b"], ["", "a)", "(b"]),
  ("api_.*", ["api_", "api_x", "api_\n"], ["", "api", "xapi_"]),
  ("api_.+", ["api_x", "api_\n"], ["api_", "api"]),
  ("a|b.*", ["a", "b", "bc"], ["ab", "ac"]),
  (#"10\.0\.0\.1"#, ["10.0.0.1"], ["10x0x0x1"]),
  (#"a\|b"#, ["a|b"], ["a", "b"]),
  (#"a\d"#, ["a1"], ["ad"]),
  ("é|e", ["é", "e"], ["e\u{301}"]),
  ("é", ["é"], ["e\u{301}"]),
  ("K|k", ["K", "k"], ["\u{212a}"]),
  ("(?i)hit", ["HIT", "hit"], ["miss"]),
  ("^a$", ["a"], ["aa"]),
  ("a.b", ["a\nb", "axb"], ["ab"]),
  ("[ab]+", ["abba"], ["", "c"]),
])
func anchoredExpressionMatchesWholeTexts(pattern: String, matching: [String], other: [String]) throws {
  for text in matching { #expect(try matches(pattern, text), "\(pattern) on \(text.debugDescription)") }
  for text in other { #expect(try !matches(pattern, text), "\(pattern) on \(text.debugDescription)") }
}

// The fast paths against RE2: a group around each pattern keeps RE2 from being bypassed.
@Test func fastPathsAnswerAsRE2Does() throws {
  let patterns = [
    ".*", ".+", "", "a", "ab", "a|b", "a|ab|", "(a|b)", "(a)", "((a))", "(a", "a)", "(a|b", "a.*", "a.+", ".*a", "a|b.*", "(a.*)",
    "(a.+)", #"a\.b"#, #"a\"#, #"(a\)"#, #"a\.*"#, #"a\..*"#, #"\(a|b\)"#, "a{2}", "[a]", "^a", "a$", "a?", "é", "é.*", "é|a", "()", "|",
    "(a)(b)", "(.*)", "(.+)", "a.*.*", "a.+.*", "a*.*", #"a\\.*"#, #"\.\*"#,
  ]
  let texts = [
    "", "a", "b", "ab", "aa", "a.b", "a.", "a*", #"a\"#, "(a", "b)", "(a|b)", "é", "e\u{301}", "éa", "\n", "a\n", ".*", "a|b", "\u{212a}",
  ]
  for pattern in patterns {
    let bypassed = try? RegularExpression("(?:\(pattern))", anchored: true)
    let fast = try? RegularExpression(pattern, anchored: true)
    guard let bypassed, let fast else {
      #expect(fast == nil, "\(pattern) compiles")
      continue
    }
    for text in texts {
      #expect(fast.matches(text) == bypassed.matches(text), "\(pattern) on \(text.debugDescription)")
      let groups = [0, 1, 2].map { (fast.captures(in: text)?[$0], bypassed.captures(in: text)?[$0]) }
      #expect(groups.allSatisfy { $0 == $1 }, "\(pattern) on \(text.debugDescription): \(groups)")
    }
  }
}

@Test func expressionWithoutAnchorsMatchesParts() throws {
  let expression = try RegularExpression("b+", anchored: false)
  #expect(expression.matches("abbc"))
  #expect(expression.captures(in: "abbc")?[0] == "bb")
  #expect(!expression.matches("ac"))
}

@Test(arguments: [
  ("[a", "error parsing regexp: missing closing ]: `[a`"),
  ("(a", "error parsing regexp: missing closing ): `(a`"),
  ("a)", "error parsing regexp: unexpected ): `a)`"),
  ("*", "error parsing regexp: missing argument to repetition operator: `*`"),
  ("a**", "error parsing regexp: invalid nested repetition operator: `**`"),
  ("a{1001}", "error parsing regexp: invalid repeat count: `{1001}`"),
  ("[z-a]", "error parsing regexp: invalid character class range: `z-a`"),
  (#"\8"#, #"error parsing regexp: invalid escape sequence: `\8`"#),
  (#"a\"#, "error parsing regexp: trailing backslash at end of expression: ``"),
  ("(?=a)", "error parsing regexp: invalid or unsupported Perl syntax: `(?=`"),
  ("(?P<n", "error parsing regexp: invalid named capture: `(?P<n`"),
])
func refusalsAreInTheWordsOfGo(pattern: String, message: String) {
  #expect { try RegularExpression(pattern, anchored: true) } throws: { error in
    String(describing: error) == message
  }
}

@Test func expressionsAreBounded() {
  let long = String(repeating: "[ab]", count: RegularExpression.patternBytesMax / 4)
  #expect(throws: Never.self) { try RegularExpression(long, anchored: true) }
  let patterns = ["((a{1000}){1000}){1000}", "(a{0,1000}){0,1000}", long + "a", String(repeating: "[a-z]{900}", count: 2_000)]
  for pattern in patterns {
    #expect(throws: RegularExpressionError.self, "\(pattern.prefix(20))") { try RegularExpression(pattern, anchored: true) }
  }
}

@Test func nestingIsNoDanger() throws {
  let count = RegularExpression.patternBytesMax / 2
  let nested = String(repeating: "(", count: count) + String(repeating: ")", count: count)
  #expect(try RegularExpression(nested, anchored: true).matches(""))
}

@Test func listsOfWordsMayBeLong() throws {
  let words = (0..<100_000).map { "pod-\($0)" }
  let expression = try RegularExpression(words.joined(separator: "|"), anchored: true)
  #expect(expression.matches("pod-99999") && !expression.matches("pod-100000"))
}

// The classic that takes 2^n steps where expressions are matched by trying.
@Test func matchingIsLinear() throws {
  let expression = try RegularExpression("(a*)*b|(a|aa)+c", anchored: true)
  #expect(!expression.matches(String(repeating: "a", count: 100_000)))
}

@Test func oneExpressionServesManyThreads() async throws {
  let expression = try RegularExpression("(?i)[a-f]+[0-9]{3}(x|y)", anchored: true)
  await withTaskGroup(of: Bool.self) { group in
    for task in 0..<8 {
      group.addTask {
        (0..<2_000).allSatisfy { expression.matches("ABC\(100 + ($0 + task) % 900)x") && !expression.matches("abc\($0)z") }
      }
    }
    for await isRight in group { #expect(isRight) }
  }
}
