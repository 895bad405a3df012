// SPDX-License-Identifier: Apache-2.0

// The tree, the writer and the errors, as documents and what becomes of them.

import JSON
import Testing

@Test(arguments: [
  ("null", "null"), (" true ", "true"), ("false", "false"), ("0", "0"), ("-0", "0"), ("-17", "-17"),
  ("9223372036854775807", "9223372036854775807"), ("-9223372036854775808", "-9223372036854775808"),
  ("9223372036854775808", "9.223372036854776e+18"), ("1.0", "1.0"), ("1e3", "1000.0"), ("1E-2", "0.01"),
  ("0.1", "0.1"), ("5e-324", "5e-324"), ("1e-400", "0.0"), ("1.7976931348623157e308", "1.7976931348623157e+308"),
  ("\"\"", "\"\""), (#""a\u0041\n\t\"\\\/""#, #""aA\n\t\"\\/""#), (#""\ud83d\ude00é""#, "\"😀é\""),
  (#""\u0001\u001f""#, #""\u0001\u001f""#), ("[]", "[]"), ("[1, 2 ,3]", "[1,2,3]"), ("{}", "{}"),
  ("\r\n{ \"b\" : [ { } ] , \"a\" : null }\t", #"{"b":[{}],"a":null}"#),
])
func aDocumentIsReadAndWrittenCompactly(document: String, compact: String) throws {
  #expect(try JSONValue(parsing: document).text == compact)
}

@Test(arguments: [
  ("", "1:1: ends in the middle of a value"), ("{", "1:2: ends in the middle of a value"),
  ("[1,]", "1:4: unexpected character: ']'"), ("{\"a\":1,}", "1:8: unexpected character: '}'"),
  ("{\"a\":1,\n \"a\":2}", "2:2: key given twice in one object"), ("01", "1:2: not a JSON number"),
  ("1.", "1:3: ends in the middle of a value"), ("-a", "1:2: not a JSON number"), ("+1", "1:1: unexpected character: '+'"),
  (".5", "1:1: unexpected character: '.'"), ("4E449", "1:1: number beyond the range of a double"),
  ("NaN", "1:1: unexpected character: 'N'"), ("tru", "1:4: ends in the middle of a value"),
  ("1 2", "1:3: more after the end of the value: '2'"), ("\"\\x\"", "1:3: unknown escape in a string"),
  ("\"\\ud800\"", "1:2: half of a surrogate pair in a string"), ("\"\\udc00\"", "1:2: half of a surrogate pair in a string"),
  ("\"\\ud800\\u0041\"", "1:2: half of a surrogate pair in a string"), ("\"\\u12g4\"", "1:6: unknown escape in a string"),
  ("\"a\nb\"", "1:3: control character in a string; write it as an escape"), ("'a'", "1:1: unexpected character: '''"),
])
func aBrokenDocumentIsRefusedWithItsPlace(document: String, error: String) {
  #expect(description(document) == error)
}

private func description(_ document: String) -> String {
  do throws(JSONError) {
    return try JSONValue(parsing: document).text
  } catch {
    return error.description
  }
}

@Test(arguments: [
  [0x80], [0xc0, 0xaf], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf5], [0xc3], [0xe2, 0x82],
] as [[UInt8]])
func bytesThatAreNotUTF8AreRefused(bytes: [UInt8]) {
  #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22] + bytes + [0x22]) }
}

@Test func nestingIsBoundedAtTheBoundAndOnePastIt() throws {
  func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
  _ = try JSONValue(parsing: nested(64))
  #expect(throws: JSONError.self) { try JSONValue(parsing: nested(65)) }
  _ = try JSONValue(parsing: nested(3), depthMax: 3)
  #expect(throws: JSONError.self) { try JSONValue(parsing: nested(4), depthMax: 3) }
  for depth in [64, 65] {
    let bytes = Array(nested(depth).utf8)
    var cursor = JSONCursor()
    let result = (try? cursor.skipValue(bytes.span)) != nil
    #expect(result == (depth == 64))
  }
}

@Test func valuesAreLookedUpByNameAndKind() throws {
  let value = try JSONValue(parsing: #"{"s":"x","i":3,"d":3.5,"b":true,"a":[1],"o":{"k":null}}"#)
  #expect(value["s"]?.string == "x")
  #expect(value["i"]?.integer == 3)
  #expect(value["i"]?.double == 3)
  #expect(value["d"]?.double == 3.5)
  #expect(value["d"]?.integer == nil)
  #expect(value["b"]?.bool == true)
  #expect(value["a"]?.array == [.integer(1)])
  #expect(value["o"]?["k"] == .null)
  #expect(value["none"] == nil)
  #expect(value["s"]?["x"] == nil)
  #expect(value.members?.map(\.name) == ["s", "i", "d", "b", "a", "o"])
}

@Test func theWriterPlacesCommasAndEscapes() {
  var writer = JSONWriter()
  writer.beginObject()
  writer.member("text", "a\"b\\\u{7}")
  writer.member("count", 3)
  writer.member("large", Int64.min)
  writer.member("ratio", 1.0)
  writer.member("on", true)
  writer.key("list")
  writer.beginArray()
  writer.null()
  writer.number(.infinity)
  writer.raw(Array(#"{"x":1}"#.utf8).span)
  writer.string(utf8: [0x61, 0xff].span)
  writer.string(utf8: Array("é\n".utf8).span)
  writer.beginObject()
  writer.endObject()
  writer.endArray()
  writer.endObject()
  let text = String(decoding: writer.bytes, as: UTF8.self)
  #expect(
    text == #"{"text":"a\"b\\\u0007","count":3,"large":-9223372036854775808,"ratio":1.0,"on":true,"#
      + "\"list\":[null,null,{\"x\":1},\"a\u{fffd}\",\"é\\n\",{}]}")
  writer.removeAll()
  writer.integer(1)
  #expect(writer.bytes == [0x31])
}
