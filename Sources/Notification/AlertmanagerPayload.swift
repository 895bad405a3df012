// SPDX-License-Identifier: Apache-2.0

internal import JSON
internal import TimeSeries

// The body of `POST /api/v2/alerts`, as Prometheus writes it.

package enum AlertmanagerPayload {
  /// As many as Prometheus sends at a time.
  package static let alertsMax = 256

  /// For how long an alert fires without being told again: four times the resend delay, as Prometheus says.
  private static let validMs: Int64 = 240_000

  package static func write(_ message: Message, _ head: Letterhead, nowMs: Int64) -> [UInt8] {
    var writer = JSONWriter(capacity: message.notices.count * 512)
    writer.beginArray()
    for notice in message.notices {
      writer.beginObject()
      writer.key("labels")
      writer.object(of: notice.labels.all.lazy.map { ($0.name, $0.value) })
      writer.key("annotations")
      writer.object(of: notice.annotations.lazy.map { ($0.name, $0.value) })
      writer.member("startsAt", TimeText.rfc3339(notice.startsMs))
      // What waited for long still fires; an end in the past would say that it is over.
      writer.member("endsAt", TimeText.rfc3339(notice.resolvedMs ?? max(notice.validUntilMs, nowMs + validMs)))
      writer.member("generatorURL", head.generatorURL(notice))
      writer.endObject()
    }
    writer.endArray()
    return writer.bytes
  }

  /// - Parameter url: the Alertmanager's, with the path it is served under.
  package static func endpoint(_ url: String) -> String {
    let base = String(url.prefix { $0 != "?" && $0 != "#" })
    if base.hasSuffix("/api/v2/alerts") { return base }
    return (base.hasSuffix("/") ? String(base.dropLast()) : base) + "/api/v2/alerts"
  }
}
