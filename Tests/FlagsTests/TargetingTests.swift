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
    ("matches", #"["^a.c$","z"]"#, #""abc""#, true), ("matches", #"["^a.c$"]"#, #""xabc""#, false),
    ("matches", #"["b"]"#, #""abc""#, true), ("matches", #"["b"]"#, "7", false), ("matches", #"["null"]"#, "null", false),
    ("matches", #"["b"]"#, #"["b"]"#, false), ("matches", #"["^$"]"#, "", false), ("matches", #"["^$"]"#, #""""#, true),
    ("matches", #"["a.c"]"#, #""a\nc""#, false), ("matches", #"["(?i)ABC"]"#, #""xabcx""#, true),
    ("matches", #"["^é+$"]"#, #""éé""#, true), ("matches", #"["^.$"]"#, #""用""#, true),
    ("semver_eq", #"["1.2.0"]"#, #""v1.2""#, true), ("semver_gt", #"["1.2.0"]"#, "2", false),
    ("semver_lt", #"["1.2.0"]"#, #""1.2.0-rc.1""#, true), ("semver_gte", #"["1.2.0"]"#, #""1.2.0+build""#, true),
    ("semver_lte", #"["1.2.0"]"#, "", false), ("semver_eq", #"["1.2.0"]"#, "true", false),
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

  /// Lists are looked up by hash from some size on; the answer is the same.
  @Test func longListsAreAsShortOnes() throws {
    for count in [1, 11, 12, 13, 1_000] {
      let list = (0..<count).map { #""user-\#($0)""# }.joined(separator: ",")
      for op in ["in", "not_in", "contains"] {
        let set = try flagSet(ruled(#"{"attribute":"x","op":"\#(op)","values":[\#(list)]}"#))
        for user in [0, count - 1, count] {
          let attribute = op == "contains" ? #"["z","user-\#(user)"]"# : #""user-\#(user)""#
          let value = try JSONValue(parsing: answer(set, "F", body: #"{"context":{"x":\#(attribute)}}"#).text)["value"]?.bool
          #expect(value == ((user < count) != (op == "not_in")), "\(op) \(count) \(user)")
        }
      }
    }
  }

  @Test func patternsAreBounded() throws {
    func flag(_ patterns: [String], rules: Int = 1) -> String {
      let list = patterns.map { JSONValue.string($0).text }.joined(separator: ",")
      let rule = #"{"if":[{"attribute":"x","op":"matches","values":[\#(list)]}],"variant":"on"}"#
      return #"{"key":"F","type":"boolean","rules":[\#(Array(repeating: rule, count: rules).joined(separator: ","))]}"#
    }
    let twenty = (0..<20).map { "a\($0)" }
    #expect(fault { _ = try Flag(JSONValue(parsing: flag(twenty, rules: 5))) } == "no error")
    #expect(fault { _ = try Flag(JSONValue(parsing: flag(twenty, rules: 6))) } == "rules: 120 patterns of `matches`: at most 100")
    #expect(
      fault { _ = try Flag(JSONValue(parsing: flag(twenty + ["b"]))) } == "rules[0].if[0].values: 21 entries: at most 20")
    #expect(fault { _ = try Flag(JSONValue(parsing: flag(["(a|bc){350}"]))) } == "no error")
    #expect(fault { _ = try Flag(JSONValue(parsing: flag(["(a|bc){900}"]))) }.hasSuffix("at most 2000"))
  }

  /// A backtracking engine would need longer than the universe has.
  @Test func aHostileTextIsMatchedInLinearTime() throws {
    let set = try flagSet(ruled(#"{"attribute":"x","op":"matches","values":["^(a+)+$"]}"#))
    let text = String(repeating: "a", count: 100_000) + "b"
    #expect(try JSONValue(parsing: answer(set, "F", body: #"{"context":{"x":"\#(text)"}}"#).text)["value"]?.bool == false)
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
