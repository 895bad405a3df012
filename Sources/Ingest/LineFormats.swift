// SPDX-License-Identifier: Apache-2.0

// The plain text lines that caches log. A line is matched from its first byte; what does not fit a format to its end is
// no event. All of these are Redis caches, so their tier is L2.

import JSON

/// Reads plain text lines.
struct LineFormats: Sendable {
  private static let tag = Array("[CACHE] ".utf8)
  private static let hit = Array("HIT ".utf8)
  private static let miss = Array("MISS ".utf8)
  private static let delete = Array("DELETE ".utf8)
  private static let invalidatePattern = Array("INVALIDATE pattern ".utf8)
  private static let cacheWord = Array("Cache ".utf8)
  private static let cacheHit = Array("hit: ".utf8)
  private static let cacheMiss = Array("miss: ".utf8)
  private static let cacheSet = Array("set: ".utf8)
  private static let cacheDelete = Array("delete: ".utf8)
  private static let cacheInvalidated = Array("invalidated: programs + ".utf8)
  private static let matchCache = Array(" match cache".utf8)
  private static let invalidated = Array("Invalidated ".utf8)
  private static let cacheKey = Array(" cache key".utf8)
  private static let matching = Array(" matching ".utf8)
  private static let error = Array(" error:".utf8)
  private static let errorForKey = Array(" error for key ".utf8)
  private static let errorFor = Array(" error for ".utf8)
  private static let colonSpace = Array(": ".utf8)
  private static let open = Array(" (".utf8)
  private static let timeToLive = Array("TTL: ".utf8)
  private static let noTimeToLive = Array("no TTL)".utf8)
  private static let milliseconds = Array("ms)".utf8)
  private static let keyWord = Array(" key".utf8)

  /// The event that a line tells of, nil where no format fits.
  ///
  /// - Parameter line: without its line end; white space around it does not matter.
  func event(_ line: Span<UInt8>) -> CacheEvent? {
    var text = Text(start: 0, end: line.count)
    text.trim(line)
    let duration = LineFormats.takeDuration(from: &text, line)
    let read: CacheEvent? =
      if text.take(LineFormats.tag, line) {
        LineFormats.tagged(text, line)
      } else if text.take(LineFormats.cacheWord, line) {
        LineFormats.worded(text, line)
      } else if text.take(LineFormats.invalidated, line) {
        LineFormats.invalidatedKeys(text, line)
      } else {
        nil
      }
    guard var event = read else { return nil }
    event.durationMs = duration
    event.tier = .l2
    event.isTextLine = true
    return event
  }

  /// After `[CACHE] `.
  private static func tagged(_ rest: Text, _ line: Span<UInt8>) -> CacheEvent? {
    // With the space before it, so that an error without an operation is found as well.
    if let event = failed(Text(start: rest.start - 1, end: rest.end), line) { return event }
    var text = rest
    if text.take(hit, line) { return keyed(.hit, text, line) }
    if text.take(miss, line) { return keyed(.miss, text, line) }
    if text.take(delete, line) { return deleted(text, line) }
    guard text.take(invalidatePattern, line) else { return nil }
    var keys: Int64 = 0
    if let bracket = text.last(open, line), let count = count(Text(start: bracket + 2, end: text.end), keyWord, line) {
      keys = count
      text.end = bracket
    }
    return removed(text, keys, line)
  }

  /// After `Cache `.
  private static func worded(_ rest: Text, _ line: Span<UInt8>) -> CacheEvent? {
    var text = rest
    if text.take(cacheHit, line) { return keyed(.hit, text, line) }
    if text.take(cacheMiss, line) { return keyed(.miss, text, line) }
    if text.take(cacheSet, line) { return stored(text, line) }
    if text.take(cacheDelete, line) { return deleted(text, line) }
    if text.take(cacheInvalidated, line) {
      guard let matches = count(text, matchCache, line) else { return nil }
      var event = CacheEvent()
      event.kind = .invalidation
      // The list itself is one more.
      event.keys = matches + 1
      event.isProgramsLine = true
      return event
    }
    return failedForKey(text, line) ?? failed(text, line)
  }

