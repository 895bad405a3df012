// SPDX-License-Identifier: Apache-2.0

// The short ways against the long ones: what is plain at each bound and one past it, and that it means the same.

import JSON
import Testing

/// A number's text with enough behind it to be read by words.
private func plain(_ text: String, behind: String = ",") -> Plain.Number? {
  Plain.number(Array((text + behind + String(repeating: " ", count: 32)).utf8).span, at: 0)
}

@Test(arguments: [
  ("0", true), ("7", true), ("1234567", true), ("12345678", true), ("123456789012345", true), ("1234567890123456", false),
  ("0.1", true), ("1234567.12345678", true), ("12345678.1", false), ("1.123456789", false), ("9999999.99999999", true),
  ("00", false), ("01", false), ("01.5", false), ("000000001", false), ("1.", false), (".5", false), ("-1", false),
  ("1e5", false), ("1.5E2", false), ("1.5.2", false), ("12345678e1", false), ("0.00000000", true), ("", false),
])
func aNumberIsPlainUpToItsBounds(text: String, isPlain: Bool) {
  for behind in [",", "}"] {
    let number = plain(text, behind: behind)
    #expect((number != nil) == isPlain)
    if let number { #expect(number.value == Double(text) && number.end == text.utf8.count) }
  }
  for behind in [" ", "]", "\n", "e", ".", "5,"] where isPlain {
    #expect(plain(text, behind: behind).map { $0.end != text.utf8.count } ?? true, "\(behind)")
  }
}

@Test func aNumberNearTheEndIsNotPlain() {
  let bytes = Array("0.125,".utf8)
  // One pair of words from the first digit, one from behind the point.
  for count in 0..<40 {
    let padded = bytes + [UInt8](repeating: 0x20, count: count)
    #expect((Plain.number(padded.span, at: 0) != nil) == (padded.count >= 2 + 16), "\(count)")
  }
}

@Test func plainNumbersAreThoseOfTheLongWay() throws {
  let seed = SeededRandom.seed(for: "plainNumbersAreThoseOfTheLongWay")
  var random = SeededRandom(state: seed)
  var plainOnes = 0
  for _ in 0..<40_000 {
    func digits(_ range: ClosedRange<Int>) -> String {
      String((0..<Int.random(in: range, using: &random)).map { _ in "0123456789".randomElement(using: &random)! })
    }
    let text = digits(1...17) + (Bool.random(using: &random) ? "." + digits(1...10) : "")
    let found = plain(text)
    plainOnes += found == nil ? 0 : 1
    // Alone it has no bytes behind it, so that the cursor takes the long way.
    let alone = Array(text.utf8)
    var cursor = JSONCursor()
    guard let number = try? cursor.number(alone.span) else {
      #expect(found == nil, "seed \(seed): \(text)")
      continue
    }
    guard let found else { continue }
    #expect(found.value == number.value && found.value == Double(text), "seed \(seed): \(text)")
    #expect(found.end == number.end && found.isInteger == (number.integer != nil), "seed \(seed): \(text)")
  }
  #expect(plainOnes > 10_000)
}

@Test func plainStringsEndAtTheirQuote() {
  let seed = SeededRandom.seed(for: "plainStringsEndAtTheirQuote")
  var random = SeededRandom(state: seed)
  for _ in 0..<40_000 {
    var bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0x23...0x5b, using: &random) }
    bytes.append(UInt8(ascii: "\""))
    bytes += (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    if Bool.random(using: &random) {
      bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
    }
    let mark = bytes.firstIndex { $0 < 0x20 || $0 >= 0x80 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
    let end = Plain.stringEnd(bytes.span, from: 0)
    // Sixteen bytes at a time: the last piece that is not whole is not looked at.
    let isSeen = mark.map { $0 / 16 * 16 + 16 <= bytes.count } ?? false
    let expected = mark.flatMap { isSeen && bytes[$0] == UInt8(ascii: "\"") ? $0 : nil }
    #expect(end == expected, "seed \(seed): \(bytes)")
  }
}

@Test func wordsAreReadUpToTheLastByte() {
  let bytes = Array(0..<UInt8(20))
  #expect(Word.pair(bytes.span, 4).map { [$0.low, $0.high] } == [0x0b0a_0908_0706_0504, 0x1312_1110_0f0e_0d0c])
  #expect(Word.pair(bytes.span, 5) == nil)
  #expect(Word.pair(bytes.span, -1) == nil)
  #expect(Word.pair(bytes.span, .max) == nil)
  #expect(Word.pair(Array(bytes[..<15]).span, 0) == nil)
  #expect(Word.eight(bytes.span, 12) == 0x1312_1110_0f0e_0d0c)
}

@Test func digitsAreCountedAndAddedUp() {
  for text in ["00000000", "12345678", "99999999", "10000000", "00000001"] {
    let digits = Word.eight(Array(text.utf8).span, 0) ^ 0x3030_3030_3030_3030
    #expect(Word.digitCount(digits) == 8 && Word.decimal(digits) == UInt64(text))
  }
  for byte in UInt8.min...UInt8.max {
    for place in 0..<8 {
      var bytes = Array("12345678".utf8)
      bytes[place] = byte
      let isDigit = (0x30...0x39).contains(byte)
      #expect(Word.digitCount(Word.eight(bytes.span, 0) ^ 0x3030_3030_3030_3030) == (isDigit ? 8 : place))
    }
  }
}
