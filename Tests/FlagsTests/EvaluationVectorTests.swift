// SPDX-License-Identifier: Apache-2.0

// The vectors of docs/local-evaluation.md, which a reference written from that page made: both must say the same.

import Flags
import Foundation
import JSON
import Testing

@Suite struct EvaluationVectorTests {
  /// What an answer comes to in the vectors' words.
  private func result(_ set: FlagSet, _ key: String, _ context: JSONValue) throws -> JSONValue {
    let body = JSONValue.object([JSONMember(name: "context", value: context)])
    let json = try JSONValue(parsing: answer(set, key, body: body.text).text)
    if let code = json["errorCode"] { return .object([JSONMember(name: "errorCode", value: code)]) }
    let more = ["bucket", "failedPrerequisite"].compactMap { name in
      json["metadata"]?[name].map { JSONMember(name: name, value: $0) }
    }
    let own = ["variant", "value", "reason"].map { JSONMember(name: $0, value: json[$0] ?? .null) }
    return .object(own + more)
  }

  private func flagSet(_ document: JSONValue) throws -> FlagSet {
    let read = try FlagSetDocument(document)
    #expect(EnvironmentCheck.faults(flags: read.flags, segments: read.segments.map(\.key)).isEmpty)
    let labels = (document["rollouts"]?.members ?? []).map { member in
      (member.name, RolloutLabel(state: member.value["state"]?.string ?? "", step: Int(member.value["step"]?.integer ?? 0)))
    }
    return FlagSet(
      environment: "production", revision: 1,
      flags: read.flags.sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) },
      segments: read.segments.sorted { $0.key < $1.key }, labels: Dictionary(uniqueKeysWithValues: labels))
  }

  @Test func everyVectorHolds() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Vectors/evaluation.json")
    let sets = try #require(try JSONValue(parsing: Array(Data(contentsOf: file)))["sets"]?.array)
    var checked = 0
    for vectors in sets {
      let set = try flagSet(try #require(vectors["document"]))
      for vector in vectors["cases"]?.array ?? [] {
        let parts = try #require(vector.array)
        let found = try result(set, parts[0].string ?? "", parts[1])
        #expect(found == parts[2], "\(vectors["name"]?.text ?? ""): \(parts[0].text) \(parts[1].text)")
        checked += 1
      }
    }
    #expect(checked >= 1_000)
  }

  /// The document that is polled says all that an evaluation needs, and reading it back gives the same.
  @Test func theDocumentOfASetReadsBack() throws {
    let segment = #"{"key":"s","included":["a"],"rules":[{"if":[{"attribute":"x","op":"matches","values":["^a"]}]}]}"#
    let flags = [
      #"{"key":"A","type":"boolean","rules":[{"if":[{"op":"in_segment","values":["s"]}],"variant":"on"}]}"#,
      #"{"key":"B","type":"boolean","prerequisites":[{"flag":"A","variants":["on"]}],"rollout":{"variant":"on","percent":50}}"#,
    ]
    let set = try FlagsTests.flagSet(flags[0], flags[1], segments: [segment], labels: ["B": RolloutLabel(state: "killed", step: 2)])
    let json = try JSONValue(parsing: set.document)
    #expect(json["rollouts"]?.text == #"{"B":{"state":"killed","step":2}}"#)
    let again = try flagSet(json)
    #expect(again.flags == set.flags.map { flag in
      var flag = flag
      (flag.version, flag.updatedMs) = (0, 0)
      return flag
    })
    #expect(again.segments.map(\.definition) == set.segments.map(\.definition))
  }
}
