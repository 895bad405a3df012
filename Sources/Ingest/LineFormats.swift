// SPDX-License-Identifier: Apache-2.0

// The plain text lines that caches log. A line is matched from its first byte; what does not fit a format to its end is
// no event. All of these are Redis caches, so their tier is L2.

import JSON

/// Reads plain text lines.
struct LineFormats: Sendable {
  private static let tag = Phrase("[CACHE] ")
  private static let hit = Phrase("HIT ")
  private static let miss = Phrase("MISS ")
  private static let delete = Phrase("DELETE ")
  private static let invalidatePattern = Phrase("INVALIDATE pattern ")
  private static let cacheWord = Phrase("Cache ")
  private static let cacheHit = Phrase("hit: ")
  private static let cacheMiss = Phrase("miss: ")
  private static let cacheSet = Phrase("set: ")
  private static let cacheDelete = Phrase("delete: ")
  private static let cacheInvalidated = Phrase("invalidated: programs + ")
  private static let matchCache = Phrase(" match cache")
  private static let invalidated = Phrase("Invalidated ")
  private static let cacheKey = Phrase(" cache key")
  private static let matching = Phrase(" matching ")
  private static let error = Phrase(" error:")
  private static let errorForKey = Phrase(" error for key ")
  private static let errorFor = Phrase(" error for ")
  private static let colonSpace = Phrase(": ")
  private static let open = Phrase(" (")
  private static let timeToLive = Phrase("TTL: ")
  private static let noTimeToLive = Phrase("no TTL)")
  private static let milliseconds = Phrase("ms)")
  private static let keyWord = Phrase(" key")
  private static let space = Phrase(" ")
  private static let colon = Phrase(":")

  /// Reads the event that a line tells of.
  ///
  /// - Parameters:
  ///   - event: a new one; filled in place because returning it from call to call was a third of the time of a line.
  ///   - line: without its line end; white space around it does not matter.
  /// - Returns: false where no format fits.
  func read(_ event: inout CacheEvent, _ line: Span<UInt8>) -> Bool {
    var text = Text(start: 0, end: line.count)
    text.trim(line)
    event.durationMs = LineFormats.takeDuration(from: &text, line)
    event.tier = .l2
    event.isTextLine = true
    if text.take(LineFormats.tag, line) { return LineFormats.tagged(text, line, &event) }
    if text.take(LineFormats.cacheWord, line) { return LineFormats.worded(text, line, &event) }
    if text.take(LineFormats.invalidated, line) { return LineFormats.invalidatedKeys(text, line, &event) }
    return false
  }

  /// After `[CACHE] `.
  private static func tagged(_ rest: Text, _ line: Span<UInt8>, _ event: inout CacheEvent) -> Bool {
    // With the space before it, so that an error without an operation is found as well.
    if failed(Text(start: rest.start - 1, end: rest.end), line, &event) { return true }
    var text = rest
    if text.take(hit, line) { return keyed(.hit, text, line, &event) }
    if text.take(miss, line) { return keyed(.miss, text, line, &event) }
    if text.take(delete, line) { return deleted(text, line, &event) }
    guard text.take(invalidatePattern, line) else { return false }
    var keys: Int64 = 0
    if let bracket = text.last(open, line), let count = count(Text(start: bracket + 2, end: text.end), keyWord, line) {
      keys = count
      text.end = bracket
    }
    return removed(text, keys, line, &event)
  }

  /// After `Cache `.
  private static func worded(_ rest: Text, _ line: Span<UInt8>, _ event: inout CacheEvent) -> Bool {
    var text = rest
    if text.take(cacheHit, line) { return keyed(.hit, text, line, &event) }
    if text.take(cacheMiss, line) { return keyed(.miss, text, line, &event) }
    if text.take(cacheSet, line) { return stored(text, line, &event) }
    if text.take(cacheDelete, line) { return deleted(text, line, &event) }
    if text.take(cacheInvalidated, line) {
      guard let matches = count(text, matchCache, line) else { return false }
      event.kind = .invalidation
      // The list itself is one more.
      event.keys = matches + 1
      event.isProgramsLine = true
      return true
    }
    return failedForKey(text, line, &event) || failed(text, line, &event)
  }

  /// After `Invalidated `: `N cache keys matching PATTERN`.
  private static func invalidatedKeys(_ text: Text, _ line: Span<UInt8>, _ event: inout CacheEvent) -> Bool {
    guard let word = text.first(matching, line), let keys = count(Text(start: text.start, end: word), cacheKey, line)
    else { return false }
    return removed(Text(start: word + matching.count, end: text.end), keys, line, &event)
  }

  private static func keyed(
    _ kind: CacheEvent.Kind, _ text: Text, _ line: Span<UInt8>, _ event: inout CacheEvent
  ) -> Bool {
    var key = text
    key.trim(line)
    guard key.count > 0 else { return false }
    event.kind = kind
    event.key = key.string
    return true
  }

  private static func stored(_ text: Text, _ line: Span<UInt8>, _ event: inout CacheEvent) -> Bool {
    var key = text
    if let bracket = text.last(open, line) {
      var note = Text(start: bracket + 2, end: text.end)
      if note.take(timeToLive, line) || note.take(noTimeToLive, line) { key.end = bracket }
    }
    return keyed(.set, key, line, &event)
  }

  private static func removed(
    _ pattern: Text, _ keys: Int64, _ line: Span<UInt8>, _ event: inout CacheEvent
  ) -> Bool {
    event.keys = keys
    return keyed(.invalidation, pattern, line, &event)
  }

