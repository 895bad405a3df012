// SPDX-License-Identifier: Apache-2.0

// Differences as a person reads them: path, old -> new, `-` for nothing.

import JSON
import Testing

@Suite struct JSONDifferenceTests {
  private func differences(_ before: String, _ after: String) throws -> [String] {
    JSONDifference.all(from: try JSONValue(parsing: before), to: try JSONValue(parsing: after)).map {
      "\($0.path): \($0.before?.text ?? "-") -> \($0.after?.text ?? "-")"
    }
  }

  @Test(arguments: [
    (#"{"a":1,"b":[1,{"c":null}]}"#, #"{"b":[1,{"c":null}],"a":1}"#, []),
    ("1", "2", [": 1 -> 2"]),
    ("1", "1.0", [": 1 -> 1.0"]),
    (#"{"a":1}"#, "[1]", [#": {"a":1} -> [1]"#]),
    (#"{"a":1,"b":2}"#, #"{"b":3,"c":null}"#, ["a: 1 -> -", "b: 2 -> 3", "c: - -> null"]),
    (#"{"a":{"b":{"c":1}}}"#, #"{"a":{"b":{"c":2}}}"#, ["a.b.c: 1 -> 2"]),
    (#"{"a b":{"":1},"c.d":1}"#, #"{"a b":{"":2}}"#, [#"["a b"][""]: 1 -> 2"#, #"["c.d"]: 1 -> -"#]),
    ("[1,2,3]", "[0,1,2,3]", ["[0]: - -> 0"]),
    ("[1,2,3]", "[1,3]", ["[1]: 2 -> -"]),
    ("[1,2,3]", "[]", ["[0]: 1 -> -", "[1]: 2 -> -", "[2]: 3 -> -"]),
    ("[1,1]", "[1,1,1]", ["[2]: - -> 1"]),
    (
      #"{"rules":[{"if":[{"values":["x"]}],"variant":"a"}]}"#, #"{"rules":[{"if":[{"values":["x","y"]}],"variant":"b"}]}"#,
      ["rules[0].if[0].values[1]: - -> \"y\"", #"rules[0].variant: "a" -> "b""#]
    ),
    ("[1,2,9]", "[3,4,5,9]", ["[0]: 1 -> 3", "[1]: 2 -> 4", "[2]: - -> 5"]),
  ] as [(String, String, [String])])
  func differencesAre(_ before: String, _ after: String, _ expected: [String]) throws {
    #expect(try differences(before, after) == expected)
  }

  @Test func aDocumentDiffersFromNothingByItsMembers() throws {
    #expect(try differences("{}", #"{"key":"F","rules":[]}"#) == [#"key: - -> "F""#, "rules: - -> []"])
  }

  @Test func differencesAreEmptyForEqualDocumentsAlone() throws {
    var random = SeededRandom(state: SeededRandom.seed(for: "differencesAreEmptyForEqualDocumentsAlone"))
    for _ in 0..<2_000 {
      let (before, after) = (document(&random, depth: 3), document(&random, depth: 3))
      let isEqual = JSONDifference.all(from: before, to: after).isEmpty
      #expect(isEqual == (sorted(before) == sorted(after)), "\(before.text) \(after.text)")
      #expect(JSONDifference.all(from: before, to: before).isEmpty)
    }
  }

  private func document(_ random: inout SeededRandom, depth: Int) -> JSONValue {
    switch Int.random(in: 0..<(depth == 0 ? 3 : 6), using: &random) {
    case 0: .integer(Int64.random(in: 0..<2, using: &random))
    case 1: .null
    case 2: .string("x")
    case 3: .array((0..<Int.random(in: 0..<3, using: &random)).map { _ in document(&random, depth: depth - 1) })
    default:
      .object(
        ["a", "b"].prefix(Int.random(in: 0..<3, using: &random)).map {
          JSONMember(name: $0, value: document(&random, depth: depth - 1))
        })
    }
  }

  private func sorted(_ value: JSONValue) -> JSONValue {
    switch value {
    case .array(let elements): .array(elements.map(sorted))
    case .object(let members):
      .object(members.map { JSONMember(name: $0.name, value: sorted($0.value)) }.sorted { $0.name < $1.name })
    default: value
    }
  }
}
