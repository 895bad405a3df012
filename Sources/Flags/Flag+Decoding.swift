// SPDX-License-Identifier: Apache-2.0

// Reads a definition, and says exactly what is wrong with one. `version` and `updatedAt` of a document are passed over,
// so that what GET gave can be edited and PUT back.

internal import Assignment
package import JSON

extension Flag {
  static let members = [
    "key", "type", "description", "enabled", "variants", "defaultVariant", "rules", "prerequisites", "rollout", "bucketing",
    "salt", "caches", "plan", "version", "updatedAt",
  ]

  /// - Parameters:
  ///   - key: the key by which the caller knows the flag, such as the URL's; the document's own must then be absent or
  ///     equal.
  ///   - version: what the store says, 0 for a flag not stored yet.
  /// - Throws: naming the first field that is wrong.
  package init(_ json: JSONValue, key: String? = nil, version: Int64 = 0, updatedMs: Int64 = 0) throws(FlagError) {
    let reader = try DocumentReader(json, path: "", known: Flag.members)
    let key = try Flag.readKey(reader, expected: key)
    guard let type: ValueType = try reader.word("type") else {
      throw FlagError(field: "type", message: "missing: one of boolean, string, number, object")
    }
    let variants = try Flag.readVariants(reader, type)
    let names = variants.map(\.name)
    self.init(
      key: key,
      type: type,
      description: try reader.string("description", bytesMax: Bounds.descriptionBytesMax) ?? "",
      enabled: try reader.bool("enabled") ?? true,
      variants: variants,
      defaultVariant: try Flag.readDefaultVariant(reader, type, names),
      rules: try TargetingRule.readAll(reader, variants: names),
      prerequisites: try Prerequisite.readAll(reader, of: key),
      rollout: try Flag.readRollout(reader, names),
      bucketing: try reader.word("bucketing") ?? .murmur3v2,
      salt: try reader.string("salt", bytesMax: Bounds.nameBytesMax) ?? key,
      caches: try Flag.readCaches(reader),
      plan: try reader.value("plan").map { json throws(FlagError) in try RolloutPlan(json, path: "plan") },
      version: version,
      updatedMs: updatedMs)
  }

  /// The flag that a JSON merge patch (RFC 7396) makes of this one: members of the patch replace, objects are merged,
  /// null removes.
  ///
  /// - Throws: when the patch is not an object or what it makes is not a valid flag.
  package func patched(by patch: JSONValue) throws(FlagError) -> Flag {
    guard patch.members != nil else {
      throw FlagError(field: "", value: patch.text, expected: "must be an object with the members to change")
    }
    return try Flag(definition.merged(with: patch), key: key, version: version, updatedMs: updatedMs)
  }

  /// Flags and segments have names of the same kind.
  static func readKey(
    _ reader: DocumentReader, expected: String?, of what: String = "flag"
  ) throws(FlagError) -> String {
    let own = try reader.string("key", bytesMax: Bounds.keyBytesMax)
    if let own, let expected, own != expected {
      throw FlagError(
        field: "key", value: own, expected: "must be \(expected), the key it is stored under, or be left out")
    }
    guard let key = own ?? expected else { throw FlagError(field: "key", message: "missing: a name for the \(what)") }
    guard Flag.isKey(key.utf8.span) else {
      throw FlagError(field: "key", value: key, expected: "must be 1 to \(Bounds.keyBytesMax) of A-Z a-z 0-9 _ . -")
    }
    return key
  }

  private static func readVariants(_ reader: DocumentReader, _ type: ValueType) throws(FlagError) -> [Variant] {
    guard let json = reader.value("variants") else {
      guard type == .boolean else {
        throw FlagError(field: "variants", message: "missing: an object such as {\"large\":100,\"small\":10}")
      }
      return [Variant(name: "on", value: .bool(true)), Variant(name: "off", value: .bool(false))]
    }
    guard let members = json.members, !members.isEmpty else {
      throw FlagError(field: "variants", value: json.text, expected: "must be an object with at least one variant")
    }
    guard members.count <= Bounds.variantsMax else {
      throw FlagError(field: "variants", value: "\(members.count) entries", expected: "at most \(Bounds.variantsMax)")
    }
    let isFloat = type == .number && members.contains { $0.value.integer == nil }
    var variants: [Variant] = []
    for member in members {
      variants.append(Variant(name: member.name, value: try readValue(member, type, isFloat: isFloat)))
    }
    return variants
  }

