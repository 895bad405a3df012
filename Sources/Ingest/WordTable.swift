// SPDX-License-Identifier: Apache-2.0

// A fixed set of short names, looked up by bytes: field names and event types. Three comparisons of eight bytes, no
// string, no allocation.

import JSON

/// Finds which of a few fixed names some bytes are.
struct WordTable: Sendable {
  static let nameBytesMax = 24

  private struct Entry {
    var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
    var count = 0
    var index = -1
  }

  private var entries: [Entry]

  /// - Parameter names: different from each other, of 1 to `nameBytesMax` bytes.
  init(_ names: [String]) {
    var size = 16
    while size < names.count * 4 { size *= 2 }
    entries = Array(repeating: Entry(), count: size)
    for (index, name) in names.enumerated() {
      let bytes = Array(name.utf8)
      precondition(!bytes.isEmpty && bytes.count <= WordTable.nameBytesMax, "\(name): a name has 1 to 24 bytes")
      let words = WordTable.words(bytes.span, 0, bytes.count)
      var slot = self.slot(words.0, words.1, bytes.count)
      while entries[slot].index >= 0 { slot = (slot + 1) & (size - 1) }
      entries[slot] = Entry(words: words, count: bytes.count, index: index)
    }
  }

  /// The index of the name that `start..<end` holds, nil for none of them.
  @inline(__always)
  func index(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
    let count = end - start
    guard count > 0, count <= WordTable.nameBytesMax else { return nil }
    let words = WordTable.words(bytes, start, end)
    var slot = self.slot(words.0, words.1, count)
    while entries[slot].index >= 0 {
      if entries[slot].count == count, entries[slot].words == words { return entries[slot].index }
      slot = (slot + 1) & (entries.count - 1)
    }
    return nil
  }

  @inline(__always)
  private static func words(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> (UInt64, UInt64, UInt64) {
    if end &- start <= 16, let (low, high) = Word.pair(bytes, start) {
      let bits = (end &- start) &* 8
      return (low & mask(bits), high & mask(bits &- 64), 0)
    }
    if start + nameBytesMax <= bytes.count {
      // Without branches: the lengths of names in a row are what a processor cannot guess.
      let bits = (end - start) * 8
      return (
        Word.eight(bytes, start) & mask(bits), Word.eight(bytes, start + 8) & mask(bits - 64),
        Word.eight(bytes, start + 16) & mask(bits - 128)
      )
    }
    return (
      Word.load(bytes, start, end),
      end - start > 8 ? Word.load(bytes, start + 8, end) : 0,
      end - start > 16 ? Word.load(bytes, start + 16, end) : 0
    )
  }

  /// The lowest `bits` bits; none below 0, all above 63.
  @inline(__always)
  private static func mask(_ bits: Int) -> UInt64 {
    ~(UInt64.max << UInt64(truncatingIfNeeded: min(max(bits, 0), 64)))
  }

  @inline(__always)
  private func slot(_ first: UInt64, _ second: UInt64, _ count: Int) -> Int {
    let hash = (first ^ second &* 3 &+ UInt64(truncatingIfNeeded: count)) &* 0x9e37_79b9_7f4a_7c15
    return Int(truncatingIfNeeded: hash >> 40) & (entries.count - 1)
  }
}
