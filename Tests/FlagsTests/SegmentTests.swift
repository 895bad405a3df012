// SPDX-License-Identifier: Apache-2.0

// Who is in a segment, and what a segment may hold.

import Flags
import JSON
import Testing

@Suite struct SegmentTests {
  static let beta = """
    {"key":"beta","included":["ann","bob","用户"],"excluded":["bob","carl"],\
    "rules":[{"if":[{"attribute":"plan","op":"eq","values":["pro"]},{"attribute":"age","op":"gte","values":[18]}]},
             {"if":[{"attribute":"email","op":"ends_with","values":["@example.com"]}]}]}
    """

  private func isOn(_ condition: String, _ context: String, _ segments: String...) throws -> Bool? {
    let flag = #"{"key":"F","type":"boolean","rules":[{"if":[\#(condition)],"variant":"on"}]}"#
    let set = try flagSet(flag, segments: segments)
    return try JSONValue(parsing: answer(set, "F", body: #"{"context":\#(context)}"#).text)["value"]?.bool
  }

  @Test(arguments: [
    (#"{"targetingKey":"ann"}"#, true), (#"{"targetingKey":"用户"}"#, true), (#"{"targetingKey":"an"}"#, false),
    (#"{"targetingKey":"bob"}"#, false), (#"{"targetingKey":"bob","plan":"pro","age":30}"#, false),
    (#"{"targetingKey":"carl","email":"carl@example.com"}"#, false), (#"{"targetingKey":"dora","plan":"pro","age":18}"#, true),
    (#"{"targetingKey":"dora","plan":"pro","age":17}"#, false), (#"{"targetingKey":"dora","plan":"pro","age":"18"}"#, false),
    (#"{"email":"x@example.com"}"#, true), ("{}", false), (#"{"targetingKey":""}"#, false),
  ])
  func membersAre(_ context: String, _ isMember: Bool) throws {
    #expect(try isOn(#"{"op":"in_segment","values":["beta"]}"#, context, Self.beta) == isMember)
    #expect(try isOn(#"{"op":"not_in_segment","values":["beta"]}"#, context, Self.beta) == !isMember)
  }

  @Test func anyOfSeveralSegmentsSuffices() throws {
    let other = #"{"key":"other","included":["eve"]}"#
    let condition = #"{"op":"in_segment","values":["beta","other"]}"#
    #expect(try isOn(condition, #"{"targetingKey":"eve"}"#, Self.beta, other) == true)
    #expect(try isOn(condition, #"{"targetingKey":"ann"}"#, Self.beta, other) == true)
    #expect(try isOn(condition, #"{"targetingKey":"zoe"}"#, Self.beta, other) == false)
  }

  @Test func aSegmentThatIsMissingHasNoMembers() throws {
    #expect(try isOn(#"{"op":"in_segment","values":["gone"]}"#, #"{"targetingKey":"ann"}"#, Self.beta) == false)
    #expect(try isOn(#"{"op":"not_in_segment","values":["gone"]}"#, #"{"targetingKey":"ann"}"#, Self.beta) == true)
  }

  @Test func everyOfTenThousandKeysIsFound() throws {
    let keys = (0..<10_000).map { "user-\($0)" }
    let list = keys.map { #""\#($0)""# }.joined(separator: ",")
    let set = try flagSet(
      #"{"key":"F","type":"boolean","rules":[{"if":[{"op":"in_segment","values":["s"]}],"variant":"on"}]}"#,
      segments: [#"{"key":"s","included":[\#(list)]}"#])
    for (key, expected) in keys.map({ ($0, 0) }) + [("user-10000", 1), ("user-", 1)] {
      let evaluation = set.evaluate(key: "F".utf8.span, context: EvaluationContext(targetingKey: key))
      guard case .variant(expected, _, _) = evaluation else {
        Issue.record("\(key): \(String(describing: evaluation))")
        return
      }
    }
  }

  @Test(arguments: [
    (#"{}"#, "key: missing: a name for the segment"),
    (#"{"key":"a b"}"#, "key: a b: must be 1 to 128 of A-Z a-z 0-9 _ . -"),
    (#"{"key":"s","include":[]}"#, "include: not known here: known are key, description, included, excluded, rules, version, updatedAt"),
    (#"{"key":"s","included":["a",7]}"#, "included[1]: 7: must be a targeting key of 1 to 256 bytes"),
    (#"{"key":"s","excluded":[""]}"#, "excluded[0]: : must be a targeting key of 1 to 256 bytes"),
    (#"{"key":"s","rules":[{}]}"#, "rules[0].if: missing: a list of conditions; [] is everybody"),
    (
      #"{"key":"s","rules":[{"if":[{"op":"in_segment","values":["t"]}]}]}"#,
      "rules[0].if[0].op: in_segment: a segment cannot ask for segments: write its conditions out"
    ),
    (
      #"{"key":"s","rules":[{"if":[{"attribute":"x","op":"matches","values":["("]}]}]}"#,
      "rules[0].if[0].values[0]: (: error parsing regexp: missing closing ): `(`"
    ),
  ])
  func faultNamesItsField(_ json: String, _ message: String) {
    #expect(fault { _ = try Segment(JSONValue(parsing: json)) } == message)
  }

  @Test func boundsHoldAndOnePastIsRefused() throws {
    func keys(_ count: Int, bytes: Int = 3) -> String {
      (0..<count).map { _ in "\"" + String(repeating: "k", count: bytes) + "\"" }.joined(separator: ",")
    }
    #expect(try Segment(JSONValue(parsing: #"{"key":"s","included":[\#(keys(10_000))]}"#)).included.count == 10_000)
    #expect(
      fault { _ = try Segment(JSONValue(parsing: #"{"key":"s","included":[\#(keys(10_001))]}"#)) }
        == "included: 10001 entries: at most 10000")
    #expect(try Segment(JSONValue(parsing: #"{"key":"s","excluded":[\#(keys(1, bytes: 256))]}"#)).excluded.count == 1)
    #expect(fault { _ = try Segment(JSONValue(parsing: #"{"key":"s","excluded":[\#(keys(1, bytes: 257))]}"#)) }.hasSuffix("256 bytes"))
  }

  @Test func writingAndReadingAgree() throws {
    let segment = try Segment(JSONValue(parsing: Self.beta), version: 3, updatedMs: 1_795_254_785_641)
    let again = try Segment(segment.json, key: "beta", version: 3, updatedMs: 1_795_254_785_641)
    #expect(again == segment)
    #expect(segment.json["version"]?.integer == 3 && segment.json["updatedAt"]?.string == "2026-11-21T09:53:05.641Z")
    let flag = try Flag(
      JSONValue(parsing: #"{"key":"F","type":"boolean","rules":[{"if":[{"op":"in_segment","values":["s"]}],"variant":"on"}]}"#))
    #expect(try Flag(flag.definition) == flag)
  }
}
