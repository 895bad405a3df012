// SPDX-License-Identifier: Apache-2.0

// Each operator over each kind of attribute.

import Flags
import JSON
import Testing

@Suite struct TargetingTests {
  /// A flag that is on where the condition holds.
  private func ruled(_ condition: String) -> String {
    #"{"key":"F","type":"boolean","rules":[{"if":[\#(condition)],"variant":"on"}]}"#
  }

  @Test(arguments: [
    // op, values, the attribute in the context or nothing, holds
    ("in", #"["a","b"]"#, #""b""#, true), ("in", #"["a","b"]"#, #""c""#, false), ("in", "[1,2.5]", "2.5", true),
    ("in", "[1]", "1.0", true), ("in", #"["1"]"#, "1", false), ("in", "[true]", "true", true),
    ("in", "[true]", "false", false),
    ("in", #"["a"]"#, "", false), ("in", #"["a"]"#, "null", false), ("in", #"["é"]"#, #""É""#, false),
    ("not_in", #"["a"]"#, #""b""#, true), ("not_in", #"["a"]"#, #""a""#, false), ("not_in", #"["a"]"#, "", true),
    ("not_in", "[1]", "1", false), ("not_in", "[false]", "true", true),
    ("eq", "[7]", "7", true), ("eq", #"["x"]"#, #""x""#, true), ("eq", "[false]", "false", true),
    ("eq", "[0]", "false", false),
    ("contains", #"["ell","zzz"]"#, #""hello""#, true), ("contains", #"["elx"]"#, #""hello""#, false),
    ("contains", #"["hello!"]"#, #""hello""#, false), ("contains", #"["beta"]"#, #"["alpha","beta"]"#, true),
    ("contains", "[3]", "[1,2]", false), ("contains", "[2]", "[1,2.0]", true),
    ("starts_with", #"["he"]"#, #""hello""#, true), ("starts_with", #"["lo"]"#, #""hello""#, false),
    ("ends_with", #"["lo"]"#, #""hello""#, true), ("ends_with", #"["hellohello"]"#, #""hello""#, false),
    ("starts_with", #"[""]"#, #""""#, true),
    ("gt", "[5]", "5", false), ("gt", "[5]", "5.01", true), ("gte", "[5]", "5", true), ("lt", "[5]", "4", true),
    ("lt", "[5]", "5", false),
    ("lte", "[5]", "5", true), ("lte", "[5]", #""4""#, false), ("gt", "[5]", "", false),
  ])
  func conditionHolds(_ op: String, _ values: String, _ attribute: String, _ holds: Bool) throws {
    let set = try flagSet(
      ruled(#"{"attribute":"x","op":"\#(op)","values":\#(values)}"#)
    )
    let body = attribute.isEmpty ? "{}" : #"{"context":{"x":\#(attribute)}}"#
    #expect(try JSONValue(parsing: answer(set, "F", body: body).text)["value"]?.bool == holds)
  }

  @Test func targetingKeyIsAnAttributeToo() throws {
    let set = try flagSet(
      ruled(#"{"attribute":"targetingKey","op":"in","values":["eve"]}"#)
    )
    for (body, value) in [
      (#"{"context":{"targetingKey":"eve"}}"#, true), (#"{"context":{"targetingKey":"bob"}}"#, false), ("{}", false),
    ] {
      #expect(try JSONValue(parsing: answer(set, "F", body: body).text)["value"]?.bool == value)
    }
  }

  /// flagd's fractional-v2 rows: four suits at 25 each.
  @Test(arguments: [("jack", "hearts"), ("queen", "spades"), ("ten", "clubs"), ("nine", "diamonds"), ("3", "clubs")])
  func splitDealsAsFlagdDoes(_ card: String, _ suit: String) throws {
    let suits = ["clubs", "diamonds", "hearts", "spades"]
    let variants = suits.map { #""\#($0)":"\#($0)""# }.joined(separator: ",")
    let split = suits.map { #"{"variant":"\#($0)","weight":25}"# }.joined(separator: ",")
    let set = try flagSet(
      """
      {"key":"fractional-flag","type":"string","variants":{\(variants)},"defaultVariant":"clubs",\
      "rules":[{"if":[],"split":[\(split)]}]}
      """)
    let body = #"{"context":{"targetingKey":"\#(card)"}}"#
    #expect(try JSONValue(parsing: answer(set, "fractional-flag", body: body).text)["variant"]?.string == suit)
  }
}