  /// One variant with a fraction makes a float flag, whose whole numbers then print as `1.0`: an OpenFeature client
  /// infers the type from the JSON and takes `1` for an integer.
  private static func readValue(_ member: JSONMember, _ type: ValueType, isFloat: Bool) throws(FlagError) -> JSONValue {
    let field = "variants.\(FlagError.cut(member.name))"
    guard (1...Bounds.nameBytesMax).contains(member.name.utf8.count) else {
      throw FlagError(field: field, message: "a variant's name has 1 to \(Bounds.nameBytesMax) bytes")
    }
    let fits =
      switch (type, member.value) {
      case (.boolean, .bool), (.string, .string), (.object, .object), (.number, .integer), (.number, .number): true
      default: false
      }
    guard fits else {
      throw FlagError(field: field, value: member.value.text, expected: "must be of the flag's type, \(type.rawValue)")
    }
    guard member.value.text.utf8.count <= Bounds.valueBytesMax else {
      throw FlagError(field: field, message: "at most \(Bounds.valueBytesMax) bytes of JSON")
    }
    if isFloat, let number = member.value.double { return .number(number) }
    return member.value
  }

  private static func readDefaultVariant(
    _ reader: DocumentReader, _ type: ValueType, _ names: [String]
  ) throws(FlagError) -> String {
    guard let name = try reader.string("defaultVariant", bytesMax: Bounds.nameBytesMax) else {
      if type == .boolean, names.contains("off") { return "off" }
      throw FlagError(field: "defaultVariant", message: "missing: one of \(names.joined(separator: ", "))")
    }
    return try requireVariant(name, names, field: "defaultVariant")
  }

  private static func readRollout(_ reader: DocumentReader, _ names: [String]) throws(FlagError) -> Share? {
    guard let json = reader.value("rollout") else { return nil }
    let rollout = try DocumentReader(json, path: "rollout", known: ["variant", "percent"])
    let expected = "one of \(names.joined(separator: ", "))"
    let name = try rollout.requiredString("variant", bytesMax: Bounds.nameBytesMax, expected)
    return Share(
      variant: try requireVariant(name, names, field: rollout.field("variant")),
      percent: try Percentage(rollout.required("percent", "a number from 0 to 100"), field: rollout.field("percent")))
  }

  private static func readCaches(_ reader: DocumentReader) throws(FlagError) -> [String] {
    var caches: [String] = []
    for (index, json) in (try reader.array("caches", countMax: Bounds.cachesMax) ?? []).enumerated() {
      guard let cache = json.string, (1...Bounds.nameBytesMax).contains(cache.utf8.count) else {
        throw FlagError(field: reader.field("caches", index), value: json.text, expected: "must be a cache's name")
      }
      caches.append(cache)
    }
    return caches
  }

  static func requireVariant(_ name: String, _ names: [String], field: String) throws(FlagError) -> String {
    guard names.contains(name) else {
      throw FlagError(field: field, value: name, expected: "no such variant: one of \(names.joined(separator: ", "))")
    }
    return name
  }
}

extension JSONValue {
  /// RFC 7396. Members keep their place; new ones come last.
  func merged(with patch: JSONValue) -> JSONValue {
    guard let changes = patch.members else { return patch }
    var merged: [JSONMember] = []
    for member in members ?? [] {
      guard let change = patch[member.name] else {
        merged.append(member)
        continue
      }
      if !change.isNull { merged.append(JSONMember(name: member.name, value: member.value.merged(with: change))) }
    }
    for change in changes where self[change.name] == nil && !change.value.isNull {
      merged.append(JSONMember(name: change.name, value: JSONValue.null.merged(with: change.value)))
    }
    return .object(merged)
  }
}
