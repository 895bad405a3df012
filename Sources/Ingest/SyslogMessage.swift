// SPDX-License-Identifier: Apache-2.0

// What syslog puts before a message: RFC 5424's header with its structured data, or RFC 3164's, which every program
// writes a little differently. The message behind it is a line like any other.

import JSON

/// Where the message of a syslog line begins, and its time.
package struct SyslogHeader: Sendable, Equatable {
  package var messageStart = 0
  package var timestampMs: Int64?

  /// - Parameters:
  ///   - zoneOffsetMs: of local time from UTC, for RFC 3164, whose times are local and say no zone.
  ///   - receivedAtMs: RFC 3164's times say no year either: the one that makes them nearest to this.
  package init(_ line: Span<UInt8>, zoneOffsetMs: Int64, receivedAtMs: Int64) {
    var reader = HeaderReader(position: 0)
    guard reader.priority(line) else { return }
    messageStart = reader.position
    if reader.word(line, is: "1") {
      readNew(line, &reader)
    } else {
      readOld(line, &reader, zoneOffsetMs: zoneOffsetMs, receivedAtMs: receivedAtMs)
    }
    if reader.take(line, "@cee:") { messageStart = reader.skipSpaces(line) }
  }

  /// RFC 5424: TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA [MSG].
  private mutating func readNew(_ line: Span<UInt8>, _ reader: inout HeaderReader) {
    let time = reader.nextWord(line)
    timestampMs = EventTime.ms(rfc3339: line, time.lowerBound, time.upperBound)
    for _ in 0..<4 { _ = reader.nextWord(line) }
    reader.structuredData(line)
    _ = reader.take(line, "\u{feff}")
    messageStart = reader.skipSpaces(line)
  }

  /// RFC 3164: TIMESTAMP HOSTNAME TAG: MSG. The host, and the tag, may be missing.
  private mutating func readOld(
    _ line: Span<UInt8>, _ reader: inout HeaderReader, zoneOffsetMs: Int64, receivedAtMs: Int64
  ) {
    let start = reader.position
    let word = reader.nextWord(line)
    if let time = EventTime.ms(rfc3339: line, word.lowerBound, word.upperBound) {
      timestampMs = time
    } else {
      reader.position = start
      guard let time = reader.oldTime(line, zoneOffsetMs: zoneOffsetMs, receivedAtMs: receivedAtMs) else {
        // What has a priority and no time is a message.
        reader.position = start
        return
      }
      timestampMs = time
    }
    messageStart = reader.skipSpaces(line)
    if !reader.tag(line) {
      _ = reader.nextWord(line)
      _ = reader.tag(line)
    }
    messageStart = reader.skipSpaces(line)
  }
}

/// Walks over a header.
private struct HeaderReader {
  var position: Int

  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    .map { Array($0.utf8) }
  /// Longest tag that is taken for one (RFC 3164 has 32, programs have paths).
  private static let tagBytesMax = 128

  /// `<0>` to `<191>`.
  mutating func priority(_ line: Span<UInt8>) -> Bool {
    guard position < line.count, line[position] == UInt8(ascii: "<") else { return false }
    var index = position + 1
    while index < line.count, index <= position + 3, line[index] &- 0x30 <= 9 { index += 1 }
    guard index > position + 1, index < line.count, line[index] == UInt8(ascii: ">") else { return false }
    position = index + 1
    return true
  }

  /// Moves past a word and the space behind it where it is this one.
  mutating func word(_ line: Span<UInt8>, is expected: String) -> Bool {
    let start = position
    let range = nextWord(line)
    let isIt = range.count == expected.utf8.count && zip(range, expected.utf8).allSatisfy { line[$0] == $1 }
    if !isIt { position = start }
    return isIt
  }

  /// Up to the next space or the end; moves past the space.
  mutating func nextWord(_ line: Span<UInt8>) -> Range<Int> {
    let start = position
    while position < line.count, line[position] != 0x20 { position += 1 }
    let range = start..<position
    if position < line.count { position += 1 }
    return range
  }

  mutating func skipSpaces(_ line: Span<UInt8>) -> Int {
    while position < line.count, line[position] == 0x20 { position += 1 }
    return position
  }

  mutating func take(_ line: Span<UInt8>, _ text: String) -> Bool {
    guard line.count - position >= text.utf8.count else { return false }
    for (offset, byte) in text.utf8.enumerated() where line[position + offset] != byte { return false }
    position += text.utf8.count
    return true
  }

  /// `-`, or elements in brackets, whose quoted values may hold brackets.
  mutating func structuredData(_ line: Span<UInt8>) {
    if position < line.count, line[position] == UInt8(ascii: "-") {
      _ = nextWord(line)
      return
    }
    while position < line.count, line[position] == UInt8(ascii: "[") {
      var index = position + 1
      var isQuoted = false
      while index < line.count, isQuoted || line[index] != UInt8(ascii: "]") {
        if line[index] == UInt8(ascii: "\""), line[index - 1] != UInt8(ascii: "\\") { isQuoted.toggle() }
        index += 1
      }
      // An element without its end is no structured data.
      guard index < line.count else { return }
      position = index + 1
    }
    if position < line.count, line[position] == 0x20 { position += 1 }
  }