  /// After `Invalidated `: `N cache keys matching PATTERN`.
  private static func invalidatedKeys(_ text: Text, _ line: Span<UInt8>) -> CacheEvent? {
    guard let word = text.first(matching, line), let keys = count(Text(start: text.start, end: word), cacheKey, line)
    else { return nil }
    return removed(Text(start: word + matching.count, end: text.end), keys, line)
  }

  private static func keyed(_ kind: CacheEvent.Kind, _ text: Text, _ line: Span<UInt8>) -> CacheEvent? {
    var key = text
    key.trim(line)
    guard key.count > 0 else { return nil }
    var event = CacheEvent()
    event.kind = kind
    event.key = key.string
    return event
  }

  private static func stored(_ text: Text, _ line: Span<UInt8>) -> CacheEvent? {
    var key = text
    if let bracket = text.last(open, line) {
      var note = Text(start: bracket + 2, end: text.end)
      if note.take(timeToLive, line) || note.take(noTimeToLive, line) { key.end = bracket }
    }
    return keyed(.set, key, line)
  }

  private static func removed(_ pattern: Text, _ keys: Int64, _ line: Span<UInt8>) -> CacheEvent? {
    guard var event = keyed(.invalidation, pattern, line) else { return nil }
    event.keys = keys
    return event
  }

  /// A list of keys with commas.
  private static func deleted(_ text: Text, _ line: Span<UInt8>) -> CacheEvent? {
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
    return first.flatMap { removed($0, keys, line) }
  }

  /// `OPERATION error for key KEY: …` and `OPERATION error for KEY: …`.
  private static func failedForKey(_ text: Text, _ line: Span<UInt8>) -> CacheEvent? {
    var operation = text
    var key = text
    if let place = text.first(errorForKey, line) {
      operation.end = place
      key.start = place + errorForKey.count
    } else if let place = text.first(errorFor, line) {
      operation.end = place
      key.start = place + errorFor.count
    } else {
      return nil
    }
    if let colon = key.first(colonSpace, line) {
      key.end = colon
    } else if key.count > 0, line[key.end - 1] == UInt8(ascii: ":") {
      key.end -= 1
    } else {
      return nil
    }
    var event = CacheEvent()
    event.kind = .error
    event.detail = operation.string
    event.key = key.string
    return event
  }

  /// `OPERATION error: …`; a last word with a colon in it is the key and no part of the operation.
  private static func failed(_ text: Text, _ line: Span<UInt8>) -> CacheEvent? {
    guard let place = text.first(error, line) else { return nil }
    let after = place + error.count
    guard after == text.end || line[after] == 0x20 else { return nil }
    var event = CacheEvent()
    event.kind = .error
    var operation = Text(start: text.start, end: place)
    operation.trim(line)
    if let space = operation.last([0x20], line) {
      let word = Text(start: space + 1, end: operation.end)
      if word.first([UInt8(ascii: ":")], line) != nil {
        event.key = word.string
        operation.end = space
      }
    }
    event.detail = operation.string
    return event
  }

  /// A whole number before a given word.
  private static func count(_ text: Text, _ word: [UInt8], _ line: Span<UInt8>) -> Int64? {
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
  mutating func take(_ phrase: [UInt8], _ line: Span<UInt8>) -> Bool {
    guard isAt(start, phrase, line) else { return false }
    start += phrase.count
    return true
  }

  func first(_ phrase: [UInt8], _ line: Span<UInt8>) -> Int? {
    var index = start
    while index + phrase.count <= end {
      if isAt(index, phrase, line) { return index }
      index += 1
    }
    return nil
  }

  func last(_ phrase: [UInt8], _ line: Span<UInt8>) -> Int? {
    var index = end - phrase.count
    while index >= start {
      if isAt(index, phrase, line) { return index }
      index -= 1
    }
    return nil
  }

  private func isAt(_ index: Int, _ phrase: [UInt8], _ line: Span<UInt8>) -> Bool {
    guard index + phrase.count <= end else { return false }
    for offset in phrase.indices where line[index + offset] != phrase[offset] { return false }
    return true
  }
}
