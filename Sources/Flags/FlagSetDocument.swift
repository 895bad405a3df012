// SPDX-License-Identifier: Apache-2.0

// An environment as one document: what is exported and imported, and what a service polls to evaluate by itself. Versions,
// times, revision and ramps are told and, in a document that is sent, passed over: they are the store's.

package import JSON

/// Flags and segments as somebody sent them.
package struct FlagSetDocument: Sendable {
  /// In document order, no key twice.
  package let flags: [Flag]
  /// In document order, no key twice.
  package let segments: [Segment]

  /// - Throws: naming the first field that is wrong, such as `flags[3].rules[0].variant`.
  package init(_ json: JSONValue) throws(FlagError) {
    let known = ["environment", "configRevision", "flags", "segments", "rollouts"]
    let reader = try DocumentReader(json, path: "", known: known)
    guard let list = try reader.array("flags", countMax: Flag.Bounds.flagsMax) else {
      throw FlagError(field: "flags", message: "missing: a list of flags, as GET /api/v1/flagset gives it")
    }
    flags = try FlagSetDocument.read(list, "flags", key: \.key) { json throws(FlagError) in try Flag(json) }
    let segmentList = try reader.array("segments", countMax: Flag.Bounds.segmentsMax) ?? []
    segments = try FlagSetDocument.read(segmentList, "segments", key: \.key) { json throws(FlagError) in try Segment(json) }
  }

  private static func read<Item>(
    _ list: [JSONValue], _ field: String, key: (Item) -> String, _ read: (JSONValue) throws(FlagError) -> Item
  ) throws(FlagError) -> [Item] {
    var items: [Item] = []
    var keys: Set<String> = []
    for (index, json) in list.enumerated() {
      let place = "\(field)[\(index)]"
      let item: Item
      do throws(FlagError) {
        item = try read(json)
      } catch {
        throw FlagError(field: error.field.isEmpty ? place : "\(place).\(error.field)", message: error.message)
      }
      guard keys.insert(key(item)).inserted else {
        throw FlagError(field: "\(place).key", value: key(item), expected: "given twice")
      }
      items.append(item)
    }
    return items
  }
}

extension FlagSet {
  /// The document of this environment. Reading it back gives the same flags and segments.
  package var document: [UInt8] {
    var writer = JSONWriter(capacity: 64 << 10)
    writer.beginObject()
    writer.member("environment", environment)
    writer.member("configRevision", revision)
    writer.key("flags")
    writer.beginArray()
    for entry in entries { entry.flag.json.write(to: &writer) }
    writer.endArray()
    writer.key("segments")
    writer.beginArray()
    for segment in segments { segment.json.write(to: &writer) }
    writer.endArray()
    // A killed ramp decides what its flag serves, so whoever evaluates has to know.
    writer.key("rollouts")
    writer.beginObject()
    for entry in entries where entry.label != .none {
      writer.key(entry.flag.key)
      writer.beginObject()
      writer.member("state", entry.label.state)
      writer.member("step", entry.label.step)
      writer.endObject()
    }
    writer.endObject()
    writer.endObject()
    return writer.bytes
  }
}
