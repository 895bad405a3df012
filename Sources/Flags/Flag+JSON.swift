// SPDX-License-Identifier: Apache-2.0

// Writes a definition back as JSON: for the store without what the store keeps beside it, for the API with it.

internal import Assignment
package import JSON

extension Flag {
  /// The document to store: everything but `version` and `updatedAt`. Decoding it gives the same flag.
  package var definition: JSONValue {
    var members = [
      JSONMember(name: "key", value: .string(key)),
      JSONMember(name: "type", value: .string(type.rawValue)),
      JSONMember(name: "description", value: .string(description)),
      JSONMember(name: "enabled", value: .bool(enabled)),
      JSONMember(name: "variants", value: .object(variants.map { JSONMember(name: $0.name, value: $0.value) })),
      JSONMember(name: "defaultVariant", value: .string(defaultVariant)),
      JSONMember(name: "rules", value: .array(rules.map(\.json))),
    ]
    if !prerequisites.isEmpty {
      members.append(JSONMember(name: "prerequisites", value: .array(prerequisites.map(\.json))))
    }
    if let rollout {
      let share = [
        JSONMember(name: "variant", value: .string(rollout.variant)),
        JSONMember(name: "percent", value: rollout.percent.json),
      ]
      members.append(JSONMember(name: "rollout", value: .object(share)))
    }
    members.append(JSONMember(name: "bucketing", value: .string(bucketing.rawValue)))
    members.append(JSONMember(name: "salt", value: .string(salt)))
    members.append(JSONMember(name: "caches", value: .array(caches.map { .string($0) })))
    if let plan { members.append(JSONMember(name: "plan", value: plan.json)) }
    return .object(members)
  }

  /// The FLAG of the API: the definition with `version` and `updatedAt`.
  package var json: JSONValue {
    let stored = [
      JSONMember(name: "version", value: .integer(version)),
      JSONMember(name: "updatedAt", value: .string(TimestampText.rfc3339(milliseconds: updatedMs))),
    ]
    return .object((definition.members ?? []) + stored)
  }
}