  /// `Nov  1 10:00:00`, perhaps with a fraction.
  mutating func oldTime(_ line: Span<UInt8>, zoneOffsetMs: Int64, receivedAtMs: Int64) -> Int64? {
    guard line.count - position >= 15,
      let month = HeaderReader.months.firstIndex(where: { name in (0..<3).allSatisfy { line[position + $0] == name[$0] } })
    else { return nil }
    func number(_ offset: Int) -> Int? {
      let (high, low) = (line[position + offset], line[position + offset + 1] &- 0x30)
      guard low <= 9, high == 0x20 || high &- 0x30 <= 9 else { return nil }
      return (high == 0x20 ? 0 : Int(high - 0x30) * 10) + Int(low)
    }
    guard let day = number(4), (1...31).contains(day), let hour = number(7), hour < 24, let minute = number(10),
      minute < 60, let second = number(13), second <= 60, line[position + 3] == 0x20, line[position + 6] == 0x20,
      line[position + 9] == UInt8(ascii: ":"), line[position + 12] == UInt8(ascii: ":")
    else { return nil }
    position += 15
    while position < line.count, line[position] != 0x20, line[position] != UInt8(ascii: ":") { position += 1 }
    let yearMs: Int64 = 365 * 86_400_000
    let year = 1970 + receivedAtMs / yearMs
    let inDayMs = Int64((hour * 60 + minute) * 60 + second) * 1000 - zoneOffsetMs
    let times = (year - 1...year + 1).map { EventTime.daysSince1970(Int($0), month + 1, day) * 86_400_000 + inDayMs }
    return times.min { abs($0 - receivedAtMs) < abs($1 - receivedAtMs) }
  }

  /// A program's name, perhaps with its process in brackets, and a colon.
  mutating func tag(_ line: Span<UInt8>) -> Bool {
    var index = position
    var isName = true
    while index < line.count, index - position <= HeaderReader.tagBytesMax, line[index] != 0x20 {
      let byte = line[index]
      if byte == UInt8(ascii: "["), index > position { isName = false }
      if byte == UInt8(ascii: ":"), index > position, isName || line[index - 1] == UInt8(ascii: "]") {
        // `user:5` is a key, and no tag with a message right behind it.
        guard index + 1 == line.count || line[index + 1] == 0x20 else { return false }
        position = index + 1
        return true
      }
      // A message that begins with a bracket, a brace or a quote has no tag.
      if index == position, byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "\"") { return false }
      index += 1
    }
    return false
  }
}

extension EventDecoder {
  /// Counts the events of syslog messages, each with its header.
  package func decode(
    syslog messages: SyslogMessages, from origin: EventOrigin, zoneOffsetMs: Int64, receivedAtMs: Int64
  ) -> DecodedBatch {
    read(receivedAtMs: receivedAtMs) { reading in
      reading.labels.setSource(service: origin.service, cache: origin.cache)
      for (index, range) in messages.ranges.enumerated() {
        let whole = messages.bytes.span.extracting(range)
        let message = whole.extracting(BodyReading.trimmed(whole))
        guard message.count > 0 else { continue }
        reading.readSyslog(message, zoneOffsetMs: zoneOffsetMs, receivedAtMs: receivedAtMs, number: index + 1)
      }
    }
  }
}

extension BodyReading {
  /// What is kept of a rejected one is without its header: whose time, in the year and zone of now, is kept beside it.
  fileprivate mutating func readSyslog(
    _ message: Span<UInt8>, zoneOffsetMs: Int64, receivedAtMs: Int64, number: Int
  ) {
    let header = SyslogHeader(message, zoneOffsetMs: zoneOffsetMs, receivedAtMs: receivedAtMs)
    let text = message.extracting(header.messageStart..<message.count)
    var context = RecordContext()
    context.timestampMs = header.timestampMs
    // Of one that was too long the rest is not here.
    guard message.count <= settings.lineBytesMax else {
      return note(rejected(EventFault(.tooLong), message, place: ""), message, context, number: number)
    }
    note(text.count > 0 ? settleEntry(text, context) : .ignored, text, context, number: number)
  }

  /// Without white space and NULs around it. An escape begins a colour.
  fileprivate static func trimmed(_ text: Span<UInt8>) -> Range<Int> {
    var (start, end) = (0, text.count)
    while start < end, text[start] <= 0x20, text[start] != 0x1b { start += 1 }
    while start < end, text[end - 1] <= 0x20 { end -= 1 }
    return start..<end
  }
}
