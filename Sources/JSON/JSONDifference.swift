// SPDX-License-Identifier: Apache-2.0

// What differs between two documents, by path, for people who look at a change before it is made. Objects are compared
// member by member. Lists are compared from both ends, so that one element more or less is one difference; what lies
// between is compared place by place. No search for the smallest difference: documents are short and their authors few.

/// One place where two documents differ.
package struct JSONDifference: Equatable, Sendable {
  /// Such as `rules[0].if[1].values[0]` or `variants["a b"]`; empty for the whole document. A place in a list is that of
  /// the newer document, or of the older where the newer has none.
  package let path: String
  /// Nil where the older document has nothing there.
  package let before: JSONValue?
  /// Nil where the newer document has nothing there.
  package let after: JSONValue?

  /// Members in the order of the older document, those that are new after them. Empty for equal documents; the order of
  /// an object's members is no difference.
  package static func all(from before: JSONValue, to after: JSONValue) -> [JSONDifference] {
    var differences: [JSONDifference] = []
    collect(before, after, path: "", into: &differences)
    return differences
  }

  private static func collect(
    _ before: JSONValue?, _ after: JSONValue?, path: String, into differences: inout [JSONDifference]
  ) {
    switch (before, after) {
    case (.object(let old)?, .object(let new)?): collectMembers(old, new, path: path, into: &differences)
    case (.array(let old)?, .array(let new)?): collectElements(old, new, path: path, into: &differences)
    default:
      if before != after { differences.append(JSONDifference(path: path, before: before, after: after)) }
    }
  }

  private static func collectMembers(
    _ old: [JSONMember], _ new: [JSONMember], path: String, into differences: inout [JSONDifference]
  ) {
    var values: [String: JSONValue] = [:]
    for member in new { values[member.name] = member.value }
    for member in old {
      collect(member.value, values.removeValue(forKey: member.name), path: joined(path, member.name), into: &differences)
    }
    for member in new where values[member.name] != nil {
      collect(nil, member.value, path: joined(path, member.name), into: &differences)
    }
  }

  private static func collectElements(
    _ old: [JSONValue], _ new: [JSONValue], path: String, into differences: inout [JSONDifference]
  ) {
    let shorter = min(old.count, new.count)
    var start = 0
    while start < shorter, old[start] == new[start] { start += 1 }
    var end = 0
    while end < shorter - start, old[old.count - 1 - end] == new[new.count - 1 - end] { end += 1 }
    for place in start..<(max(old.count, new.count) - end) {
      let isOld = place < old.count - end
      let isNew = place < new.count - end
      collect(isOld ? old[place] : nil, isNew ? new[place] : nil, path: "\(path)[\(place)]", into: &differences)
    }
  }

  private static func joined(_ path: String, _ name: String) -> String {
    let isWord = !name.isEmpty && name.utf8.allSatisfy { byte in
      let lowered = byte | 0x20
      return lowered >= UInt8(ascii: "a") && lowered <= UInt8(ascii: "z") || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
        || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }
    guard isWord else { return "\(path)[\(JSONValue.string(name).text)]" }
    return path.isEmpty ? name : "\(path).\(name)"
  }
}
