// SPDX-License-Identifier: Apache-2.0

// Every reason and every error, as the request and the answer a client sees.

import Flags
import JSON
import Testing

@Suite struct EvaluationTests {
  static let onOff = #""type":"boolean","variants":{"on":true,"off":false},"defaultVariant":"off""#
  static let metadata = metadata(0)

  static func metadata(_ percent: Double) -> String {
    let text = Double(Int(percent)) == percent ? "\(Int(percent))" : "\(percent)"
    return
      #""algorithm":"murmur3-v2","rolloutPercent":\#(text),"rolloutStep":0,"rolloutState":"draft","configRevision":57"#
  }

  static let ruled = """
    {"key":"F","type":"string","variants":{"a":"A","b":"B","c":"C"},"defaultVariant":"a","rules":[
      {"name":"staff","if":[{"attribute":"email","op":"ends_with","values":["@example.com"]},
                            {"attribute":"age","op":"gte","values":[18]}],"variant":"b"},
      {"if":[{"attribute":"plan","op":"in","values":["pro","team"]}],
       "split":[{"variant":"b","weight":1},{"variant":"c","weight":1}]}]}
    """

  struct Case: CustomTestStringConvertible {
    let name: String
    let flag: String
    let body: String
    var key = "F"
    let status: Int
    let answer: String
    var testDescription: String { name }
  }

