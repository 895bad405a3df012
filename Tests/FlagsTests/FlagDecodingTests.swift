// SPDX-License-Identifier: Apache-2.0

// Definitions: what is refused and in which words, what is filled in, and that writing and reading agree.

import Flags
import JSON
import Testing

@Suite struct FlagDecodingTests {
  @Test(arguments: [
    ("[]", "[]: must be an object"),
    (#"{"type":"boolean"}"#, "key: missing: a name for the flag"),
    (#"{"key":"a b","type":"boolean"}"#, "key: a b: must be 1 to 128 of A-Z a-z 0-9 _ . -"),
    (#"{"key":"","type":"boolean"}"#, "key: : must be 1 to 128 of A-Z a-z 0-9 _ . -"),
    (#"{"key":"F"}"#, "type: missing: one of boolean, string, number, object"),
    (#"{"key":"F","type":"float"}"#, "type: float: must be one of boolean, string, number, object"),
    (
      #"{"key":"F","type":"boolean","percent":10}"#,
      "percent: not known here: known are key, type, description, enabled, variants, defaultVariant, rules, prerequisites, rollout, "
        + "bucketing, salt, caches, plan, version, updatedAt"
    ),
    (#"{"key":"F","type":"boolean","enabled":"yes"}"#, #"enabled: "yes": must be true or false"#),
    (
      #"{"key":"F","type":"string","variants":{"a":1},"defaultVariant":"a"}"#,
      "variants.a: 1: must be of the flag's type, string"
    ),
    (
      #"{"key":"F","type":"string","variants":{},"defaultVariant":"a"}"#,
      "variants: {}: must be an object with at least one variant"
    ),
    (#"{"key":"F","type":"string","variants":{"a":"x"}}"#, "defaultVariant: missing: one of a"),
    (#"{"key":"F","type":"boolean","defaultVariant":"of"}"#, "defaultVariant: of: no such variant: one of on, off"),
    (
      #"{"key":"F","type":"boolean","rollout":{"variant":"on","percent":140}}"#,
      "rollout.percent: 140: must be from 0 to 100"
    ),
    (
      #"{"key":"F","type":"boolean","rollout":{"variant":"on","percent":-0.01}}"#,
      "rollout.percent: -0.01: must be from 0 to 100"
    ),
    (
      #"{"key":"F","type":"boolean","rollout":{"variant":"on","percent":1.005}}"#,
      "rollout.percent: 1.005: steps are 0.01, one bucket of 10000"
    ),
    (
      #"{"key":"F","type":"boolean","rollout":{"variant":"on","percent":"10"}}"#,
      #"rollout.percent: "10": must be a number from 0 to 100"#
    ),
    (#"{"key":"F","type":"boolean","rollout":{"percent":10}}"#, "rollout.variant: missing: one of on, off"),
    (#"{"key":"F","type":"boolean","bucketing":"md5"}"#, "bucketing: md5: must be one of murmur3-v2"),
    (#"{"key":"F","type":"boolean","caches":["a",7]}"#, "caches[1]: 7: must be a cache's name"),
    (
      #"{"key":"F","type":"boolean","rules":[{"variant":"on"}]}"#,
      "rules[0].if: missing: a list of conditions; [] is everybody"
    ),
    (#"{"key":"F","type":"boolean","rules":[{"if":[]}]}"#, "rules[0]: say either `variant` or `split`"),
    (
      #"{"key":"F","type":"boolean","rules":[{"if":[],"variant":"x"}]}"#,
      "rules[0].variant: x: no such variant: one of on, off"
    ),
    (
      #"{"key":"F","type":"boolean","rules":[{"if":[{"attribute":"a","op":"like","values":["x"]}],"variant":"on"}]}"#,
      "rules[0].if[0].op: like: must be one of in, not_in, eq, contains, starts_with, ends_with, gt, gte, lt, lte, "
        + "matches, semver_eq, semver_gt, semver_gte, semver_lt, semver_lte, in_segment, not_in_segment"
    ),
    (
      #"{"key":"F","type":"boolean","rules":[{"if":[{"attribute":"a","op":"gt","values":["5"]}],"variant":"on"}]}"#,
      #"rules[0].if[0].values[0]: "5": must be a number"#
    ),
    (
      #"{"key":"F","type":"boolean","rules":[{"if":[{"attribute":"a","op":"gt","values":[5,6]}],"variant":"on"}]}"#,
      "rules[0].if[0].values: 2 values: gt takes one"
    ),
    (
      #"{"key":"F","type":"boolean","rules":[{"if":[{"attribute":"a","op":"in","values":[]}],"variant":"on"}]}"#,
      "rules[0].if[0].values: missing: a list with at least one value"
    ),
    (
      #"{"key":"F","type":"boolean","rules":[{"if":[],"split":[{"variant":"on","weight":0}]}]}"#,
      "rules[0].split: weights add up to 0: must be from 1 to 2147483647"
    ),
    (
      #"{"key":"F","type":"boolean","rules":[{"if":[],"split":[{"variant":"on","weight":-1}]}]}"#,
      "rules[0].split[0].weight: -1: must be a whole number from 0 to 2147483647"
    ),
    (
      #"{"key":"F","type":"boolean","rules":[{"if":[{"attribute":"a","op":"in_segment","values":["s"]}],"variant":"on"}]}"#,
      "rules[0].if[0].attribute: not with in_segment: a segment looks at the whole context"
    ),
    (
      #"{"key":"F","type":"boolean","rules":[{"if":[{"attribute":"a","op":"matches","values":["a","[z-"]}],"variant":"on"}]}"#,
      "rules[0].if[0].values[1]: [z-: error parsing regexp: missing closing ]: `[z-`"
    ),
    (
      #"{"key":"F","type":"boolean","rules":[{"if":[{"attribute":"a","op":"matches","values":["x{1000}{2}"]}],"variant":"on"}]}"#,
      "rules[0].if[0].values[0]: x{1000}{2}: error parsing regexp: invalid nested repetition operator: `{1000}{2}`"
    ),
    (
      #"{"key":"F","type":"boolean","rules":[{"if":[{"attribute":"a","op":"semver_gt","values":["1.0.0","2.0.0"]}],"variant":"on"}]}"#,
      "rules[0].if[0].values: 2 values: semver_gt takes one"
    ),
    (
      #"{"key":"F","type":"boolean","prerequisites":[{"flag":"G","variants":[]}]}"#,
      "prerequisites[0].variants: missing: a list with at least one variant of G"
    ),
    (
      #"{"key":"F","type":"boolean","prerequisites":[{"flag":"G","variants":["on",1]}]}"#,
      "prerequisites[0].variants[1]: 1: must be a variant's name"
    ),
    (
      #"{"key":"F","type":"boolean","plan":{"steps":[]}}"#,
      #"plan.steps: missing: at least one, such as [{"percent":10,"bake":"1h"}]"#
    ),
  ])
  func faultNamesItsField(_ json: String, _ message: String) {
    #expect(fault { _ = try Flag(JSONValue(parsing: json)) } == message)
  }

  @Test func boundsHoldAndOnePastIsRefused() throws {
    let key = String(repeating: "k", count: 128)
    #expect(try Flag(JSONValue(parsing: #"{"type":"boolean"}"#), key: key).key == key)
    #expect(throws: FlagError.self) { try Flag(JSONValue(parsing: #"{"type":"boolean"}"#), key: key + "k") }
    for (count, fits) in [(100, true), (101, false)] {
      let variants = (0..<count).map { #""v\#($0)":"x""# }.joined(separator: ",")
      let json = try JSONValue(parsing: #"{"key":"F","type":"string","variants":{\#(variants)},"defaultVariant":"v0"}"#)
      #expect(((try? Flag(json)) != nil) == fits)
      let rules = [String](repeating: #"{"if":[],"variant":"on"}"#, count: count).joined(separator: ",")
      let ruled = try JSONValue(parsing: #"{"key":"F","type":"boolean","rules":[\#(rules)]}"#)
      #expect(((try? Flag(ruled)) != nil) == fits)
    }
  }

  @Test func keyOfThePathMustAgree() {
    #expect(throws: FlagError(field: "key", message: "G: must be F, the key it is stored under, or be left out")) {
      try Flag(JSONValue(parsing: #"{"key":"G","type":"boolean"}"#), key: "F")
    }
  }

  @Test func shortBooleanFlagIsFilledIn() throws {
    let flag = try Flag(JSONValue(parsing: #"{"type":"boolean"}"#), key: "F", version: 3, updatedMs: 1_795_244_400_000)
    #expect(
      flag.json.text == """
        {"key":"F","type":"boolean","description":"","enabled":true,"variants":{"on":true,"off":false},\
        "defaultVariant":"off",\
        "rules":[],"bucketing":"murmur3-v2","salt":"F","caches":[],"version":3,"updatedAt":"2026-11-21T07:00:00Z"}
        """)
  }

  @Test func whatWasWrittenReadsTheSame() throws {
    let json = """
      {"key":"F","type":"number","description":"d","enabled":false,"variants":{"a":1,"b":0.5},\
      "defaultVariant":"a","rules":[
      {"name":"n","if":[{"attribute":"x","op":"not_in","values":["a",1,true]}],"split":[{"variant":"a",\
      "weight":3},{"variant":"b","weight":0}]}],
      "rollout":{"variant":"b","percent":33.33},"salt":"s","caches":["profile"],
      "plan":{"steps":[{"percent":0.5,"bake":"1h30m","approval":true},{"percent":100}],"warm_up":"5m"}}
      """
    let flag = try Flag(JSONValue(parsing: json), version: 9, updatedMs: 1234)
    #expect(try Flag(flag.definition, version: 9, updatedMs: 1234) == flag)
    #expect(try Flag(JSONValue(parsing: flag.json.text), version: 9, updatedMs: 1234) == flag)
    #expect(flag.json["updatedAt"]?.string == "1970-01-01T00:00:01.234Z")
  }

  @Test(arguments: [
    (#"{"rollout":{"percent":25}}"#, #"{"variant":"on","percent":25}"#),
    (#"{"rollout":null}"#, "null"), (#"{"version":99,"description":"x"}"#, #"{"variant":"on","percent":10}"#),
  ])
  func patchMerges(_ patch: String, _ rollout: String) throws {
    let flag = try Flag(
      JSONValue(parsing: #"{"key":"F","type":"boolean","rollout":{"variant":"on","percent":10}}"#), version: 4,
      updatedMs: 5)
    let patched = try flag.patched(by: JSONValue(parsing: patch))
    #expect((patched.definition["rollout"] ?? .null).text == rollout)
    #expect(patched.version == 4)
  }

  @Test func patchIsCheckedAsAWhole() throws {
    let flag = try Flag(JSONValue(parsing: #"{"key":"F","type":"boolean","rollout":{"variant":"on","percent":10}}"#))
    #expect(throws: FlagError(field: "rollout.variant", message: "on: no such variant: one of off")) {
      try flag.patched(by: JSONValue(parsing: #"{"variants":{"on":null}}"#))
    }
    #expect(throws: FlagError.self) { try flag.patched(by: JSONValue(parsing: "[]")) }
  }

  @Test func percentageOfARampGoesToTheOnlyOtherVariant() throws {
    let flag = try Flag(JSONValue(parsing: #"{"key":"F","type":"boolean"}"#))
    let ramped = try flag.settingPercent(Percentage(hundredths: 1250))
    #expect(ramped.definition["rollout"]?.text == #"{"variant":"on","percent":12.5}"#)
    let three = try Flag(
      JSONValue(parsing: #"{"key":"F","type":"string","variants":{"a":"","b":"","c":""},"defaultVariant":"a"}"#))
    #expect(throws: FlagError.self) { try three.settingPercent(.all) }
  }

  @Test(arguments: [
    ("90s", 90_000), ("1h30m", 5_400_000), ("0", 0), ("0s", 0), ("1d", 86_400_000), ("1w", 604_800_000),
    ("1y", 31_536_000_000),
    ("250ms", 250), ("1m1s1ms", 61_001),
  ])
  func durationIsPrometheus(_ text: String, _ milliseconds: Int64) {
    #expect(DurationText.milliseconds(text) == milliseconds)
    #expect(DurationText.milliseconds(DurationText.text(milliseconds: milliseconds)) == milliseconds)
  }

  @Test(arguments: [
    "", "1", "h", "1h1h", "1m1h", "1.5h", "-1s", "1 h", "99999999999999999999s", "9223372036854775807y", "1s ", "٣s",
  ])
  func otherDurationsAreRefused(_ text: String) {
    #expect(DurationText.milliseconds(text) == nil)
  }

  @Test func timestampsFollowTheCalendar() {
    for (milliseconds, text) in [
      (0, "1970-01-01T00:00:00Z"), (951_782_400_000, "2000-02-29T00:00:00Z"),
      (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
      (4_107_542_400_000, "2100-03-01T00:00:00Z"),
    ] as [(Int64, String)] {
      #expect(TimestampText.rfc3339(milliseconds: milliseconds) == text)
    }
  }
}
