// SPDX-License-Identifier: Apache-2.0

internal import JSON
internal import TimeSeries

// A notice as it is kept on disk until a receiver has taken it.

extension AlertNotice {
  /// Compact JSON that `init(document:)` reads.
  var document: String {
    var writer = JSONWriter(capacity: 512)
    writer.beginObject()
    writer.key("labels")
    writer.object(of: labels.all.lazy.map { ($0.name, $0.value) })
    writer.key("annotations")
    writer.object(of: annotations.lazy.map { ($0.name, $0.value) })
    writer.member("starts_ms", startsMs)
    if let resolvedMs { writer.member("resolved_ms", resolvedMs) }
    writer.member("valid_until_ms", validUntilMs)
    writer.member("value", value.description)
    writer.member("expression", expression)
    writer.member("group", group)
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  /// Nil for what is no notice, such as one of a later version.
  init?(document: String) {
    guard let value = try? JSONValue(parsing: document), let labels = value["labels"]?.texts,
      let annotations = value["annotations"]?.texts, let startsMs = value["starts_ms"]?.integer,
      let validUntilMs = value["valid_until_ms"]?.integer, let number = value["value"]?.string.flatMap({ Double($0) }),
      let expression = value["expression"]?.string, let group = value["group"]?.string
    else { return nil }
    self.init(
      labels: Labels(labels.map { Label($0.name, $0.value) }),
      annotations: annotations.map { Annotation($0.name, $0.value) }, startsMs: startsMs,
      resolvedMs: value["resolved_ms"]?.integer, validUntilMs: validUntilMs, value: number, expression: expression,
      group: group)
  }
}

extension JSONWriter {
  /// An object of texts. A name given twice is the caller's error.
  mutating func object(of members: some Sequence<(String, String)>) {
    beginObject()
    for (name, value) in members {
      key(name)
      string(value)
    }
    endObject()
  }
}

extension JSONValue {
  /// The members of an object of texts; nil for anything else.
  var texts: [(name: String, value: String)]? {
    guard let members else { return nil }
    let texts = members.compactMap { member in member.value.string.map { (member.name, $0) } }
    return texts.count == members.count ? texts : nil
  }
}
