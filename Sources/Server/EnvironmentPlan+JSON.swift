// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import JSON

// A plan as people read it before they say yes: what is created, changed and deleted, member by member.

extension EnvironmentPlan {
  /// Of one flag or segment; whoever changes a list of thousands does not read each.
  private static let differencesMax = 200

  /// - Parameter isDryRun: whether nothing was changed.
  func json(isDryRun: Bool) -> [UInt8] {
    var writer = JSONWriter(capacity: 1024)
    writer.beginObject()
    writer.member("dry_run", isDryRun)
    writer.key("changes")
    writer.beginArray()
    for edit in flags {
      let key = (edit.before ?? edit.after)?.key ?? ""
      EnvironmentPlan.write("flag", key, edit.action, edit.before?.definition, edit.after?.definition, to: &writer)
    }
    for edit in segments {
      let key = (edit.before ?? edit.after)?.key ?? ""
      EnvironmentPlan.write("segment", key, edit.action, edit.before?.definition, edit.after?.definition, to: &writer)
    }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  private static func write(
    _ what: String, _ key: String, _ action: String, _ before: JSONValue?, _ after: JSONValue?, to writer: inout JSONWriter
  ) {
    let differences = JSONDifference.all(from: before ?? .object([]), to: after ?? .object([]))
    writer.beginObject()
    writer.key(what)
    writer.string(key)
    writer.member("action", action)
    writer.key("differences")
    writer.beginArray()
    for difference in differences.prefix(differencesMax) { write(difference, to: &writer) }
    writer.endArray()
    if differences.count > differencesMax { writer.member("more", differences.count - differencesMax) }
    writer.endObject()
  }

  private static func write(_ difference: JSONDifference, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("path", difference.path)
    if let before = difference.before {
      writer.key("before")
      before.write(to: &writer)
    }
    if let after = difference.after {
      writer.key("after")
      after.write(to: &writer)
    }
    writer.endObject()
  }
}
