// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import Ingest
internal import JSON
internal import Platform
internal import Storage

// Going through the log of recent events, newest first, until enough is found, the answer is long enough, or time is up.
// Memory holds some rows, the events of one and the answer, whatever the size of the log.

struct RecentEventSearch: Sendable {
  /// A place in the log: before an event of a row, by its number within the row.
  struct Cursor: Sendable {
    var row: Int64
    var number: Int

    static let end = Cursor(row: .max, number: .max)

    /// `ROW-NUMBER`.
    init?(_ text: String) {
      let parts = text.split(separator: "-", omittingEmptySubsequences: false)
      guard parts.count == 2, let row = Int64(parts[0]), let number = Int(parts[1]), row >= 0, number >= 0 else { return nil }
      self.init(row: row, number: number)
    }

    init(row: Int64, number: Int) {
      self.row = row
      self.number = number
    }

    var text: String { "\(row)-\(number)" }
  }

  private static let deadlineMs: Int64 = 2_000
  private static let rowBytesMax = 1 << 20
  private static let answerBytesMax = 4 << 20

  let filter: RecentEventFilter
  let limit: Int

  /// - Returns: the answer as JSON.
  func run(in store: Store, before cursor: Cursor) throws -> [UInt8] {
    var writer = JSONWriter(capacity: 4096)
    writer.beginObject()
    writer.key("events")
    writer.beginArray()
    let next = try search(store, before: cursor, &writer)
    writer.endArray()
    writer.key("next_before")
    if let next { writer.string(next.text) } else { writer.null() }
    let total = try store.recentEventTotal()
    writer.key("sample_rate")
    if total.sampledOf > 0 { writer.number(Double(total.sampled) / Double(total.sampledOf)) } else { writer.null() }
    writer.key("oldest")
    if let oldestMs = try store.oldestRecentEventMs() {
      writer.string(TimestampText.rfc3339(milliseconds: oldestMs))
    } else {
      writer.null()
    }
    writer.endObject()
    return writer.bytes
  }

  /// - Returns: where to go on; nil at the end of the log.
  private func search(_ store: Store, before start: Cursor, _ writer: inout JSONWriter) throws -> Cursor? {
    let deadlineMs = Clock.monotonicMs() + RecentEventSearch.deadlineMs
    var cursor = start
    var count = 0
    while true {
      let rows = try store.recentEvents(through: cursor.row, bytesMax: RecentEventSearch.rowBytesMax)
      guard let oldest = rows.last else { return nil }
      for row in rows {
        if row.id < cursor.row { cursor = Cursor(row: row.id, number: .max) }
        let bytes = try RecentEventBlocks.unpack(row.bytes)
        let starts = try RecentEvent.starts(bytes)
        for number in stride(from: min(cursor.number, starts.count) - 1, through: 0, by: -1) {
          let event = try RecentEvent(bytes, at: starts[number])
          guard filter.matches(event, bytes) else { continue }
          guard count < limit, writer.bytes.count < RecentEventSearch.answerBytesMax else { return cursor }
          RecentEventSearch.write(event, bytes, to: &writer)
          count += 1
          cursor.number = number
        }
      }
      cursor = Cursor(row: oldest.id, number: 0)
      if Clock.monotonicMs() > deadlineMs { return cursor }
      cursor.row -= 1
      cursor.number = .max
    }
  }

  private static func write(_ event: RecentEvent, _ bytes: [UInt8], to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("timestamp", TimestampText.rfc3339(milliseconds: event.timestampMs))
    writer.member("event_type", RecentEvent.typeNames[event.type])
    writer.member("service", String(decoding: bytes[event.service], as: UTF8.self))
    writer.member("cache", String(decoding: bytes[event.cache], as: UTF8.self))
    write("user_id", bytes[event.userID], to: &writer)
    write("correlation_id", bytes[event.correlationID], to: &writer)
    writer.member("sample_rate", 1 / Double(max(event.weight, 1)))
    let record = Array(bytes[event.record])
    if event.isWhole, isObject(record.span) {
      writer.key("event")
      writer.raw(record)
    } else {
      let shown = event.isWhole ? text(record) : record
      writer.key("text")
      writer.string(utf8: shown.span)
      if !event.isWhole { writer.member("truncated", true) }
    }
    writer.endObject()
  }

  private static func write(_ key: StaticString, _ id: ArraySlice<UInt8>, to writer: inout JSONWriter) {
    writer.key(key)
    if id.isEmpty { writer.null() } else { writer.string(utf8: Array(id).span) }
  }

  private static func isObject(_ record: Span<UInt8>) -> Bool {
    var cursor = JSONCursor()
    guard let first = try? cursor.peek(record), first == UInt8(ascii: "{"), (try? cursor.skipValue(record)) != nil else {
      return false
    }
    cursor.skipWhitespace(record)
    return cursor.position == record.count
  }

  /// A text in an array was received with quotes.
  private static func text(_ record: [UInt8]) -> [UInt8] {
    guard record.first == UInt8(ascii: "\"") else { return record }
    var cursor = JSONCursor()
    guard let string = try? cursor.string(record.span), cursor.position == record.count else { return record }
    var text: [UInt8] = []
    JSONCursor.append(string, of: record.span, to: &text)
    return text
  }
}
