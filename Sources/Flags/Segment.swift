// SPDX-License-Identifier: Apache-2.0

// Sets of users that rules of several flags share. A segment holds no segments, so there is nothing to go round in.

package import JSON

/// Users of one environment, by targeting key or by rule.
package struct Segment: Equatable, Sendable {
  /// Holds where all of its conditions do.
  package struct Rule: Equatable, Sendable {
    /// None at all holds for everybody; none asks for a segment.
    package let conditions: [Condition]
  }

  /// As a flag's: `[A-Za-z0-9_.-]{1,128}`.
  package let key: String
  package let description: String
  /// Targeting keys, in document order.
  package let included: [String]
  /// Targeting keys, in document order; they win over everything.
  package let excluded: [String]
  /// Any of them suffices.
  package let rules: [Rule]
  /// From 1, one more with every change; 0 while nothing is stored. The store's business, never read from a document.
  package var version: Int64
  /// Epoch milliseconds of the last change; the store's business.
  package var updatedMs: Int64

  /// - Parameters:
  ///   - key: the key by which the caller knows the segment, such as the URL's; the document's own must then be absent or
  ///     equal.
  ///   - version: what the store says, 0 for a segment not stored yet.
  /// - Throws: naming the first field that is wrong.
  package init(_ json: JSONValue, key: String? = nil, version: Int64 = 0, updatedMs: Int64 = 0) throws(FlagError) {
    let known = ["key", "description", "included", "excluded", "rules", "version", "updatedAt"]
    let reader = try DocumentReader(json, path: "", known: known)
    self.key = try Flag.readKey(reader, expected: key, of: "segment")
    description = try reader.string("description", bytesMax: Flag.Bounds.descriptionBytesMax) ?? ""
    included = try Segment.readKeys("included", reader)
    excluded = try Segment.readKeys("excluded", reader)
    rules = try Segment.readRules(reader)
    self.version = version
    self.updatedMs = updatedMs
  }

  private static func readKeys(_ name: String, _ reader: DocumentReader) throws(FlagError) -> [String] {
    var keys: [String] = []
    for (index, json) in (try reader.array(name, countMax: Flag.Bounds.segmentKeysMax) ?? []).enumerated() {
      guard let key = json.string, (1...Flag.Bounds.segmentKeyBytesMax).contains(key.utf8.count) else {
        throw FlagError(
          field: reader.field(name, index), value: json.string ?? json.text,
          expected: "must be a targeting key of 1 to \(Flag.Bounds.segmentKeyBytesMax) bytes")
      }
      keys.append(key)
    }
    return keys
  }

  private static func readRules(_ segment: DocumentReader) throws(FlagError) -> [Rule] {
    var rules: [Rule] = []
    for (index, json) in (try segment.array("rules", countMax: Flag.Bounds.rulesMax) ?? []).enumerated() {
      let reader = try DocumentReader(json, path: segment.field("rules", index), known: ["if"])
      let conditions = try Condition.readAll(reader)
      if let nested = conditions.firstIndex(where: \.op.isOfSegments) {
        throw FlagError(
          field: reader.field("if", nested) + ".op", value: conditions[nested].op.rawValue,
          expected: "a segment cannot ask for segments: write its conditions out")
      }
      rules.append(Rule(conditions: conditions))
    }
    try Condition.checkPatterns(of: rules.flatMap(\.conditions), field: segment.field("rules"))
    return rules
  }

  /// The document to store: everything but `version` and `updatedAt`. Decoding it gives the same segment.
  package var definition: JSONValue {
    .object([
      JSONMember(name: "key", value: .string(key)),
      JSONMember(name: "description", value: .string(description)),
      JSONMember(name: "included", value: .array(included.map { .string($0) })),
      JSONMember(name: "excluded", value: .array(excluded.map { .string($0) })),
      JSONMember(
        name: "rules",
        value: .array(
          rules.map { .object([JSONMember(name: "if", value: .array($0.conditions.map(\.json)))]) })),
    ])
  }

  /// The SEGMENT of the API: the definition with `version` and `updatedAt`.
  package var json: JSONValue {
    let stored = [
      JSONMember(name: "version", value: .integer(version)),
      JSONMember(name: "updatedAt", value: .string(TimestampText.rfc3339(milliseconds: updatedMs))),
    ]
    return .object((definition.members ?? []) + stored)
  }
}
