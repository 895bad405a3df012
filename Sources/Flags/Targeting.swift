// SPDX-License-Identifier: Apache-2.0

// Targeting rules as they are written. A small fixed set of operators, so that a rule reads the same to everybody;
// anything else is refused at load rather than never matching in production.

internal import JSON

/// A rule: where all conditions hold, `serves` decides.
package struct TargetingRule: Equatable, Sendable {
  package enum Serving: Equatable, Sendable {
    case variant(String)
    /// In the listed order; weights are not negative, their sum is from 1 to `Flag.Bounds.weightsTotalMax`.
    case split([Weight])
  }

  package struct Weight: Equatable, Sendable {
    package let variant: String
    package let weight: Int
  }

  /// For people; empty when not given.
  package let name: String
  /// All must hold; none at all holds for everybody.
  package let conditions: [Condition]
  package let serving: Serving

  static func readAll(_ flag: DocumentReader, variants: [String]) throws(FlagError) -> [TargetingRule] {
    var rules: [TargetingRule] = []
    for (index, json) in (try flag.array("rules", countMax: Flag.Bounds.rulesMax) ?? []).enumerated() {
      rules.append(try TargetingRule(json, path: flag.field("rules", index), variants: variants))
    }
    try Condition.checkPatterns(of: rules.flatMap(\.conditions), field: flag.field("rules"))
    return rules
  }

  init(_ json: JSONValue, path: String, variants: [String]) throws(FlagError) {
    let reader = try DocumentReader(json, path: path, known: ["name", "if", "variant", "split"])
    name = try reader.string("name", bytesMax: Flag.Bounds.nameBytesMax) ?? ""
    conditions = try Condition.readAll(reader)
    serving = try TargetingRule.readServing(reader, variants)
  }

  private static func readServing(_ reader: DocumentReader, _ variants: [String]) throws(FlagError) -> Serving {
    let variant = try reader.string("variant", bytesMax: Flag.Bounds.nameBytesMax)
    let split = try reader.array("split", countMax: Flag.Bounds.variantsMax)
    switch (variant, split) {
    case (let name?, nil):
      return .variant(try Flag.requireVariant(name, variants, field: reader.field("variant")))
    case (nil, let list?):
      return .split(try readWeights(list, reader, variants))
    default:
      throw FlagError(field: reader.path, message: "say either `variant` or `split`")
    }
  }

  private static func readWeights(
    _ list: [JSONValue], _ rule: DocumentReader, _ variants: [String]
  ) throws(FlagError) -> [Weight] {
    var weights: [Weight] = []
    for (index, json) in list.enumerated() {
      let reader = try DocumentReader(json, path: rule.field("split", index), known: ["variant", "weight"])
      let name = try reader.requiredString("variant", bytesMax: Flag.Bounds.nameBytesMax, "a variant's name")
      let weight = try reader.requiredInteger("weight", in: 0...Int64(Flag.Bounds.weightsTotalMax))
      weights.append(
        Weight(variant: try Flag.requireVariant(name, variants, field: reader.field("variant")), weight: Int(weight)))
    }
    let total = weights.reduce(0) { $0 + $1.weight }
    guard (1...Flag.Bounds.weightsTotalMax).contains(total) else {
      throw FlagError(
        field: rule.field("split"), value: "weights add up to \(total)",
        expected: "must be from 1 to \(Flag.Bounds.weightsTotalMax)")
    }
    return weights
  }

  var json: JSONValue {
    var members: [JSONMember] = []
    if !name.isEmpty { members.append(JSONMember(name: "name", value: .string(name))) }
    members.append(JSONMember(name: "if", value: .array(conditions.map(\.json))))
    switch serving {
    case .variant(let name):
      members.append(JSONMember(name: "variant", value: .string(name)))
    case .split(let weights):
      let list = weights.map { weight in
        JSONValue.object([
          JSONMember(name: "variant", value: .string(weight.variant)),
          JSONMember(name: "weight", value: .integer(Int64(weight.weight))),
        ])
      }
      members.append(JSONMember(name: "split", value: .array(list)))
    }
    return .object(members)
  }
}
