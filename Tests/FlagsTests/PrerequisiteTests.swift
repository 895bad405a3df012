// SPDX-License-Identifier: Apache-2.0

// Flags that require other flags: who is served what, and what an environment may not hold.

import Flags
import JSON
import Testing

@Suite struct PrerequisiteTests {
  /// `key` with prerequisites such as `"A:on"`, and more members.
  private func flag(_ key: String, _ requires: String..., more: String = "") -> String {
    let list = requires.map { text in
      let parts = text.split(separator: ":")
      return #"{"flag":"\#(parts[0])","variants":["\#(parts[1].split(separator: "|").joined(separator: #"",""#))"]}"#
    }
    return #"{"key":"\#(key)","type":"boolean","prerequisites":[\#(list.joined(separator: ","))],"rollout":{"variant":"on","percent":100}\#(more)}"#
  }

  private func result(_ set: FlagSet, _ key: String, _ context: String = "{}") throws -> String {
    let json = try JSONValue(parsing: answer(set, key, body: #"{"context":\#(context)}"#).text)
    let failed = json["metadata"]?["failedPrerequisite"]?.string
    return [json["variant"]?.string, json["reason"]?.string, failed].compactMap { $0 }.joined(separator: " ")
  }

  @Test func aPrerequisiteDecides() throws {
    let gate = #"{"key":"A","type":"boolean","rules":[{"if":[{"attribute":"staff","op":"eq","values":[true]}],"variant":"on"}]}"#
    let set = try flagSet(gate, flag("B", "A:on"), flag("C", "A:off"), flag("D", "A:on|off"), flag("E", "D:on", "A:on"))
    #expect(try result(set, "B", #"{"staff":true}"#) == "on SPLIT")
    #expect(try result(set, "B") == "off DEFAULT A")
    #expect(try result(set, "C", #"{"staff":true}"#) == "off DEFAULT A")
    #expect(try result(set, "C") == "on SPLIT")
    #expect(try result(set, "D") == "on SPLIT")
    #expect(try result(set, "E") == "off DEFAULT A", "the first that fails is named")
    #expect(try result(set, "E", #"{"staff":true}"#) == "on SPLIT")
  }

  @Test func whatADisabledPrerequisiteServesCounts() throws {
    let off = flag("A", more: #","enabled":false"#)
    let set = try flagSet(off, flag("B", "A:on"), flag("C", "A:off"), flag("D", "A:off", more: #","enabled":false"#))
    #expect(try result(set, "B") == "off DEFAULT A")
    #expect(try result(set, "C") == "on SPLIT")
    #expect(try result(set, "D") == "off DISABLED", "a disabled flag asks for nothing")
  }

  @Test func aPrerequisiteWithoutAValueIsNotMet() throws {
    let split = #"{"key":"A","type":"boolean","rollout":{"variant":"on","percent":50}}"#
    let set = try flagSet(split, flag("B", "A:on|off"))
    #expect(try result(set, "B") == "off DEFAULT A")
    #expect(try result(set, "B", #"{"targetingKey":"user-1"}"#) == "on SPLIT")
  }

  /// Ten layers of six, each requiring the whole layer below: over a million paths, sixty flags.
  @Test func aDiamondCostsNoMoreThanItsFlags() throws {
    var flags = [flag("F")]
    for layer in 0..<10 {
      for place in 0..<6 {
        let below = layer == 0 ? ["F"] : (0..<6).map { "L\(layer - 1)-\($0)" }
        let list = below.map { #"{"flag":"\#($0)","variants":["on"]}"# }.joined(separator: ",")
        flags.append(
          #"{"key":"L\#(layer)-\#(place)","type":"boolean","prerequisites":[\#(list)],"rollout":{"variant":"on","percent":100}}"#)
      }
    }
    let decoded = try flags.map { try Flag(JSONValue(parsing: $0)) }.sorted { $0.key < $1.key }
    #expect(EnvironmentCheck.faults(flags: decoded, segments: []).isEmpty)
    let set = FlagSet(environment: "production", revision: 1, flags: decoded)
    #expect(try result(set, "L9-5") == "on SPLIT")
    var writer = JSONWriter()
    set.answerAll(context: EvaluationContext(), eventStreams: nil, into: &writer)
    let variants = try JSONValue(parsing: writer.bytes)["flags"]?.array?.map { $0["variant"]?.string }
    #expect(variants == Array(repeating: "on", count: 61))
  }

  @Test func bulkAndSingleAgree() throws {
    var random = SeededRandom(state: SeededRandom.seed(for: "bulkAndSingleAgree"))
    for _ in 0..<50 {
      var flags: [Flag] = []
      for index in 0..<20 {
        let required = (0..<index).filter { _ in Int.random(in: 0..<6, using: &random) == 0 }.prefix(3)
        let list = required.map { #"{"flag":"F\#(String($0 + 100))","variants":["\#(Bool.random(using: &random) ? "on" : "off")"]}"# }
        let json =
          #"{"type":"boolean","enabled":\#(Int.random(in: 0..<5, using: &random) > 0),"prerequisites":[\#(list.joined(separator: ","))],"#
          + #""rollout":{"variant":"on","percent":\#([0, 30, 100].randomElement(using: &random) ?? 0)}}"#
        flags.append(try Flag(JSONValue(parsing: json), key: "F\(index + 100)"))
      }
      guard EnvironmentCheck.faults(flags: flags, segments: []).isEmpty else { continue }
      let set = FlagSet(environment: "production", revision: 57, flags: flags)
      for body in ["{}", #"{"context":{"targetingKey":"user-\#(Int.random(in: 0..<1000, using: &random))"}}"#] {
        var writer = JSONWriter()
        set.answerAll(context: try EvaluationContext(body: Array(body.utf8).span), eventStreams: nil, into: &writer)
        let bulk = try JSONValue(parsing: writer.bytes)["flags"]?.array?.map(\.text)
        #expect(bulk == flags.map { answer(set, $0.key, body: body).text })
      }
    }
  }

  // MARK: What is refused

  private func faults(_ flags: String..., segments: [String] = []) throws -> [String] {
    let decoded = try flags.map { try Flag(JSONValue(parsing: $0)) }
    return EnvironmentCheck.faults(flags: decoded, segments: segments).map { "\($0.key): \($0.error)" }
  }

  @Test func namesMustLeadSomewhere() throws {
    #expect(try faults(flag("A"), flag("B", "A:on")) == [])
    #expect(try faults(flag("B", "A:on")) == ["B: prerequisites[0].flag: A: no such flag in this environment"])
    #expect(
      try faults(flag("A"), flag("B", "A:on|blue"))
        == ["B: prerequisites[0].variants[1]: blue: flag A has no such variant: one of on, off"])
    let rule = #","rules":[{"if":[{"op":"in_segment","values":["s","t"]}],"variant":"on"}]"#
    #expect(try faults(flag("A", more: rule), segments: ["s", "t"]) == [])
    #expect(
      try faults(flag("A", more: rule), segments: ["s"])
        == ["A: rules[0].if[0].values[1]: t: no such segment in this environment: create it with PUT /api/v1/segments/KEY"])
  }

  @Test func circlesAreNamed() throws {
    #expect(fault { _ = try Flag(JSONValue(parsing: flag("A", "A:on"))) } == "prerequisites[0].flag: A: a flag cannot require itself")
    let found = try faults(flag("A", "B:on"), flag("B", "C:on"), flag("C", "A:on"), flag("D"))
    #expect(found.count == 3)
    #expect(found[0] == "A: prerequisites: A -> B -> C -> A: flags require each other in a circle")
  }

  @Test func tenLevelsAreTheMost() throws {
    func chain(_ length: Int) -> [Flag] {
      (0..<length).compactMap { index in
        try? Flag(JSONValue(parsing: index == 0 ? flag("F0") : flag("F\(index)", "F\(index - 1):on")))
      }
    }
    #expect(EnvironmentCheck.faults(flags: chain(11), segments: []).isEmpty)
    #expect(EnvironmentCheck.faults(flags: chain(12), segments: []).map(\.key) == ["F11"])
    // The order in which they are looked at does not matter.
    #expect(EnvironmentCheck.faults(flags: chain(12).reversed(), segments: []).map(\.key).contains("F11"))
    #expect(!EnvironmentCheck.faults(flags: chain(5_000).reversed(), segments: []).isEmpty)
  }

  @Test func anEnvironmentWithFaultsStillAnswers() throws {
    let set = try flagSet(flag("A", "B:on"), flag("B", "A:on"), flag("C", "gone:on"))
    #expect(try result(set, "A") == "off DEFAULT B")
    #expect(try result(set, "C") == "off DEFAULT gone")
  }

  @Test func boundsHoldAndOnePastIsRefused() throws {
    let names = (0..<65).map { "N\($0 + 100)" }
    func wide(_ key: String, _ required: ArraySlice<String>) -> Flag? {
      let list = required.map { #"{"flag":"\#($0)","variants":["on"]}"# }.joined(separator: ",")
      return try? Flag(JSONValue(parsing: #"{"key":"\#(key)","type":"boolean","prerequisites":[\#(list)]}"#))
    }
    #expect(wide("A", names[..<20]) != nil && wide("A", names[..<21]) == nil)
    let leaves = try names.map { try Flag(JSONValue(parsing: #"{"type":"boolean"}"#), key: $0) }
    func required(_ count: Int) -> [String] {
      let groups = stride(from: 0, to: count, by: 20).map { names[$0..<min($0 + 20, count)] }
      let middle = groups.enumerated().compactMap { wide("M\($0.offset)", $0.element) }
      let top = wide("T", ArraySlice(middle.map(\.key))).map { [$0] } ?? []
      return EnvironmentCheck.faults(flags: leaves + middle + top, segments: []).map(\.key)
    }
    #expect(required(60) == [], "60 leaves and 3 between are 63")
    #expect(required(61) == ["T"], "61 leaves and 4 between are 65")
  }
}
