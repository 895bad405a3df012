// SPDX-License-Identifier: Apache-2.0

// What a text holds: a JSON event, a log record around another text, or a plain line, perhaps behind what a logger or a
// container's runtime puts before it.

import JSON

extension BodyReading {
  /// A string that may be a JSON event, a log record, or one of the plain lines.
  mutating func settleText(_ text: JSONString, _ bytes: Span<UInt8>, _ context: RecordContext, level: Int)
    -> RecordOutcome
  {
    // Without escapes the text is its own bytes.
    guard text.hasEscapes else { return settleText(bytes.extracting(text.start..<text.end), context, level: level) }
    // Taken out while its bytes are borrowed, put back for the next record.
    var buffer: [UInt8] = []
    swap(&buffer, &texts[level])
    defer { swap(&buffer, &texts[level]) }
    buffer.removeAll(keepingCapacity: true)
    JSONCursor.append(text, of: bytes, to: &buffer)
    return settleText(buffer.span, context, level: level)
  }

  mutating func settleText(_ inner: Span<UInt8>, _ context: RecordContext, level: Int) -> RecordOutcome {
    var cursor = JSONCursor()
    cursor.skipWhitespace(inner)
    guard cursor.position < inner.count, inner[cursor.position] == UInt8(ascii: "{") else {
      return settleLine(inner, context, level: level)
    }
    // A text that begins with a brace need not be JSON; then it is no event.
    guard (try? reader.readObject(inner, &cursor)) != nil else { return .ignored }
    cursor.skipWhitespace(inner)
    guard cursor.position == inner.count else { return .ignored }
    return settleObject(inner, context, level: level + 1)
  }

  /// A text without its escapes, in the buffer for entries; to be put back for the next one.
  mutating func takeEntry(_ text: JSONString, _ bytes: Span<UInt8>) -> [UInt8] {
    var buffer: [UInt8] = []
    swap(&buffer, &entry)
    buffer.removeAll(keepingCapacity: true)
    JSONCursor.append(text, of: bytes, to: &buffer)
    return buffer
  }

  /// A text that a protocol hands over as a record of its own: what a line is in a body of lines.
  mutating func settleEntry(_ entry: Span<UInt8>, _ context: RecordContext) -> RecordOutcome {
    guard entry.count <= settings.lineBytesMax else { return rejected(EventFault(.tooLong), entry, place: "") }
    var cursor = JSONCursor()
    cursor.skipWhitespace(entry)
    guard BodyReading.beginsObject(entry, at: cursor.position) else { return settleLine(entry, context, level: 0) }
    do throws(JSONFault) {
      try reader.readObject(entry, &cursor)
      cursor.skipWhitespace(entry)
      guard cursor.position == entry.count else { throw .trailingBytes }
      return settleObject(entry, context)
    } catch {
      return rejected(EventFault(.json(error), at: cursor.position), entry, place: "column \(cursor.position + 1)")
    }
  }

  /// A brace with a quote or another brace behind it; others begin what programs print of their own structures.
  private static func beginsObject(_ text: Span<UInt8>, at start: Int) -> Bool {
    guard start < text.count, text[start] == UInt8(ascii: "{") else { return false }
    var cursor = JSONCursor(at: start + 1)
    guard let next = try? cursor.peek(text) else { return true }
    return next == UInt8(ascii: "\"") || next == UInt8(ascii: "}")
  }

  /// A plain text line, or a record behind what a log's writer or a container's runtime puts before it.
  mutating func settleLine(_ line: Span<UInt8>, _ context: RecordContext, level: Int) -> RecordOutcome {
    if LinePrefix.hasEscape(line) { return settleColoured(line, context, level: level) }
    if let outcome = settlePlain(line, context) { return outcome }
    guard let prefix = LinePrefix(line) else { return .ignored }
    var context = context
    context.timestampMs = prefix.timestampMs ?? context.timestampMs
    let rest = line.extracting(prefix.end..<line.count)
    guard level < BodyReading.nestingMax, rest.count > 0, rest[0] == UInt8(ascii: "{") else {
      return settlePlain(rest, context) ?? .ignored
    }
    return settleText(rest, context, level: level)
  }

  /// Colours are taken out of a copy.
  @inline(never)
  private mutating func settleColoured(_ line: Span<UInt8>, _ context: RecordContext, level: Int) -> RecordOutcome {
    var buffer: [UInt8] = []
    swap(&buffer, &uncoloured[level])
    defer { swap(&buffer, &uncoloured[level]) }
    buffer.removeAll(keepingCapacity: true)
    LinePrefix.removeEscapes(line, into: &buffer)
    return settleText(buffer.span, context, level: level)
  }

  /// Nil where no format fits.
  private mutating func settlePlain(_ line: Span<UInt8>, _ context: RecordContext) -> RecordOutcome? {
    var event = CacheEvent()
    guard lineFormats.read(&event, line) else { return nil }
    do throws(EventFault) {
      try count(&event, line, context, EventOwner(userHash: context.userHash))
      return .accepted
    } catch {
      return rejected(error, line, place: "")
    }
  }
}