  /// A list of keys with commas.
  private static func deleted(_ text: Text, _ line: Span<UInt8>, _ event: inout CacheEvent) -> Bool {
    var keys: Int64 = 0
    var first: Text?
    var piece = Text(start: text.start, end: text.start)
    for index in text.start...text.end where index == text.end || line[index] == UInt8(ascii: ",") {
      piece.end = index
      piece.trim(line)
      if piece.count > 0 {
        keys += 1
        first = first ?? piece
      }
      piece.start = index + 1
    }
    guard let first else { return false }
    return removed(first, keys, line, &event)
  }

  /// `OPERATION error for key KEY: …` and `OPERATION error for KEY: …`.
  private static func failedForKey(_ text: Text, _ line: Span<UInt8>, _ event: inout CacheEvent) -> Bool {
    var operation = text
    var key = text
    if let place = text.first(errorForKey, line) {
      operation.end = place
      key.start = place + errorForKey.count
    } else if let place = text.first(errorFor, line) {
      operation.end = place
      key.start = place + errorFor.count
    } else {
      return false
    }
    if let colon = key.first(colonSpace, line) {
      key.end = colon
    } else if key.count > 0, line[key.end - 1] == UInt8(ascii: ":") {
      key.end -= 1
    } else {
      return false
    }
    event.kind = .error
    event.detail = operation.string
    event.key = key.string
    return true
  }

  /// `OPERATION error: …`; a last word with a colon in it is the key and no part of the operation.
  private static func failed(_ text: Text, _ line: Span<UInt8>, _ event: inout CacheEvent) -> Bool {
    guard let place = text.first(error, line) else { return false }
    let after = place + error.count
    guard after == text.end || line[after] == 0x20 else { return false }
    event.kind = .error
    var operation = Text(start: text.start, end: place)
    operation.trim(line)
    if let place = operation.last(space, line) {
      let word = Text(start: place + 1, end: operation.end)
      if word.first(colon, line) != nil {
        event.key = word.string
        operation.end = place
      }
    }
    event.detail = operation.string
    return true
  }

  /// A whole number before a given word.
  private static func count(_ text: Text, _ word: Phrase, _ line: Span<UInt8>) -> Int64? {
    var rest = text
    var value: Int64 = 0
    while rest.count > 0, line[rest.start] &- 0x30 <= 9 {
      value = value * 10 + Int64(line[rest.start] & 0x0f)
      rest.start += 1
      guard value <= Int64(EventReader.countMax) else { return nil }
    }
    guard rest.start > text.start, rest.take(word, line) else { return nil }
    return value
  }

  /// Takes a trailing `(3.2ms)` off.
  private static func takeDuration(from text: inout Text, _ line: Span<UInt8>) -> Double? {
    guard text.count > 3, line[text.end - 1] == UInt8(ascii: ")"), let bracket = text.last(open, line)
    else { return nil }
    let number = line.extracting(bracket + 2..<text.end)
    var cursor = JSONCursor()
    guard number.count > 0, number[0] &- 0x30 <= 9, let value = try? cursor.number(number).value,
      value <= EventReader.durationMsMax
    else { return nil }
    if cursor.position < number.count, number[cursor.position] == 0x20 { cursor.position += 1 }
    var unit = Text(start: cursor.position, end: number.count)
    guard unit.take(milliseconds, number), unit.count == 0 else { return nil }
    text.end = bracket
    text.trim(line)
    return value
  }
}

/// A part of a line that is taken apart from both ends.
private struct Text {
  var start: Int
  var end: Int

  var count: Int { end - start }
  var string: JSONString { JSONString(start: start, end: end, hasEscapes: false) }

  mutating func trim(_ line: Span<UInt8>) {
    while start < end, line[start] <= 0x20 { start += 1 }
    while start < end, line[end - 1] <= 0x20 { end -= 1 }
  }

  /// Moves past a phrase if the text begins with it.
  mutating func take(_ phrase: Phrase, _ line: Span<UInt8>) -> Bool {
    guard isAt(start, phrase, line) else { return false }
    start += phrase.count
    return true
  }

  func first(_ phrase: Phrase, _ line: Span<UInt8>) -> Int? {
    let last = end - phrase.count
    var index = start
    while index <= last {
      if line[index] == phrase.first, phrase.isAt(index, line) { return index }
      index += 1
    }
    return nil
  }

  func last(_ phrase: Phrase, _ line: Span<UInt8>) -> Int? {
    var index = end - phrase.count
    while index >= start {
      if line[index] == phrase.first, phrase.isAt(index, line) { return index }
      index -= 1
    }
    return nil
  }

  private func isAt(_ index: Int, _ phrase: Phrase, _ line: Span<UInt8>) -> Bool {
    index + phrase.count <= end && phrase.isAt(index, line)
  }
}

/// Some bytes to look for, as words.
private struct Phrase {
  let count: Int
  let first: UInt8
  private let words: (UInt64, UInt64, UInt64)

  /// - Parameter text: 1 to 24 bytes.
  init(_ text: String) {
    let bytes = Array(text.utf8)
    precondition(!bytes.isEmpty && bytes.count <= 24, "\(text): a phrase has 1 to 24 bytes")
    count = bytes.count
    first = bytes[0]
    words = Phrase.words(bytes.span, 0, bytes.count)
  }

  /// - Parameter index: with `count` bytes of the line from there.
  @inline(__always)
  func isAt(_ index: Int, _ line: Span<UInt8>) -> Bool {
    Phrase.words(line, index, index + count) == words
  }

  @inline(__always)
  private static func words(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> (UInt64, UInt64, UInt64) {
    (
      Word.load(bytes, start, end), end - start > 8 ? Word.load(bytes, start + 8, end) : 0,
      end - start > 16 ? Word.load(bytes, start + 16, end) : 0
    )
  }
}
