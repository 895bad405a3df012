// SPDX-License-Identifier: Apache-2.0

// The texts of a condition in one run of bytes: an array of arrays would cost a reference count for each that is looked at.

/// Texts that another is compared with, byte by byte.
struct TextList: Sendable {
  private let bytes: [UInt8]
  /// Where each text ends in `bytes`.
  private let ends: [Int]
  /// Where there are so many that a hash finds one sooner.
  private let table: KeyTable?

  /// From so many texts on a hash is cheaper than comparing with each; most differ in their size.
  private static let tabledMin = 8

  init(_ texts: [String]) {
    var bytes: [UInt8] = []
    ends = texts.map { text in
      bytes.append(contentsOf: text.utf8)
      return bytes.count
    }
    self.bytes = bytes
    table = texts.count >= TextList.tabledMin ? KeyTable(texts) : nil
  }

  /// Whether it is one of them.
  func holds(_ text: Span<UInt8>) -> Bool {
    if let table { return table.index(of: text) != nil }
    let bytes = bytes.span
    var start = 0
    for index in ends.indices {
      let end = ends[index]
      if end - start == text.count, TextList.matches(text, at: 0, bytes, start..<end) { return true }
      start = end
    }
    return false
  }

  func holdsStart(of text: Span<UInt8>) -> Bool {
    let bytes = bytes.span
    var start = 0
    for index in ends.indices {
      let end = ends[index]
      if end - start <= text.count, TextList.matches(text, at: 0, bytes, start..<end) { return true }
      start = end
    }
    return false
  }

  func holdsEnd(of text: Span<UInt8>) -> Bool {
    let bytes = bytes.span
    var start = 0
    for index in ends.indices {
      let end = ends[index]
      let place = text.count - (end - start)
      if place >= 0, TextList.matches(text, at: place, bytes, start..<end) { return true }
      start = end
    }
    return false
  }

  func holdsPart(of text: Span<UInt8>) -> Bool {
    let bytes = bytes.span
    var start = 0
    for index in ends.indices {
      let end = ends[index]
      if TextList.contains(text, bytes, start..<end) { return true }
      start = end
    }
    return false
  }

  private static func contains(_ text: Span<UInt8>, _ bytes: Span<UInt8>, _ part: Range<Int>) -> Bool {
    guard part.count <= text.count else { return false }
    for place in 0...(text.count - part.count) where matches(text, at: place, bytes, part) { return true }
    return false
  }

  /// - Precondition: the part fits into `text` from `place` on.
  private static func matches(_ text: Span<UInt8>, at place: Int, _ bytes: Span<UInt8>, _ part: Range<Int>) -> Bool {
    for offset in 0..<part.count where text[place + offset] != bytes[part.lowerBound + offset] { return false }
    return true
  }
}
