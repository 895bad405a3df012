// SPDX-License-Identifier: Apache-2.0

// Going through a body record by record, in lines or in documents. Each record becomes exactly one outcome.

import JSON

extension BodyReading {
  mutating func readLines(_ body: Span<UInt8>, from start: Int) {
    var lineStart = start
    var number = 0
    while lineStart < body.count {
      let lineEnd = EventBody.lineEnd(body, from: lineStart)
      number += 1
      readLine(body, lineStart, lineEnd, number)
      lineStart = lineEnd + 1
    }
  }

  @inline(__always)
  private mutating func readLine(_ body: Span<UInt8>, _ lineStart: Int, _ lineEnd: Int, _ number: Int) {
    var start = lineStart
    var end = lineEnd
    // An escape begins a colour, which is taken off with its other bytes.
    while start < end, body[start] <= 0x20, body[start] != 0x1b { start += 1 }
    while start < end, body[end - 1] <= 0x20 { end -= 1 }
    guard start < end else { return }
    guard lineEnd - lineStart <= settings.lineBytesMax else {
      note(rejected(EventFault(.tooLong), body, place: ""), body, start, end, number: number)
      return
    }
    if readPlainLine(body, start, end, number) { return }
    let line = body.extracting(start..<end)
    if line[0] == UInt8(ascii: "{") {
      readObjects(line, number, leading: start - lineStart)
    } else if EventBody.isArray(line, at: 0) {
      var cursor = JSONCursor()
      readArray(line, &cursor, line: number)
      refuseRest(line, cursor.position, number)
    } else {
      note(settleLine(line, RecordContext(), level: 0), line, 0, line.count, number: number)
    }
  }

  /// A line that is one object, read together with the first bytes of the next one, so that its last values are read by
  /// words as well. What follows the object's brace cannot change what it says.
  ///
  /// - Returns: false for a line that is anything else, broken ones included; it is then read without the bytes behind it.
  @inline(__always)
  private mutating func readPlainLine(_ body: Span<UInt8>, _ start: Int, _ end: Int, _ number: Int) -> Bool {
    guard body[start] == UInt8(ascii: "{") else { return false }
    // Two pairs of words: a number takes one pair at its start and one behind its point.
    let line = body.extracting(start..<min(end &+ 32, body.count))
    var cursor = JSONCursor()
    do throws(JSONFault) { try reader.readObject(line, &cursor) } catch { return false }
    guard cursor.position == end &- start else { return false }
    note(settleObject(line), line, 0, cursor.position, number: number)
    return true
  }

  /// One object or several without line ends between them.
  @inline(never)
  private mutating func readObjects(_ line: Span<UInt8>, _ number: Int, leading: Int) {
    var cursor = JSONCursor()
    var start = 0
    repeat {
      do throws(JSONFault) {
        try reader.readObject(line, &cursor)
        let end = cursor.position
        cursor.skipWhitespace(line)
        // What follows decides first: an object with garbage behind it is no line that anybody meant.
        guard cursor.position == line.count || line[cursor.position] == UInt8(ascii: "{") else {
          throw .trailingBytes
        }
        note(settleObject(line), line, start, end, number: number)
      } catch {
        let fault = EventFault(.json(error), at: cursor.position)
        let place = "column \(leading + cursor.position + 1)"
        note(rejected(fault, line, place: place), line, start, line.count, number: number)
        return
      }
      start = cursor.position
    } while start < line.count
  }

  /// Arrays, and objects spread over lines.
  mutating func readDocuments(_ body: Span<UInt8>, from start: Int) {
    var cursor = JSONCursor(at: start)
    var number = 0
    while true {
      cursor.skipWhitespace(body)
      guard cursor.position < body.count else { return }
      if body[cursor.position] == UInt8(ascii: "[") {
        readArray(body, &cursor, line: nil)
      } else {
        number += 1
        readDocument(body, &cursor, number)
      }
    }
  }

  private mutating func readDocument(_ body: Span<UInt8>, _ cursor: inout JSONCursor, _ number: Int) {
    let start = cursor.position
    do throws(JSONFault) {
      try reader.readObject(body, &cursor)
      note(settleSized(body, start, cursor.position), body, start, cursor.position, number: number)
    } catch {
      let outcome = rejected(EventFault(.json(error), at: cursor.position), body, place: "byte \(cursor.position + 1)")
      cursor.position = EventBody.nextDocument(body, after: cursor.position)
      note(outcome, body, start, cursor.position, number: number)
    }
  }

  /// An array of events, log records or texts. Where it breaks, its rest is one rejected record.
  ///
  /// - Parameter line: the number to report where the array is one line of several; its index for each element else.
  private mutating func readArray(_ bytes: Span<UInt8>, _ cursor: inout JSONCursor, line: Int?) {
    var number = 0
    var start = cursor.position
    do throws(JSONFault) {
      try cursor.expect(UInt8(ascii: "["), bytes)
      if try cursor.peek(bytes) == UInt8(ascii: "]") {
        cursor.position += 1
        return
      }
      while true {
        number += 1
        start = cursor.position
        let isLast = try readElement(bytes, &cursor, number: line ?? number)
        if isLast { return }
      }
    } catch {
      let place = "\(line == nil ? "byte" : "column") \(cursor.position + 1)"
      let outcome = rejected(EventFault(.json(error), at: cursor.position), bytes, place: place)
      note(outcome, bytes, start, bytes.count, number: line ?? max(number, 1))
      cursor.position = bytes.count
    }
  }

  /// Reads one element and the comma or bracket behind it.
  ///
  /// - Returns: whether it was the last one.
  private mutating func readElement(
    _ bytes: Span<UInt8>, _ cursor: inout JSONCursor, number: Int
  ) throws(JSONFault) -> Bool {
    let first = try cursor.peek(bytes)
    let start = cursor.position
    var text: JSONString?
    switch first {
    case UInt8(ascii: "{"): try reader.readObject(bytes, &cursor)
    case UInt8(ascii: "\""): text = try cursor.string(bytes)
    default: try cursor.skipValue(bytes)
    }
    let end = cursor.position
    let isLast = try cursor.peek(bytes) == UInt8(ascii: "]")
    if !isLast { try cursor.expect(UInt8(ascii: ","), bytes) } else { cursor.position += 1 }
    let outcome: RecordOutcome =
      if first == UInt8(ascii: "{") {
        settleSized(bytes, start, end)
      } else if let text, text.count <= settings.lineBytesMax {
        settleText(text, bytes, RecordContext(), level: 0)
      } else {
        .ignored
      }
    note(outcome, bytes, start, end, number: number)
    return isLast
  }

  private mutating func settleSized(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> RecordOutcome {
    end - start <= settings.lineBytesMax ? settleObject(bytes) : rejected(EventFault(.tooLong), bytes, place: "")
  }

  private mutating func refuseRest(_ line: Span<UInt8>, _ start: Int, _ number: Int) {
    guard start < line.count else { return }
    let fault = EventFault(.json(.trailingBytes), at: start)
    note(rejected(fault, line, place: "column \(start + 1)"), line, start, line.count, number: number)
  }
}
