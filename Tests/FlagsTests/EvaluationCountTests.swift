// SPDX-License-Identifier: Apache-2.0

// Counters of evaluations, as they are read: flag, variant, reason, count.

import Flags
import JSON
import Testing

@Suite struct EvaluationCountTests {
  private func totals(_ set: FlagSet) -> [String] {
    set.evaluationTotals.map { "\($0.flag) \($0.variant) \($0.reason) \($0.count)" }
  }

  private static let split = #"{"key":"F","type":"boolean","rollout":{"variant":"on","percent":50}}"#

  @Test func everyAnswerCounts() throws {
    let set = try flagSet(Self.split, #"{"key":"G","type":"boolean","enabled":false}"#)
    #expect(totals(set) == [], "what was never given is left out")
    for user in 0..<100 { _ = answer(set, "F", body: #"{"context":{"targetingKey":"user-\#(user)"}}"#) }
    let on = set.evaluationTotals.first { $0.variant == "on" }?.count ?? 0
    #expect(totals(set) == ["F on SPLIT \(on)", "F off SPLIT \(100 - on)"])
    _ = answer(set, "F", body: "{}")
    _ = answer(set, "nothing", body: "{}")
    set.countFailure(key: "F".utf8.span)
    set.countFailure(key: "nothing".utf8.span)
    var writer = JSONWriter()
    set.answerAll(context: EvaluationContext(), eventStreams: nil, into: &writer)
    #expect(totals(set) == ["F on SPLIT \(on)", "F off SPLIT \(100 - on)", "F  ERROR 3", "G off DISABLED 1"])
  }

  @Test func countsOutliveEditsAndNotTheFlag() throws {
    let first = try flagSet(Self.split)
    _ = answer(first, "F", body: #"{"context":{"targetingKey":"user-1"}}"#)
    let variant = first.evaluationTotals[0].variant
    func next(_ json: String, after previous: FlagSet) throws -> FlagSet {
      FlagSet(
        environment: "production", revision: 58, flags: json.isEmpty ? [] : [try Flag(JSONValue(parsing: json))], previous: previous)
    }
    let renamed = try next(
      #"{"key":"F","type":"boolean","variants":{"new":true,"old":false},"defaultVariant":"old"}"#, after: first)
    _ = answer(renamed, "F", body: "{}")
    #expect(totals(renamed) == ["F old STATIC 1", "F \(variant) SPLIT 1"], "a variant that is gone keeps its count")
    // The set before the change may still be answering; it counts into the same.
    _ = answer(first, "F", body: "{}")
    #expect(totals(renamed).contains("F  ERROR 1"))
    let deleted = try next("", after: renamed)
    #expect(totals(try next(Self.split, after: deleted)) == [])
  }

  @Test func variantsThatAreGoneAreBounded() throws {
    var set = try flagSet(#"{"key":"F","type":"string","variants":{"v":"x"},"defaultVariant":"v"}"#)
    for round in 0..<300 {
      let json = #"{"key":"F","type":"string","variants":{"v\#(round)":"x"},"defaultVariant":"v\#(round)"}"#
      set = FlagSet(environment: "production", revision: 1, flags: [try Flag(JSONValue(parsing: json))], previous: set)
      _ = answer(set, "F", body: "{}")
    }
    #expect(totals(set).count == 200)
    #expect(totals(set).first == "F v299 STATIC 1" && totals(set).last == "F v100 STATIC 1")
  }

  /// Nothing is lost where several threads count at once.
  @Test func concurrentEvaluationsAllCount() async throws {
    let set = try flagSet(Self.split)
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for user in 0..<5_000 {
            _ = answer(set, "F", body: #"{"context":{"targetingKey":"\#(task)-\#(user)"}}"#)
          }
        }
      }
    }
    #expect(set.evaluationTotals.reduce(0) { $0 + $1.count } == 40_000)
  }
}
