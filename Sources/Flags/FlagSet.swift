// SPDX-License-Identifier: Apache-2.0

// Every flag of one environment, compiled once and then only read, from any number of threads. A change makes a new
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

/// The flags of one environment at one revision.
package struct FlagSet: Sendable {
  /// A flag with all that its answers consist of but the bucket.
  struct Entry: Sendable {
    let flag: Flag
    let compiled: CompiledFlag
    let key: [UInt8]
    /// For each variant the members `key`, `value` and `variant`.
    let heads: [[UInt8]]
    /// The members of `metadata` after the bucket.
    let metadata: [UInt8]
    let targetingKeyMissing: [UInt8]
  }

  package let environment: String
  package let revision: Int64
  let entries: [Entry]
  let flagNotFoundDetails: [UInt8]
  /// Open addressing: a place holds an entry's index plus one, 0 is free. At most half is taken.
  private let places: [Int32]

  /// - Parameters:
  ///   - revision: of the store; answers carry it as `configRevision`.
  ///   - flags: ascending by key, no key twice.
  ///   - labels: by flag key; `RolloutLabel.none` for a flag that has none.
  package init(environment: String, revision: Int64, flags: [Flag], labels: [String: RolloutLabel] = [:]) {
    self.environment = environment
    self.revision = revision
    entries = flags.map { FlagSet.entry($0, labels[$0.key] ?? .none, revision: revision) }
    let details = "no flag of this key in environment \(environment): create it with PUT /api/v1/flags/KEY"
    flagNotFoundDetails = Array(details.utf8)
    places = FlagSet.places(entries)
  }

  package var flags: [Flag] { entries.map(\.flag) }

  /// Allocates nothing; one hash and one comparison where no keys collide.
  package func flag(key: Span<UInt8>) -> Flag? {
    index(of: key).map { entries[$0].flag }
  }

  package func flag(key: String) -> Flag? {
    flag(key: key.utf8.span)
  }

  func index(of key: Span<UInt8>) -> Int? {
    var place = FlagSet.place(of: key, count: places.count)
    while places[place] != 0 {
      let index = Int(places[place]) - 1
      let candidate = entries[index].key
      if FlagSet.equal(candidate.span, key) { return index }
      place = (place + 1) & (places.count - 1)
    }
    return nil
  }

  private static func places(_ entries: [Entry]) -> [Int32] {
    var count = 2
    while count < entries.count * 2 { count *= 2 }
    var places = [Int32](repeating: 0, count: count)
    for (index, entry) in entries.enumerated() {
      precondition(index == 0 || entries[index - 1].key.lexicographicallyPrecedes(entry.key), "flags ascend by key")
      var place = place(of: entry.key.span, count: count)
      while places[place] != 0 { place = (place + 1) & (count - 1) }
      places[place] = Int32(index + 1)
    }
    return places
  }

  private static func place(of key: Span<UInt8>, count: Int) -> Int {
    var murmur = Murmur3()
    murmur.update(key)
    return Int(murmur.value) & (count - 1)
  }

  private static func equal(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    for index in left.indices where left[index] != right[index] { return false }
    return true
  }

  private static func entry(_ flag: Flag, _ label: RolloutLabel, revision: Int64) -> Entry {
    Entry(
      flag: flag,
      compiled: CompiledFlag(flag, isKilled: label.state == RolloutState.killed.rawValue),
      key: Array(flag.key.utf8),
      heads: flag.variants.map { variant in
        members { writer in
          writer.member("key", flag.key)
          writer.key("value")
          variant.value.write(to: &writer)
          writer.member("variant", variant.name)
        }
      },
      metadata: members { writer in
        writer.member("algorithm", flag.bucketing.rawValue)
        writer.key("rolloutPercent")
        (flag.rollout?.percent ?? .zero).json.write(to: &writer)
        writer.member("rolloutStep", label.step)
        writer.member("rolloutState", label.state)
        writer.member("configRevision", revision)
      },
      targetingKeyMissing: Array("flag \(flag.key) splits its users: send a targetingKey that is not empty".utf8))
  }

  /// The text between the braces of an object.
  private static func members(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    write(&writer)
    writer.endObject()
    return Array(writer.bytes.dropFirst().dropLast())
  }
}
