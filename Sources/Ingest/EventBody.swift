// SPDX-License-Identifier: Apache-2.0

// Where records begin and end in a body: lines, or JSON documents that do not keep to lines. What a record says is not
// known here.

import JSON

/// How a body is cut into records.
enum EventBody {
  enum Framing {
    /// A record a line: NDJSON, several objects in one line, plain text.
    case lines
    /// An array, or objects spread over lines, one after the other.
    case documents
  }

  /// The first byte after a byte order mark.
  static func start(_ body: Span<UInt8>) -> Int {
    body.count >= 3 && body[0] == 0xef && body[1] == 0xbb && body[2] == 0xbf ? 3 : 0
  }

  /// Told by the first bytes; only a first line that ends inside an object is looked beyond.
  static func framing(_ body: Span<UInt8>, from start: Int) -> Framing {
    var cursor = JSONCursor(at: start)
    cursor.skipWhitespace(body)
    guard cursor.position < body.count else { return .lines }
    if isArray(body, at: cursor.position) { return .documents }
    guard body[cursor.position] == UInt8(ascii: "{") else { return .lines }
    let line = body.extracting(cursor.position..<lineEnd(body, from: cursor.position))
    var lineCursor = JSONCursor()
    do throws(JSONFault) {
      try lineCursor.skipValue(line)
      return .lines
    } catch {
      guard error == .unexpectedEnd, (try? cursor.skipValue(body)) != nil else { return .lines }
      return .documents
    }
  }

  /// Whether a bracket opens a JSON array of records, and not a line such as `[CACHE] HIT key`.
  static func isArray(_ bytes: Span<UInt8>, at start: Int) -> Bool {
    guard start < bytes.count, bytes[start] == UInt8(ascii: "[") else { return false }
    var cursor = JSONCursor(at: start + 1)
    guard let byte = try? cursor.peek(bytes) else { return false }
    if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "]") || byte == UInt8(ascii: "\"") { return true }
    // `[2026-11-21T10:00:00Z] …` and `[notice] …` begin like arrays of other things; those are arrays to their end.
    guard byte == UInt8(ascii: "[") || byte == UInt8(ascii: "-") || byte &- 0x30 <= 9 || "ntf".utf8.contains(byte) else {
      return false
    }
    cursor.position = start
    return (try? cursor.skipValue(bytes)) != nil
  }

  /// The index of the next line feed, or the end.
  @inline(__always)
  static func lineEnd(_ bytes: Span<UInt8>, from start: Int) -> Int {
    var index = start
    // Thirty-two bytes a step; the first step that finds something is looked at again.
    while let (first, second) = Word.pair(bytes, index), let (third, fourth) = Word.pair(bytes, index &+ 16) {
      let firstMarks = Word.marks(0x0a, in: first) | Word.marks(0x0a, in: second)
      if firstMarks | Word.marks(0x0a, in: third) | Word.marks(0x0a, in: fourth) != 0 { break }
      index &+= 32
    }
    while let (low, high) = Word.pair(bytes, index) {
      let lowMarks = Word.marks(0x0a, in: low)
      let highMarks = Word.marks(0x0a, in: high)
      if lowMarks | highMarks != 0 {
        let isLow = lowMarks != 0
        return index &+ (isLow ? lowMarks : highMarks).trailingZeroBitCount &>> 3 &+ (isLow ? 0 : 8)
      }
      index &+= 16
    }
    while index < bytes.count, bytes[index] != 0x0a { index += 1 }
    return index
  }

  static func lineFeeds(in bytes: Span<UInt8>) -> Int {
    var count = 0
    var index = 0
    var (ones, steps) = (UInt64(0), 0)
    while let (low, high) = Word.pair(bytes, index) {
      ones &+= Word.ones(0x0a, in: low) &+ Word.ones(0x0a, in: high)
      index &+= 16
      steps &+= 1
      if steps == 127 {
        count &+= Word.sum(ones)
        (ones, steps) = (0, 0)
      }
    }
    count &+= Word.sum(ones)
    while index < bytes.count {
      if bytes[index] == 0x0a { count += 1 }
      index += 1
    }
    return count
  }

  /// Where reading goes on after a document that broke: the next line that begins one, or the end.
  static func nextDocument(_ bytes: Span<UInt8>, after start: Int) -> Int {
    var index = lineEnd(bytes, from: start)
    while index < bytes.count {
      let next = index + 1
      if next < bytes.count, bytes[next] == UInt8(ascii: "{") || isArray(bytes, at: next) { return next }
      index = lineEnd(bytes, from: next)
    }
    return bytes.count
  }
}
