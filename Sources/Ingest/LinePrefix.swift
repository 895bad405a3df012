// SPDX-License-Identifier: Apache-2.0

// What stands before a record in a line: the runtime's time and stream (CRI), the container's name (`docker compose`),
// and what loggers print before a message: time, level, their name. Nothing is guessed: a prefix counts only where a
// record follows it to the end of the line, which the caller finds out.

import JSON

/// The known parts at the beginning of a line.
struct LinePrefix {
  /// Where the record begins.
  private(set) var end: Int
  /// The last time with a zone among the parts.
  private(set) var timestampMs: Int64?

  /// Parts beyond this many are no prefix that any logger writes.
  private static let partsMax = 8
  /// Longest name of a container or logger, longest bracket.
  private static let nameBytesMax = 64
  private static let levels = WordTable([
    "trace", "silly", "verbose", "debug", "http", "info", "log", "notice", "warn", "warning", "error", "err", "fatal",
    "critical", "crit",
  ])

  /// Nil where the line begins with none of them.
  init?(_ line: Span<UInt8>) {
    end = 0
    skipSpaces(line)
    let start = end
    _ = takeContainerName(line)
    var hasPart = false
    for _ in 0..<LinePrefix.partsMax {
      let before = end
      if takeTime(line) || takeBracket(line) {
        hasPart = true
        guard takeStream(line) else { return nil }
      } else if !takeLevel(line), !takeProcess(line), !(hasPart && takeName(line)) {
        break
      }
      takeSeparators(line)
      if end == before { break }
    }
    guard end > start else { return nil }
  }

  // MARK: Colours

  /// Whether a line holds an escape character.
  @inline(__always)
  static func hasEscape(_ line: Span<UInt8>) -> Bool {
    var index = 0
    while let (low, high) = Word.pair(line, index) {
      if Word.marks(0x1b, in: low) | Word.marks(0x1b, in: high) != 0 { return true }
      index &+= 16
    }
    while index < line.count {
      if line[index] == 0x1b { return true }
      index &+= 1
    }
    return false
  }

  /// Appends a line without its escape sequences (ECMA-48, section 5.4: `ESC [`, parameters, a final byte from `@` on).
  static func removeEscapes(_ line: Span<UInt8>, into text: inout [UInt8]) {
    var index = 0
    while index < line.count {
      guard line[index] == 0x1b else {
        text.append(line[index])
        index += 1
        continue
      }
      index += 1
      guard index < line.count, line[index] == UInt8(ascii: "[") else { continue }
      index += 1
      while index < line.count, line[index] >= 0x20, line[index] < 0x40 { index += 1 }
      if index < line.count { index += 1 }
    }
  }

  // MARK: Parts

  /// `api-1  | `, as `docker compose logs` writes it.
  private mutating func takeContainerName(_ line: Span<UInt8>) -> Bool {
    var index = nameEnd(line, from: end)
    guard index > end else { return false }
    while index < line.count, line[index] == 0x20 { index += 1 }
    guard index < line.count, line[index] == UInt8(ascii: "|") else { return false }
    end = index + 1
    skipSpaces(line)
    return true
  }

  /// A date with a time, or a time alone. With a zone it is the time of the record.
  private mutating func takeTime(_ line: Span<UInt8>) -> Bool {
    guard let stop = LinePrefix.timeEnd(line, from: end, to: line.count) else { return false }
    guard stop == line.count || line[stop] <= 0x20 || line[stop] == UInt8(ascii: ":") else { return false }
    timestampMs = EventTime.ms(rfc3339: line, end, stop) ?? timestampMs
    end = stop
    return true
  }

  /// The end of `2026-11-21T10:00:00.123Z`, `2026-11-21 10:00:00,123`, `10:00:00.123`.
  private static func timeEnd(_ line: Span<UInt8>, from start: Int, to limit: Int) -> Int? {
    var index = start
    if isPattern("dddd-dd-dd", line, index) || isPattern("dddd/dd/dd", line, index) {
      index += 10
      guard index < limit, line[index] == 0x20 || line[index] | 0x20 == UInt8(ascii: "t") else { return nil }
      index += 1
    }
    guard isPattern("dd:dd:dd", line, index) else { return nil }
    index += 8
    // Fraction and zone.
    while index < limit, line[index] &- 0x30 <= 9 || ".,+-Zz:".utf8.contains(line[index]) {
      // A colon ends the time unless it stands within a zone.
      if line[index] == UInt8(ascii: ":"), index + 1 >= limit || line[index + 1] &- 0x30 > 9 { break }
      index += 1
    }
    return index
  }

