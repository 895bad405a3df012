// SPDX-License-Identifier: Apache-2.0

// Every flag and segment of one environment, compiled once and then only read, from any number of threads. A change makes a new
// set.

internal import Assignment
internal import JSON

/// Where a flag's ramp stands, for the metadata of its answers.
package struct RolloutLabel: Equatable, Sendable {
  package static let none = RolloutLabel(state: RolloutState.draft.rawValue, step: 0)

  /// A word of `RolloutState`. Under `killed` the flag answers its default variant, whatever its rules say.
  package let state: String
  /// From 0.
  package let step: Int

  package init(state: String, step: Int) {
    self.state = state
    self.step = step
  }
}

/// The flags and segments of one environment at one revision.
///
/// A class, because every request takes it over from the picture: one reference count that all threads share, not one for
/// each of its parts.
package final class FlagSet: Sendable {
  /// A flag with all that its answers consist of but the bucket.
  final class Entry: Sendable {
    let flag: Flag
    let compiled: CompiledFlag
    let key: [UInt8]
    /// For each variant the members `key`, `value` and `variant`.
    let heads: [[UInt8]]
    /// The members of `metadata` after the bucket.
    let metadata: [UInt8]
    /// The member `metadata` of an answer without a bucket.
    let plainMetadata: [UInt8]
    let targetingKeyMissing: [UInt8]
    /// The flags that it requires, directly or through others, each after those it requires itself.
    let required: [Int]
    let label: RolloutLabel
    let counts: EvaluationCounts

    init(
      flag: Flag, compiled: CompiledFlag, revision: Int64, required: [Int], label: RolloutLabel, counts: EvaluationCounts
    ) {
      self.flag = flag
      self.compiled = compiled
      key = Array(flag.key.utf8)
      heads = flag.variants.map { variant in
        FlagSet.members { writer in
          writer.member("key", flag.key)
          writer.key("value")
          variant.value.write(to: &writer)
          writer.member("variant", variant.name)
        }
      }
      let metadata = FlagSet.members { writer in
        writer.member("algorithm", flag.bucketing.rawValue)
        writer.key("rolloutPercent")
        (flag.rollout?.percent ?? .zero).json.write(to: &writer)
        writer.member("rolloutStep", label.step)
        writer.member("rolloutState", label.state)
        writer.member("configRevision", revision)
      }
      self.metadata = metadata
      plainMetadata = Array("\"metadata\":{".utf8) + metadata + [UInt8(ascii: "}")]
      targetingKeyMissing = Array("flag \(flag.key) splits its users: send a targetingKey that is not empty".utf8)
      self.required = required
      self.label = label
      self.counts = counts
    }
  }

  package let environment: String
  package let revision: Int64
  let entries: [Entry]
  let flagNotFoundDetails: [UInt8]
  /// About as many bytes as a bulk answer has, so that its buffer hardly grows; at most 1 MiB.
  package let bulkBytes: Int
  /// Ascending by key.
  package let segments: [Segment]
  let compiledSegments: [CompiledSegment]
  /// All flags, each after those it requires.
  let evaluationOrder: [Int]
  private let table: KeyTable

  /// - Parameters:
  ///   - revision: of the store; answers carry it as `configRevision`.
  ///   - flags: ascending by key, no key twice.
  ///   - segments: ascending by key, no key twice. One that a rule names and that is not there has no members.
  ///   - labels: by flag key; `RolloutLabel.none` for a flag that has none.
  ///   - previous: the set before a change, whose flags' counts go on.
  package init(
    environment: String, revision: Int64, flags: [Flag], segments: [Segment] = [], labels: [String: RolloutLabel] = [:],
    previous: FlagSet? = nil
  ) {
    self.environment = environment
    self.revision = revision
    self.segments = segments
    compiledSegments = segments.map { CompiledSegment($0) }
    let segmentTable = KeyTable(segments.lazy.map(\.key))
    let graph = PrerequisiteGraph(flags)
    evaluationOrder = graph.order
    let entries = flags.indices.map { index in
      let flag = flags[index]
      precondition(
        index == 0 || flags[index - 1].key.utf8.lexicographicallyPrecedes(flag.key.utf8), "flags ascend by key")
      let label = labels[flag.key] ?? .none
      let compiled = CompiledFlag(
        flag, isKilled: label.state == RolloutState.killed.rawValue,
        requirements: graph.faults[index] == nil ? graph.requirements[index] : nil, segments: segmentTable)
      return Entry(
        flag: flag, compiled: compiled, revision: revision, required: graph.closures[index], label: label,
        counts: EvaluationCounts(flag, previous: previous?.counts(of: flag.key)))
    }
    self.entries = entries
    let details = "no flag of this key in environment \(environment): create it with PUT /api/v1/flags/KEY"
    flagNotFoundDetails = Array(details.utf8)
    let bytes = entries.reduce(1024) { sum, entry in
      sum + (entry.heads.lazy.map(\.count).max() ?? 0) + entry.plainMetadata.count + FlagSet.answerBytes
    }
    bulkBytes = min(bytes, FlagSet.bulkBytesMax)
    table = KeyTable(flags.lazy.map(\.key))
  }

  /// Of an answer: reason, bucket and punctuation.
  private static let answerBytes = 64
  private static let bulkBytesMax = 1 << 20

  package var flags: [Flag] { entries.map(\.flag) }

  /// Allocates nothing; one hash and one comparison where no keys collide.
  package func flag(key: Span<UInt8>) -> Flag? {
    index(of: key).map { entries[$0].flag }
  }

  package func flag(key: String) -> Flag? {
    flag(key: key.utf8.span)
  }

  func index(of key: Span<UInt8>) -> Int? {
    table.index(of: key)
  }

  package func segment(key: String) -> Segment? {
    segments.first { $0.key == key }
  }

  private func counts(of key: String) -> EvaluationCounts? {
    index(of: key.utf8.span).map { entries[$0].counts }
  }

  /// The text between the braces of an object.
  fileprivate static func members(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    write(&writer)
    writer.endObject()
    return Array(writer.bytes.dropFirst().dropLast())
  }
}
