// SPDX-License-Identifier: Apache-2.0

internal import JSON
internal import TimeSeries

// A message for people, in the part of Slack's incoming webhooks that Mattermost and Discord (`/slack`) read as well:
// text, and coloured attachments with text.

package enum SlackPayload {
  /// Alerts that are shown one by one, of those that fire and of those that are resolved; the rest is a number. With the
  /// bound on a line a message keeps within Discord's 6,000 characters, the narrowest of the three.
  package static let linesMax = 10
  private static let lineCharactersMax = 240
  private static let titleCharactersMax = 150

  package static func write(_ message: Message, _ head: Letterhead) -> [UInt8] {
    let title = title(of: message)
    var writer = JSONWriter(capacity: 4_096)
    writer.beginObject()
    writer.member("text", title)
    writer.key("attachments")
    writer.beginArray()
    attachment(message.firing, "firing", color: "#c0392b", message.groupLabels, head, to: &writer)
    attachment(message.resolved, "resolved", color: "#2e7d32", message.groupLabels, head, to: &writer)
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  /// `[FIRING 3, RESOLVED 1] HitRatioLow: profile, profile`.
  private static func title(of message: Message) -> String {
    let counts = [("FIRING", message.firing.count), ("RESOLVED", message.resolved.count)]
      .filter { $0.1 > 0 }.map { "\($0.0) \($0.1)" }
    let name = message.groupLabels["alertname"] ?? "alerts"
    let others = message.groupLabels.all.filter { $0.name != "alertname" }.map { "\($0.name)=\($0.value)" }
    let text = others.isEmpty ? name : "\(name): \(others.joined(separator: ", "))"
    return "[\(counts.joined(separator: ", "))] " + plain(text, charactersMax: titleCharactersMax)
  }

  private static func attachment(
    _ notices: [AlertNotice], _ state: StaticString, color: String, _ group: Labels, _ head: Letterhead,
    to writer: inout JSONWriter
  ) {
    guard let first = notices.first else { return }
    var lines = notices.prefix(linesMax).map { line($0, group) }
    if notices.count > linesMax { lines.append("and \(notices.count - linesMax) more") }
    let text = lines.joined(separator: "\n")
    writer.beginObject()
    writer.member("color", color)
    writer.member("fallback", "\(notices.count) \(state)")
    writer.member("title", notices.count == 1 ? "\(state)" : "\(notices.count) \(state)")
    writer.member("title_link", head.generatorURL(first))
    writer.member("text", text)
    writer.member("footer", "Rampart \(plain(head.externalURL, charactersMax: 80))")
    writer.member("ts", (notices.map { $0.resolvedMs ?? $0.startsMs }.max() ?? 0) / 1000)
    writer.endObject()
  }

  /// What it says, what tells it apart from others of its group, and its value.
  private static func line(_ notice: AlertNotice, _ group: Labels) -> String {
    let labels = notice.labels.all.filter { group[$0.name] == nil }.map { "\($0.name)=\($0.value)" }.joined(separator: ", ")
    let summary = notice.annotation("summary") ?? notice.annotation("description") ?? notice.annotation("message") ?? notice.name
    let value = notice.isFiring ? [" (value \(shown(notice.value)))"] : []
    let parts = ["• " + summary, labels.isEmpty ? "" : " [\(labels)]"] + value
    return plain(parts.joined(), charactersMax: lineCharactersMax)
  }

  private static func shown(_ value: Double) -> String {
    value.description.hasSuffix(".0") ? String(value.description.dropLast(2)) : value.description
  }

  /// Text from outside: it must neither notify everybody, nor show a link under another name, nor add lines.
  private static func plain(_ text: String, charactersMax: Int) -> String {
    let cut = text.count > charactersMax ? text.prefix(charactersMax - 1) + "…" : text[...]
    var plain = ""
    for character in cut {
      switch character {
      case "&": plain += "&amp;"
      case "<": plain += "&lt;"
      case ">": plain += "&gt;"
      // A space of no width parts what would be `@everyone`, and `[a](b)`.
      case "@": plain += "@\u{200B}"
      case "(" where plain.last == "]": plain += "\u{200B}("
      case "`": plain += "'"
      case _ where character.isNewline || character.unicodeScalars.contains { $0.value < 0x20 }: plain += " "
      default: plain.append(character)
      }
    }
    return plain
  }
}
