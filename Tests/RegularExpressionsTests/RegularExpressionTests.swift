// SPDX-License-Identifier: Apache-2.0

// What matches, what is refused and in which words, and that no pattern or text takes long.

import RegularExpressions
import Testing

private func whole(_ pattern: String) throws(RegularExpressionError) -> RegularExpression {
  try RegularExpression(pattern, anchored: true)
}

@Test(arguments: [
  ("foo", "foo", true), ("foo", "xfoo", false), ("foo", "foo\n", false), ("", "", true), ("", "a", false),
  // A pattern's own alternatives do not escape the anchors.
  ("ab|cd", "ab", true), ("ab|cd", "abd", false), ("(?:ab|cd)", "abd", false),
  ("a|", "", true), ("|", "", true), ("|", "a", false), ("a||b", "", true),
  (".*", "", true), (".*", "a\nb", true), (".+", "", false), (".+", "\n", true), ("a.b", "a\nb", true),
  ("foo.*", "foo", true), ("foo.*", "foo\nbar", true), ("foo.*", "fo", false),
  (".*foo", "foo", true), (".*foo", "barfoo", true), (".*foo", "oo", false),
  (".*foo.*", "xfoox", true), (".*foo.*", "", false), (".*foo.*", "fo", false),
  (#"10\.0\.0\.1:9090"#, "10.0.0.1:9090", true), (#"10\.0\.0\.1"#, "10a0.0.1", false), (#"a\|b"#, "a|b", true),
  ("(a|b)", "b", true), ("(a|b)", "(a|b)", false), ("(.*)", "a", true), (#"(a\)"#, "a", false),
  (#"\(a\)"#, "(a)", true),
  ("(?i)FOO", "foo", true), ("FOO", "foo", false), ("[a-c]+", "abc", true),
  (#"\d{3}"#, "503", true), (#"5\d\d"#, "503", true),
  ("^foo$", "foo", true), ("(?m)^a$", "a\nb", false), ("(?-s).*", "a\nb", false), (#"\Qa.b\E"#, "a.b", true),
  ("a\0b", "a\0b", true), ("a\0b", "a", false), ("a.b", "a\0b", true), ("a.b", "aéb", true), ("a.b", "a💡b", true),
  ("é+", "éé", true),
])
func anAnchoredPatternMatchesTheWholeText(_ pattern: String, _ text: String, _ expected: Bool) {
  // `(a\)` is refused, which is no match either.
  let isMatch = (try? whole(pattern))?.matches(text) ?? false
  #expect(isMatch == expected, "\(pattern.debugDescription) on \(text.debugDescription)")
}

@Test(arguments: [
  ("foo", "xfoox", true), ("foo", "fo", false), ("", "abc", true), ("^b", "abc", false), ("b.c", "ab\nc", true),
  ("a|z", "xyz", true),
])
func anotherPatternMatchesAPart(_ pattern: String, _ text: String, _ expected: Bool) throws {
  #expect(try RegularExpression(pattern, anchored: false).matches(text) == expected)
}

@Test func bytesAreComparedNotLooks() throws {
  for pattern in ["K", "K|x", "K.*", ".*K", ".*K.*", "[K]"] {
    #expect(try whole(pattern).matches("K"))
    #expect(try !whole(pattern).matches("\u{212A}"), "\(pattern): the Kelvin sign")
  }
  #expect(try !whole("\u{E9}").matches("e\u{301}"))
  #expect(try !whole("\u{E9}|e\u{301}x").matches("e\u{301}"))
}

@Test func bytesThatAreNoUTF8AreOneReplacementCharacterEach() throws {
  let text = String(decoding: [0x61, 0xFF, 0x62, 0xC3] as [UInt8], as: UTF8.self)
  #expect(try whole("a.b.").matches(text))
  #expect(try whole("a(.)b.").expanding("$1", in: text) == "\u{FFFD}")
  #expect(try whole("a.*").matches(text))
}

// Go's texts are those of `promtool check config`, but for the anchors that Prometheus adds to the pattern it quotes, and
// the trailing backslash, behind which Go quotes nothing.
@Test(arguments: [
  ("(foo", "missing closing ): `(foo`"),
  ("foo)", "unexpected ): `foo)`"),
  ("a)|(b", "unexpected ): `a)|(b`"),
  ("[a", "missing closing ]: `[a`"),
  ("*a", "missing argument to repetition operator: `*`"),
  ("a**", "invalid nested repetition operator: `**`"),
  ("a{2}{3}", "invalid nested repetition operator: `{2}{3}`"),
  ("a{1001}", "invalid repeat count: `{1001}`"),
  ("(a{1000}){1000}", "invalid repeat count: `{1000}`"),
  (#"\q"#, #"invalid escape sequence: `\q`"#),
  (#"a\"#, #"trailing backslash at end of expression: `a\`"#),
  ("[z-a]", "invalid character class range: `z-a`"),
  ("[[:foo:]]", "invalid character class range: `[:foo:]`"),
  (#"\pX"#, #"invalid character class range: `\pX`"#),
  ("(?z)", "invalid or unsupported Perl syntax: `(?z`"),
  ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
  ("(?P<n a)", "invalid named capture: `(?P<n a)`"),
])
func aBadPatternIsRefusedInGosWords(_ pattern: String, _ expected: String) {
  for anchored in [true, false] {
    let error = #expect(throws: RegularExpressionError.self) { try RegularExpression(pattern, anchored: anchored) }
    #expect(error?.description == "error parsing regexp: " + expected)
  }
}

@Test func aPatternMayBeAsLargeAsItsBound() throws {
  let size = RegularExpression.patternBytesMax
  let words = String(repeating: "word|", count: size / 5) + String(repeating: "x", count: size % 5)
  #expect(words.utf8.count == size)
  #expect(try whole(words).matches("word"))
  let compiled = "(?:" + words.dropFirst(4) + ")"
  #expect(compiled.utf8.count == size)
  #expect(try whole(compiled).matches("word"))
  let error = #expect(throws: RegularExpressionError.self) { try whole(words + "x") }
  #expect(error?.code == .tooLarge)
  #expect(error?.description.utf8.count ?? .max < 400)
}

@Test(arguments: [#"(?i)(\pL{100}){10}"#, #"((\pL|\pN){30}){30}"#])
func aSmallPatternThatNeedsMuchMemoryIsRefused(_ pattern: String) {
  let error = #expect(throws: RegularExpressionError.self) { try whole(pattern) }
  #expect(error?.code == .tooLarge)
}

@Test func deeplyNestedGroupsNeitherTrapNorLast() {
  let depth = RegularExpression.patternBytesMax / 2 - 1
  let pattern = String(repeating: "(", count: depth) + "a" + String(repeating: ")", count: depth)
  let elapsed = ContinuousClock().measure {
    // Whether RE2 takes it is RE2's business.
    #expect((try? whole(pattern))?.matches("a") ?? true)
  }
  #expect(elapsed < .seconds(5))
}

@Test(arguments: ["(a*)*b", "(a|aa)+b", "(.*)(.*)(.*)(.*)b", ".*aaaaaaaaaaaaaaaaaaaab.*", "(a?){50}a{50}b"])
func timeIsLinearInTheText(_ pattern: String) throws {
  let text = String(repeating: "a", count: 100_000)
  for anchored in [true, false] {
    let expression = try RegularExpression(pattern, anchored: anchored)
    let elapsed = ContinuousClock().measure {
      #expect(!expression.matches(text))
      #expect(expression.expanding("$1", in: text) == nil)
      _ = expression.expanding("$1", in: text + "b")
    }
    // Backtracking would outlast us all; measured: 50 ms.
    #expect(elapsed < .seconds(5), "\(pattern): \(elapsed)")
  }
}

@Test func severalThreadsMayShareOne() async throws {
  let expression = try whole("(a|b)*c[0-9]+")
  let matches = await withTaskGroup(of: Int.self) { group in
    for worker in 0..<8 {
      group.addTask { (0..<2_000).count { expression.matches("abba\(worker % 2 == 0 ? "c" : "d")\($0)") } }
    }
    return await group.reduce(0, +)
  }
  #expect(matches == 4 * 2_000)
}
