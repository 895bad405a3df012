// SPDX-License-Identifier: Apache-2.0

import RegularExpressions
import Testing

// Replacing each match, as Go's ReplaceAllString does. Expectations are Go's.

private func replaced(_ pattern: String, _ template: String, _ text: String) throws -> String? {
  var bytesLeft = 1 << 20
  return try RegularExpression(searching: pattern).replacingAll(in: text, with: template, bytesMax: 100, searchedBytesLeft: &bytesLeft)
}

@Test(arguments: [
  ("(a)b", "x$1", "ab", "xa"), ("a*", "x", "baac", "xbxcx"), ("", "-", "hé世", "-h-é-世-"), ("a", "$0$0", "banana", "baanaanaa"),
  ("^a", "x", "aaa", "xaa"), (#"\b"#, "|", "ab cd", "|ab| |cd|"), ("a|", "x", "baab", "xbxxbx"), ("$", "!", "abc", "abc!"),
  ("x*", "-", "", "-"), ("b", "x", "aaa", "aaa"), (".", "x", "a\nb", "x\nx"), ("(?s).", "x", "a\nb", "xxx"), ("(a)|b", "[$1]", "ab", "[a][]"),
])
func eachMatchIsReplaced(pattern: String, template: String, text: String, expected: String) throws {
  #expect(try replaced(pattern, template, text) == expected)
}

@Test func aDotMatchesALineFeedInMatchersAlone() throws {
  #expect(try RegularExpression("a.b", anchored: false).matches("a\nb"))
  #expect(try !RegularExpression(searching: "a.b").matches("a\nb"))
  #expect(try RegularExpression(searching: "b").matches("abc"))
}

@Test func replacingIsBounded() throws {
  let text = String(repeating: "a", count: 50)
  #expect(try replaced("a", "bb", text)?.utf8.count == 100)
  #expect(try replaced("a", "bb", text + "a") == nil)
  #expect(try replaced(".*", String(repeating: "$0", count: 100_000), text) == nil)
  // The first search may see 51 bytes, the second 50 and so on.
  let expression = try RegularExpression(searching: "a")
  var bytesLeft = 51 * 52 / 2
  #expect(expression.replacingAll(in: text, with: "b", bytesMax: 100, searchedBytesLeft: &bytesLeft) != nil)
  #expect(bytesLeft == 0)
  bytesLeft = 51 * 52 / 2 - 1
  #expect(expression.replacingAll(in: text, with: "b", bytesMax: 100, searchedBytesLeft: &bytesLeft) == nil)
}

@Test func aProgramHasASize() throws {
  let small = try RegularExpression(searching: "a").programSize
  let large = try RegularExpression(searching: "a{100}").programSize
  #expect(small > 0 && large >= small + 99)
  #expect(try RegularExpression("abc", anchored: true).programSize == 0)
  #expect(throws: RegularExpressionError.self) { try RegularExpression(searching: #"(\pL{500}){2}"#) }
}