  static let cases = [
    Case(
      name: "no rule, no rollout", flag: #"{"key":"F",\#(onOff)}"#, body: #"{"context":{}}"#, status: 200,
      answer: #"{"key":"F","value":false,"variant":"off","reason":"STATIC","metadata":{\#(metadata)}}"#),
    Case(
      name: "empty body", flag: #"{"key":"F",\#(onOff)}"#, body: "", status: 200,
      answer: #"{"key":"F","value":false,"variant":"off","reason":"STATIC","metadata":{\#(metadata)}}"#),
    Case(
      name: "missing context", flag: #"{"key":"F",\#(onOff)}"#, body: "{}", status: 200,
      answer: #"{"key":"F","value":false,"variant":"off","reason":"STATIC","metadata":{\#(metadata)}}"#),
    Case(
      name: "0 % needs no targeting key", flag: #"{"key":"F",\#(onOff),"rollout":{"variant":"on","percent":0}}"#,
      body: "{}",
      status: 200, answer: #"{"key":"F","value":false,"variant":"off","reason":"STATIC","metadata":{\#(metadata)}}"#),
    Case(
      name: "100 % needs no targeting key", flag: #"{"key":"F",\#(onOff),"rollout":{"variant":"on","percent":100}}"#,
      body: "{}",
      status: 200,
      answer: #"""
        {"key":"F","value":true,"variant":"on","reason":"STATIC","metadata":{\#(metadata(100))}}
        """#),
    Case(
      name: "split, inside",
      flag: #"{"key":"ENABLE_PROFILE_CACHE",\#(onOff),"rollout":{"variant":"on","percent":21.11}}"#,
      body: #"{"context":{"targetingKey":"user-1"}}"#, key: "ENABLE_PROFILE_CACHE", status: 200,
      answer: #"""
        {"key":"ENABLE_PROFILE_CACHE","value":true,"variant":"on","reason":"SPLIT",\#
        "metadata":{"bucket":2110,\#(metadata(21.11))}}
        """#),
    Case(
      name: "split, first outside",
      flag: #"{"key":"ENABLE_PROFILE_CACHE",\#(onOff),"rollout":{"variant":"on","percent":21.1}}"#,
      body: #"{"context":{"targetingKey":"user-1"}}"#, key: "ENABLE_PROFILE_CACHE", status: 200,
      answer: #"""
        {"key":"ENABLE_PROFILE_CACHE","value":false,"variant":"off","reason":"SPLIT",\#
        "metadata":{"bucket":2110,\#(metadata(21.1))}}
        """#),
    Case(
      name: "another salt, other buckets",
      flag: #"{"key":"F",\#(onOff),"salt":"ENABLE_PROFILE_CACHE","rollout":{"variant":"on","percent":50}}"#,
      body: #"{"context":{"targetingKey":"用户"}}"#, status: 200,
      answer: #"""
        {"key":"F","value":true,"variant":"on","reason":"SPLIT","metadata":{"bucket":3233,\#(metadata(50))}}
        """#),
    Case(
      name: "disabled", flag: #"{"key":"F",\#(onOff),"enabled":false,"rollout":{"variant":"on","percent":100}}"#,
      body: "{}",
      status: 200,
      answer: #"""
        {"key":"F","value":false,"variant":"off","reason":"DISABLED","metadata":{\#(metadata(100))}}
        """#),
    Case(
      name: "rule matches", flag: ruled, body: #"{"context":{"email":"eve@example.com","age":18}}"#, status: 200,
      answer: #"{"key":"F","value":"B","variant":"b","reason":"TARGETING_MATCH","metadata":{\#(metadata)}}"#),
    Case(
      name: "one condition fails, nothing matches", flag: ruled,
      body: #"{"context":{"email":"eve@example.com","age":17}}"#, status: 200,
      answer: #"{"key":"F","value":"A","variant":"a","reason":"DEFAULT","metadata":{\#(metadata)}}"#),
    Case(
      name: "split of a rule", flag: ruled, body: #"{"context":{"targetingKey":"user-1","plan":"pro"}}"#, status: 200,
      answer: #"{"key":"F","value":"B","variant":"b","reason":"SPLIT","metadata":{"bucket":371,\#(metadata)}}"#),
    Case(
      name: "split of a rule without targeting key", flag: ruled, body: #"{"context":{"plan":"pro"}}"#, status: 400,
      answer: #"""
        {"key":"F","errorCode":"TARGETING_KEY_MISSING","errorDetails":"flag F splits its users: \#
        send a targetingKey that is not empty"}
        """#),
    Case(
      name: "rollout without targeting key", flag: #"{"key":"F",\#(onOff),"rollout":{"variant":"on","percent":10}}"#,
      body: #"{"context":{"targetingKey":""}}"#, status: 400,
      answer: #"""
        {"key":"F","errorCode":"TARGETING_KEY_MISSING","errorDetails":"flag F splits its users: \#
        send a targetingKey that is not empty"}
        """#),
    Case(
      name: "unknown flag", flag: #"{"key":"F",\#(onOff)}"#, body: "{}", key: "G", status: 404,
      answer: #"""
        {"key":"G","errorCode":"FLAG_NOT_FOUND","errorDetails":"no flag of this key in environment production: \#
        create it with PUT /api/v1/flags/KEY"}
        """#),
    Case(
      name: "not JSON", flag: #"{"key":"F",\#(onOff)}"#, body: "[1", status: 400,
      answer: #"""
        {"key":"F","errorCode":"PARSE_ERROR","errorDetails":"request body: 1:3: ends in the middle of a value: \#
        must be JSON"}
        """#),
    Case(
      name: "not an object", flag: #"{"key":"F",\#(onOff)}"#, body: "[]", status: 400,
      answer: #"""
        {"key":"F","errorCode":"PARSE_ERROR","errorDetails":"request body: \#
        must be an object such as {\"context\":{}}"}
        """#),
    Case(
      name: "context is no object", flag: #"{"key":"F",\#(onOff)}"#, body: #"{"context":"user-1"}"#, status: 400,
      answer: #"""
        {"key":"F","errorCode":"INVALID_CONTEXT","errorDetails":"context: \"user-1\": must be an object"}
        """#),
    Case(
      name: "targeting key is no string", flag: #"{"key":"F",\#(onOff)}"#, body: #"{"context":{"targetingKey":7}}"#,
      status: 400,
      answer: #"""
        {"key":"F","errorCode":"INVALID_CONTEXT","errorDetails":"context.targetingKey: 7: must be a string"}
        """#),
    Case(
      name: "a float flag answers 1.0",
      flag: #"{"key":"F","type":"number","variants":{"one":1,"half":0.5},"defaultVariant":"one"}"#, body: "{}",
      status: 200,
      answer: #"{"key":"F","value":1.0,"variant":"one","reason":"STATIC","metadata":{\#(metadata)}}"#),
    Case(
      name: "an integer flag answers 1",
      flag: #"{"key":"F","type":"number","variants":{"one":1,"two":2},"defaultVariant":"one"}"#, body: "{}",
      status: 200,
      answer: #"{"key":"F","value":1,"variant":"one","reason":"STATIC","metadata":{\#(metadata)}}"#),
    Case(
      name: "an object flag",
      flag: #"{"key":"F","type":"object","variants":{"x":{"ttl":[60,{"b":null}]}},"defaultVariant":"x"}"#, body: "{}",
      status: 200,
      answer: #"""
        {"key":"F","value":{"ttl":[60,{"b":null}]},"variant":"x","reason":"STATIC","metadata":{\#(metadata)}}
        """#),
  ]

  @Test(arguments: cases)
  func answerIs(_ example: Case) throws {
    let set = try flagSet(example.flag)
    let (status, text) = answer(set, example.key, body: example.body)
    #expect(status == example.status)
    #expect(text == example.answer)
    #expect(ofrepFaults(try JSONValue(parsing: text)) == [])
  }

  @Test func rulesWithAFullRolloutDoNotClaimToBeStatic() throws {
    let rule = #"{"if":[{"attribute":"beta","op":"eq","values":[true]}],"variant":"on"}"#
    for (percent, reason) in [(0, "DEFAULT"), (100, "SPLIT")] {
      let set = try flagSet(
        #"{"key":"F",\#(Self.onOff),"rules":[\#(rule)],"rollout":{"variant":"on","percent":\#(percent)}}"#)
      #expect(try JSONValue(parsing: answer(set, "F", body: "{}").text)["reason"]?.string == reason)
    }
  }

  @Test func killedRampWinsOverRules() throws {
    let flag = #"{"key":"F",\#(Self.onOff),"rules":[{"if":[],"variant":"on"}]}"#
    let set = try flagSet(flag, labels: ["F": RolloutLabel(state: "killed", step: 1)])
    let json = try JSONValue(parsing: answer(set, "F", body: "{}").text)
    #expect(json["reason"]?.string == "DISABLED")
    #expect(json["value"]?.bool == false)
    #expect(json["metadata"]?["rolloutState"]?.string == "killed")
    #expect(json["metadata"]?["rolloutStep"]?.integer == 1)
  }

  @Test func bareTargetingKeyGetsTheSameAnswer() throws {
    let set = try flagSet(#"{"key":"ENABLE_PROFILE_CACHE",\#(Self.onOff),"rollout":{"variant":"on","percent":10}}"#)
    var writer = JSONWriter()
    let status = set.answer(key: "ENABLE_PROFILE_CACHE".utf8.span, targetingKey: "user-2".utf8.span, into: &writer)
    let posted = answer(set, "ENABLE_PROFILE_CACHE", body: #"{"context":{"targetingKey":"user-2"}}"#)
    #expect(status.httpStatus == 200)
    #expect(String(decoding: writer.bytes, as: UTF8.self) == posted.text)
    writer.removeAll()
    #expect(set.answer(key: "ENABLE_PROFILE_CACHE".utf8.span, targetingKey: nil, into: &writer).httpStatus == 400)
    writer.removeAll()
    #expect(set.answer(key: "NO\"PE".utf8.span, targetingKey: nil, into: &writer).httpStatus == 404)
    #expect(try JSONValue(parsing: writer.bytes)["key"]?.string == "NO\"PE")
  }

  @Test func bulkAnswersEveryFlagAndFailuresAreItems() throws {
    let set = try flagSet(
      #"{"key":"B",\#(Self.onOff),"rollout":{"variant":"on","percent":10}}"#, #"{"key":"A",\#(Self.onOff)}"#, Self.ruled
    )
    var writer = JSONWriter()
    let streams = #"[{"type":"sse","endpoint":{"requestUri":"/ofrep/v1/stream"}}]"#
    set.answerAll(context: EvaluationContext(), eventStreams: streams.utf8.span, into: &writer)
    let json = try JSONValue(parsing: writer.bytes)
    let flags = try #require(json["flags"]?.array)
    #expect(flags.map { $0["key"]?.string } == ["A", "B", "F"])
    #expect(flags.map { $0["errorCode"]?.string } == [nil, "TARGETING_KEY_MISSING", nil])
    #expect(flags.flatMap(ofrepFaults).isEmpty)
    #expect(json["eventStreams"]?.text == streams)
    #expect(json["metadata"]?.text == #"{"environment":"production","configRevision":57}"#)
  }

  @Test func lookupFindsEveryKeyAmongMany() throws {
    let keys = (0..<500).map { "flag-\($0)" }.sorted()
    let flags = try keys.map { try Flag(JSONValue(parsing: #"{"type":"boolean"}"#), key: $0) }
    let set = FlagSet(environment: "e", revision: 1, flags: flags)
    for key in keys { #expect(set.flag(key: key)?.key == key) }
    #expect(set.flag(key: "flag-500") == nil)
    #expect(FlagSet(environment: "e", revision: 1, flags: []).flag(key: "") == nil)
  }
}
