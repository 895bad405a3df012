// SPDX-License-Identifier: Apache-2.0

// The cursor against the tree on documents that were damaged at random, and its numbers against the standard library.

import JSON
import Testing

@Test func skippingAcceptsExactlyWhatTheTreeAccepts() {
  let seed = SeededRandom.seed(for: "skippingAcceptsExactlyWhatTheTreeAccepts")
  var random = SeededRandom(state: seed)
  let documents = [
    #"{"event_type":"cache_hit","duration_ms":1.25e-3,"nested":[1,[2,{"a":[]}],{}],"t":true,"n":null,"f":false}"#,
    #"["é😀","\ud83d\ude00\u00e9\n\"",-0.5E+10,18446744073709551616,[[[[]]]],{"k":{"k":{"k":0}}}]"#,
    #"  { "a" : [ 1 , 2 , 3 ] , "b" : "" }  "#, #"1234.5678e-12"#, #""\u0000\\\/""#,
  ]
  let alphabet = Array(#"{}[]",:\u0dD8eE+-.1 tfn"#.utf8) + [0x00, 0x0a, 0x7f, 0x80, 0xbf, 0xc3, 0xe2, 0xed, 0xf0, 0xf4, 0xff]
  var accepted = 0
  for _ in 0..<60_000 {
    var bytes = Array(documents.randomElement(using: &random)!.utf8)
    for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: bytes[place] = alphabet.randomElement(using: &random)!
      case 1: bytes.insert(alphabet.randomElement(using: &random)!, at: place)
      case 2: bytes.remove(at: place)
      default: bytes.removeLast(bytes.count - place)
      }
    }
    var cursor = JSONCursor()
    var fault: JSONFault?
    do throws(JSONFault) {
      try cursor.skipValue(bytes.span)
      cursor.skipWhitespace(bytes.span)
      if cursor.position < bytes.count { fault = .trailingBytes }
    } catch {
      fault = error
    }
    do throws(JSONError) {
      _ = try JSONValue(parsing: bytes)
      #expect(fault == nil, "seed \(seed): only the tree takes \(String(decoding: bytes, as: UTF8.self))")
      accepted += 1
    } catch {
      // The cursor looks neither for keys given twice nor at how large a number is.
      guard error.message != JSONFault.duplicateKey.message, error.message != JSONFault.numberOutOfRange.message else { continue }
      #expect(fault != nil, "seed \(seed): only the cursor takes \(String(decoding: bytes, as: UTF8.self))")
      if fault != nil { #expect(error.offset == cursor.position, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))") }
    }
  }
  #expect(accepted > 10_000)
}

@Test func numbersAreTheNearestDouble() throws {
  let seed = SeededRandom.seed(for: "numbersAreTheNearestDouble")
  var random = SeededRandom(state: seed)
  for _ in 0..<100_000 {
    var text = Bool.random(using: &random) ? "-" : ""
    text += String(UInt64.random(in: 0...UInt64.max, using: &random) >> UInt64.random(in: 0...63, using: &random))
    if Bool.random(using: &random) {
      text += "." + String(UInt64.random(in: 0...UInt64.max, using: &random) >> UInt64.random(in: 0...63, using: &random))
    }
    if Bool.random(using: &random) { text += "e\(Int.random(in: -340...300, using: &random))" }
    let expected = try #require(Double(text))
    let bytes = Array(text.utf8)
    var cursor = JSONCursor()
    guard let number = try? cursor.number(bytes.span) else {
      #expect(!expected.isFinite, "seed \(seed): \(text) refused")
      continue
    }
    #expect(number.value == expected, "seed \(seed): \(text)")
    #expect(number.integer == Int64(text), "seed \(seed): \(text)")
    #expect(cursor.position == bytes.count)
  }
}

@Test func stringsAreRangesAndSayWhetherTheyHoldEscapes() throws {
  let bytes = Array(#"{"plain":"é","es\u0063aped":"a\n"}"#.utf8)
  var cursor = JSONCursor(at: 1)
  let first = try cursor.key(bytes.span)
  #expect(JSONCursor.text(first, of: bytes.span) == "plain")
  #expect(!first.hasEscapes)
  #expect(first.start == 2 && first.end == 7)
  let value = try cursor.string(bytes.span)
  #expect(JSONCursor.text(value, of: bytes.span) == "é")
  try cursor.expect(UInt8(ascii: ","), bytes.span)
  let second = try cursor.key(bytes.span)
  #expect(second.hasEscapes)
  #expect(JSONCursor.text(second, of: bytes.span) == "escaped")
}
