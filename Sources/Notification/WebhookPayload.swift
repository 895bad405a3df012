// SPDX-License-Identifier: Apache-2.0

internal import JSON
package import TimeSeries

// The body that Alertmanager sends to webhooks, version 4, which incident tools know how to read.
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config

package enum WebhookPayload {
  /// Some 250 KB. Nothing is cut off, since tools keep their books by fingerprint: what is more is another message.
  package static let alertsMax = 500

  package static func write(_ message: Message, _ head: Letterhead) -> [UInt8] {
    var writer = JSONWriter(capacity: 512 + message.notices.count * 512)
    writer.beginObject()
    writer.member("version", "4")
    writer.member("groupKey", "{}:\(groupText(message.groupLabels))")
    writer.member("truncatedAlerts", 0)
    writer.member("status", message.firing.isEmpty ? "resolved" : "firing")
    writer.member("receiver", head.receiver)
    writer.key("groupLabels")
    writer.object(of: message.groupLabels.all.lazy.map { ($0.name, $0.value) })
    writer.key("commonLabels")
    writer.object(of: common(message.notices.map { $0.labels.all.map { ($0.name, $0.value) } }))
    writer.key("commonAnnotations")
    writer.object(of: common(message.notices.map { $0.annotations.map { ($0.name, $0.value) } }))
    writer.member("externalURL", head.externalURL)
    writer.key("alerts")
    writer.beginArray()
    for notice in message.notices { write(notice, head, to: &writer) }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  private static func write(_ notice: AlertNotice, _ head: Letterhead, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("status", notice.isFiring ? "firing" : "resolved")
    writer.key("labels")
    writer.object(of: notice.labels.all.lazy.map { ($0.name, $0.value) })
    writer.key("annotations")
    writer.object(of: notice.annotations.lazy.map { ($0.name, $0.value) })
    writer.member("startsAt", TimeText.rfc3339(notice.startsMs))
    writer.member("endsAt", notice.resolvedMs.map(TimeText.rfc3339) ?? TimeText.none)
    writer.member("generatorURL", head.generatorURL(notice))
    writer.member("fingerprint", fingerprint(of: notice.labels))
    writer.endObject()
  }

  /// `{alertname="x", cache="y"}`, as Alertmanager writes label sets.
  private static func groupText(_ labels: Labels) -> String {
    let pairs = labels.all.map { "\($0.name)=\"\(Exposition.escapedLabelValue($0.value))\"" }
    return "{\(pairs.joined(separator: ", "))}"
  }

  /// The pairs that all lists have, in the order of the first.
  private static func common(_ lists: [[(String, String)]]) -> [(String, String)] {
    guard let first = lists.first else { return [] }
    return first.filter { pair in lists.allSatisfy { list in list.contains { $0 == pair } } }
  }

  /// As Prometheus' `LabelSet.Fingerprint`: FNV-1a of names and values in order, with 0xFF behind each.
  package static func fingerprint(of labels: Labels) -> String {
    var hash: UInt64 = 14_695_981_039_346_656_037
    func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
    for label in labels.all {
      for byte in label.name.utf8 { add(byte) }
      add(0xFF)
      for byte in label.value.utf8 { add(byte) }
      add(0xFF)
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
