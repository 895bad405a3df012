// SPDX-License-Identifier: Apache-2.0

// Where messages begin and end in a stream of Fluent's forward protocol: each is a MessagePack value, and nothing stands
// between them.

/// The stream of one connection.
package struct ForwardFraming: Sendable {
  private let messageBytesMax: Int
  /// What has arrived and is not forgotten; ranges of messages are in it.
  package private(set) var bytes: [UInt8] = []
  private var start = 0
  private var scan = MessagePackScan(at: 0, from: 0)

  /// - Parameter messageBytesMax: a stream with a longer message is broken.
  package init(messageBytesMax: Int) {
    self.messageBytesMax = messageBytesMax
  }

  package mutating func append(_ received: [UInt8]) {
    bytes.append(contentsOf: received)
  }

  /// The next message that is whole; nil where its end has not come.
  ///
  /// - Throws: what makes the rest of the stream unreadable. A message that must become too long is refused as soon as
  ///   it says so.
  package mutating func next() throws(BodyFault) -> Range<Int>? {
    guard start < bytes.count else { return nil }
    // A copy, because the span borrows all of this.
    var scan = scan
    let isWhole = try scan.advance(bytes.span, end: bytes.count)
    self.scan = scan
    let end = isWhole ? scan.position : scan.endAtLeast(bytes.span, end: bytes.count)
    guard end - start <= messageBytesMax else {
      throw BodyFault(reason: "a message has more than \(messageBytesMax) bytes: let its sender make smaller ones")
    }
    guard isWhole else { return nil }
    let range = start..<end
    start = end
    self.scan = MessagePackScan(at: end, from: end)
    return range
  }

  /// Forgets the messages that were given out.
  package mutating func removeRead() {
    guard start > 0 else { return }
    bytes.removeSubrange(..<start)
    // What one large message took is not kept for the small ones behind it.
    if bytes.isEmpty, bytes.capacity > ForwardFraming.keptBytesMax { bytes = [] }
    scan.move(back: start)
    start = 0
  }

  private static let keptBytesMax = 1 << 20
}
