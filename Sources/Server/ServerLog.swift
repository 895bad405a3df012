// SPDX-License-Identifier: Apache-2.0

package import Logging
internal import Flags
internal import JSON
internal import Platform

// One line a message on standard error, as text for people or as JSON for shippers.

/// Writes log lines of the configured format.
package struct ServerLog: LogHandler {
  package var logLevel: Logger.Level
  package var metadata: Logger.Metadata = [:]
  private let label: String
  private let format: Configuration.LogFormat

  package init(label: String, level: Logger.Level, format: Configuration.LogFormat) {
    self.label = label
    self.format = format
    logLevel = level
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    let fields = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
    let nowMs = Clock.wallMs()
    let line = format == .json ? json(event, fields, nowMs) : text(event, fields, nowMs)
    Files.write(line, to: 2)
  }

  private func text(_ event: LogEvent, _ fields: [(key: String, value: Logger.MetadataValue)], _ nowMs: Int64) -> [UInt8] {
    let pairs = fields.map { " \($0.key)=\(ServerLog.quoted("\($0.value)"))" }.joined()
    let message = ServerLog.oneLine("\(event.message)")
    return Array("\(TimestampText.rfc3339(milliseconds: nowMs)) \(event.level) \(label): \(message)\(pairs)\n".utf8)
  }

  private func json(_ event: LogEvent, _ fields: [(key: String, value: Logger.MetadataValue)], _ nowMs: Int64) -> [UInt8] {
    var writer = JSONWriter(capacity: 256)
    writer.beginObject()
    writer.member("time", TimestampText.rfc3339(milliseconds: nowMs))
    writer.member("level", event.level.rawValue)
    writer.member("logger", label)
    writer.member("message", "\(event.message)")
    for field in fields {
      writer.key(field.key)
      writer.string("\(field.value)")
    }
    writer.endObject()
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  private static func quoted(_ text: String) -> String {
    text.contains { $0.isWhitespace || $0 == "\"" } ? "\"" + oneLine(text).split(separator: "\"").joined(separator: "'") + "\"" : text
  }

  // What comes from outside must not be able to forge a line.
  private static func oneLine(_ text: String) -> String {
    String(text.map { $0.isNewline ? " " : $0 })
  }
}