  /// A level or a time in brackets: `[info]`, `[2026-11-21T10:00:00Z]`.
  private mutating func takeBracket(_ line: Span<UInt8>) -> Bool {
    guard end < line.count, line[end] == UInt8(ascii: "[") else { return false }
    var close = end + 1
    while close < line.count, close - end <= LinePrefix.nameBytesMax, line[close] != UInt8(ascii: "]") { close += 1 }
    guard close < line.count, line[close] == UInt8(ascii: "]") else { return false }
    if LinePrefix.timeEnd(line, from: end + 1, to: close) == close {
      timestampMs = EventTime.ms(rfc3339: line, end + 1, close) ?? timestampMs
    } else if !LinePrefix.isLevel(line, end + 1, close) {
      return false
    }
    end = close + 1
    return true
  }

  /// ` stdout F ` behind a time. False for a part of a line, which is no record (kubernetes: CRI container logging).
  private mutating func takeStream(_ line: Span<UInt8>) -> Bool {
    for stream in ["stdout", "stderr"] where isAt(stream, line, end + 1) {
      let tag = end + 1 + stream.utf8.count
      guard tag + 2 < line.count, line[tag] == 0x20 else { return true }
      if line[tag + 1] == UInt8(ascii: "P") { return false }
      if line[tag + 1] == UInt8(ascii: "F") { end = tag + 2 }
    }
    return true
  }

  /// `INFO`, `info:`, and Python's `INFO:root:`.
  private mutating func takeLevel(_ line: Span<UInt8>) -> Bool {
    var stop = end
    while stop < line.count, line[stop] | 0x20 &- 0x61 < 26 { stop += 1 }
    guard LinePrefix.isLevel(line, end, stop) else { return false }
    guard stop < line.count, line[stop] == 0x20 || line[stop] == UInt8(ascii: ":") else { return false }
    if line[stop] == UInt8(ascii: ":"), stop + 1 < line.count, line[stop + 1] > 0x20 {
      let name = nameEnd(line, from: stop + 1)
      if name > stop + 1, name < line.count, line[name] == UInt8(ascii: ":") { stop = name }
    }
    end = stop
    return true
  }

  /// `(4711)`, as pino's printer writes it.
  private mutating func takeProcess(_ line: Span<UInt8>) -> Bool {
    guard end < line.count, line[end] == UInt8(ascii: "(") else { return false }
    var stop = end + 1
    while stop < line.count, line[stop] &- 0x30 <= 9 { stop += 1 }
    guard stop > end + 1, stop < line.count, line[stop] == UInt8(ascii: ")") else { return false }
    end = stop + 1
    return true
  }

  /// The name of a logger between dashes: `app.cache - `.
  private mutating func takeName(_ line: Span<UInt8>) -> Bool {
    let stop = nameEnd(line, from: end)
    guard stop > end, isAt(" - ", line, stop) else { return false }
    end = stop
    return true
  }

  private mutating func takeSeparators(_ line: Span<UInt8>) {
    skipSpaces(line)
    while end < line.count {
      let byte = line[end]
      let isLast = end + 1 == line.count || line[end + 1] <= 0x20
      guard byte == UInt8(ascii: ":") || isLast && (byte == UInt8(ascii: "-") || byte == UInt8(ascii: "|")) else { return }
      end += 1
      skipSpaces(line)
    }
  }

  private mutating func skipSpaces(_ line: Span<UInt8>) {
    while end < line.count, line[end] <= 0x20 { end += 1 }
  }

  // MARK: Bytes

  private static func isLevel(_ line: Span<UInt8>, _ start: Int, _ stop: Int) -> Bool {
    let count = stop - start
    guard count >= 3, count <= 8 else { return false }
    var word: [8 of UInt8] = .init(repeating: 0)
    for index in 0..<count { word[index] = line[start + index] | 0x20 }
    return levels.index(word.span, 0, count) != nil
  }

  private func nameEnd(_ line: Span<UInt8>, from start: Int) -> Int {
    var index = start
    while index < line.count, index - start < LinePrefix.nameBytesMax {
      let byte = line[index]
      guard byte | 0x20 &- 0x61 < 26 || byte &- 0x30 <= 9 || "._-/".utf8.contains(byte) else { break }
      index += 1
    }
    return index
  }

  private func isAt(_ text: String, _ line: Span<UInt8>, _ start: Int) -> Bool {
    LinePrefix.matches(text, line, start) { $0 == $1 }
  }

  /// `d` stands for a digit.
  private static func isPattern(_ pattern: StaticString, _ line: Span<UInt8>, _ start: Int) -> Bool {
    matches(pattern.description, line, start) { $0 == UInt8(ascii: "d") ? $1 &- 0x30 <= 9 : $0 == $1 }
  }

  private static func matches(
    _ text: String, _ line: Span<UInt8>, _ start: Int, _ isEqual: (UInt8, UInt8) -> Bool
  ) -> Bool {
    guard start >= 0, start + text.utf8.count <= line.count else { return false }
    var index = start
    for byte in text.utf8 {
      guard isEqual(byte, line[index]) else { return false }
      index += 1
    }
    return true
  }
}
