// SPDX-License-Identifier: Apache-2.0

// What a flag requires of other flags. That they exist, and that no two require each other, is a matter of the whole
// environment: EnvironmentCheck.

internal import JSON

/// Another flag that must be served one of some variants to the same context.
package struct Prerequisite: Equatable, Sendable {
  /// The other flag's key.
  package let flag: String
  /// At least one; any of them suffices.
  package let variants: [String]

  static func readAll(_ flag: DocumentReader, of key: String) throws(FlagError) -> [Prerequisite] {
    var prerequisites: [Prerequisite] = []
    let list = try flag.array("prerequisites", countMax: Flag.Bounds.prerequisitesMax) ?? []
    for (index, json) in list.enumerated() {
      prerequisites.append(try Prerequisite(json, path: flag.field("prerequisites", index), of: key))
    }
    return prerequisites
  }

  private init(_ json: JSONValue, path: String, of key: String) throws(FlagError) {
    let reader = try DocumentReader(json, path: path, known: ["flag", "variants"])
    flag = try reader.requiredString("flag", bytesMax: Flag.Bounds.keyBytesMax, "another flag's key")
    guard flag != key else {
      throw FlagError(field: reader.field("flag"), value: flag, expected: "a flag cannot require itself")
    }
    guard let list = try reader.array("variants", countMax: Flag.Bounds.variantsMax), !list.isEmpty else {
      throw FlagError(field: reader.field("variants"), message: "missing: a list with at least one variant of \(flag)")
    }
    var variants: [String] = []
    for (index, json) in list.enumerated() {
      guard let name = json.string, (1...Flag.Bounds.nameBytesMax).contains(name.utf8.count) else {
        throw FlagError(field: reader.field("variants", index), value: json.text, expected: "must be a variant's name")
      }
      variants.append(name)
    }
    self.variants = variants
  }

  var json: JSONValue {
    .object([
      JSONMember(name: "flag", value: .string(flag)),
      JSONMember(name: "variants", value: .array(variants.map { .string($0) })),
    ])
  }
}
