// SPDX-License-Identifier: Apache-2.0

// Cuts a long text into bodies of a size that a server likes, at line ends. JSON that does not keep to lines, such as
// one array, is left in one piece, up to a bound.

import JSON

/// One body of a longer text.
package struct BodyPart: Sendable, Equatable {
  package let bytes: [UInt8]
  /// The line of the text that the part begins with, from 1.
  package let firstLine: Int
  package let framing: EventOrigin.Framing
}

/// A text that cannot be cut.
package struct UncuttableText: Error, Equatable, CustomStringConvertible {
  package let bytesMax: Int
  package var description: String {
    "JSON that does not keep to lines, and is longer than \(bytesMax) bytes: write a record a line"
  }
}

/// Takes a text piece by piece and gives it back in parts, which together are the text.
package struct BodyCutter {
  private enum Shape { case unknown, lines, document }

  private let partBytes: Int
  private let lineBytesMax: Int
  private let documentBytesMax: Int
  private var pending: [UInt8] = []
  /// What the next part after this one is gathered in.
  private var spare: [UInt8] = []
  private var shape = Shape.unknown
  private var line = 1
  /// Inside of a line whose beginning was given out as too long.
  private var isSkipping = false

  /// - Parameters:
  ///   - partBytes: about how long a part is; more than `lineBytesMax`.
  ///   - lineBytesMax: of a longer line, only so much is given out that it is seen to be too long.
  ///   - documentBytesMax: longest text that does not keep to lines.
  package init(partBytes: Int = 1 << 20, lineBytesMax: Int = 256 << 10, documentBytesMax: Int = 64 << 20) {
    precondition(partBytes > lineBytesMax, "a part holds a line")
    self.partBytes = partBytes
    self.lineBytesMax = lineBytesMax
    self.documentBytesMax = documentBytesMax
  }

  /// Takes the array of a part that nobody needs any more: memory that is touched for the first time costs as
  /// much as reading a file into it.
  package mutating func reuse(_ bytes: [UInt8]) {
    spare = bytes
  }

  /// - Parameter write: appends what comes next to an array that holds more.
  package mutating func append<Failure: Error>(_ write: (inout [UInt8]) throws(Failure) -> Void) throws(Failure) {
    try write(&pending)
  }

  /// The next part that can be told already; nil where more has to be appended first.
  package mutating func next() throws(UncuttableText) -> BodyPart? {
    guard pending.count >= partBytes else { return nil }
    if shape == .unknown { shape = BodyCutter.shape(pending.span) }
    if shape == .document {
      guard pending.count <= documentBytesMax else { throw UncuttableText(bytesMax: documentBytesMax) }
      return nil
    }
    if isSkipping { skip() }
    guard pending.count >= partBytes else { return nil }
    let end = lastLineEnd(before: partBytes) ?? BodyCutter.lineEnd(pending.span, from: 0).map { $0 + 1 }
    guard let end, end <= partBytes else { return tooLongLine() }
    return take(end)
  }

  /// What is left at the end of the text; call it until it gives nil.
  package mutating func finish() throws(UncuttableText) -> BodyPart? {
    if let part = try next() { return part }
    if isSkipping { skip() }
    guard !pending.isEmpty else { return nil }
    if shape == .unknown { shape = BodyCutter.shape(pending.span) }
    return take(pending.count)
  }

  /// Lines, if the first of them is whole: then what follows can be read from any line on.
  private static func shape(_ text: Span<UInt8>) -> Shape {
    let start = EventBody.start(text)
    guard EventBody.framing(text, from: start) == .documents else { return .lines }
    var first = JSONCursor(at: start)
    first.skipWhitespace(text)
    guard let end = lineEnd(text, from: first.position) else { return .document }
    let line = text.extracting(0..<end)
    guard (try? first.skipValue(line)) != nil else { return .document }
    first.skipWhitespace(line)
    return first.position == line.count ? .lines : .document
  }

  private mutating func take(_ count: Int) -> BodyPart {
    // The part keeps the array, and the little behind it moves to another one.
    var bytes = pending
    swap(&pending, &spare)
    spare = []
    pending.removeAll(keepingCapacity: true)
    pending.reserveCapacity(partBytes + partBytes / 2)
    pending += bytes[count...]
    bytes.removeLast(bytes.count - count)
    let part = BodyPart(bytes: bytes, firstLine: line, framing: shape == .document ? .byContent : .lines)
    line += EventBody.lineFeeds(in: bytes.span)
    return part
  }

  private mutating func tooLongLine() -> BodyPart {
    isSkipping = true
    return take(lineBytesMax + 1)
  }

  /// Drops the rest of a line, with its end where that has come.
  private mutating func skip() {
    guard let end = BodyCutter.lineEnd(pending.span, from: 0) else { return pending.removeAll(keepingCapacity: true) }
    pending.removeSubrange(...end)
    line += 1
    isSkipping = false
  }

  private func lastLineEnd(before end: Int) -> Int? {
    pending[..<end].lastIndex(of: 0x0a).map { $0 + 1 }
  }

  private static func lineEnd(_ text: Span<UInt8>, from start: Int) -> Int? {
    let end = EventBody.lineEnd(text, from: start)
    return end < text.count ? end : nil
  }
}
