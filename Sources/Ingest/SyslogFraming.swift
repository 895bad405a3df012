// SPDX-License-Identifier: Apache-2.0

// Where messages begin and end in a stream of syslog over TCP (RFC 6587): with their length in front, or with a line
// feed behind. Which of the two is told anew by each message's first bytes.

/// Messages one after the other in one buffer.
package struct SyslogMessages: Sendable {
  package var bytes: [UInt8] = []
  package var ranges: [Range<Int>] = []

  package init() {}

  package mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    ranges.removeAll(keepingCapacity: true)
  }

  package mutating func append(_ message: ArraySlice<UInt8>) {
    guard !message.isEmpty else { return }
    let start = bytes.count
    bytes.append(contentsOf: message)
    ranges.append(start..<bytes.count)
  }
}

/// The framing of one connection.
package struct SyslogFraming: Sendable {
  private let messageBytesMax: Int
  private var pending: [UInt8] = []
  /// Up to where no line end was found.
  private var searched = 0
  /// Of a message that was too long and given out cut: bytes still to be dropped, or `.max` up to the line's end.
  private var dropping = 0

  /// - Parameter messageBytesMax: of a longer message so much and one byte is given out, which makes it be rejected.
  package init(messageBytesMax: Int) {
    self.messageBytesMax = messageBytesMax
  }

  /// Takes what arrived, and gives out the messages that are whole.
  package mutating func append(_ bytes: ArraySlice<UInt8>, to messages: inout SyslogMessages) {
    pending.append(contentsOf: bytes)
    var start = 0
    while let end = next(from: start, to: &messages) { start = end }
    searched = max(searched - start, 0)
    pending.removeSubrange(..<start)
  }

  /// The connection has ended: a line without its end is one all the same, a message shorter than its length is not.
  package mutating func finish(to messages: inout SyslogMessages) {
    if dropping == 0, !pending.isEmpty, case .line = head(from: 0, isEnd: true) { messages.append(pending[...]) }
    pending = []
    dropping = 0
  }

  private enum Head {
    case line
    /// Length of the message, and where it starts.
    case counted(Int, from: Int)
    /// More bytes will tell.
    case undecided
  }

  /// The end of the message that begins at `start`, nil where that has not come.
  private mutating func next(from start: Int, to messages: inout SyslogMessages) -> Int? {
    guard start < pending.count else { return nil }
    if dropping == .max { return dropLine(from: start) }
    if dropping > 0 {
      let count = min(dropping, pending.count - start)
      dropping -= count
      return start + count
    }
    switch head(from: start, isEnd: false) {
    case .undecided: return nil
    case .counted(let count, let first):
      guard count <= messageBytesMax else { return cut(first, count, to: &messages) }
      guard pending.count - first >= count else { return nil }
      messages.append(pending[first..<first + count])
      return first + count
    case .line: return line(from: start, to: &messages)
    }
  }

  /// Digits, a space and the priority's bracket are a length; anything else is a line.
  private func head(from start: Int, isEnd: Bool) -> Head {
    var index = start
    var count = 0
    while index < pending.count, pending[index] &- 0x30 <= 9, index - start < 10 {
      count = count * 10 + Int(pending[index] - 0x30)
      index += 1
    }
    guard index > start, pending[start] != 0x30 else { return .line }
    guard index + 1 < pending.count else {
      let isPossible = index == pending.count || pending[index] == 0x20
      return isPossible && !isEnd ? .undecided : .line
    }
    guard pending[index] == 0x20, pending[index + 1] == UInt8(ascii: "<") else { return .line }
    return .counted(count, from: index + 1)
  }

  private mutating func line(from start: Int, to messages: inout SyslogMessages) -> Int? {
    if let end = pending[max(searched, start)...].firstIndex(of: 0x0a) {
      searched = 0
      messages.append(pending[start..<end].prefix(messageBytesMax + 1))
      return end + 1
    }
    searched = pending.count
    guard pending.count - start > messageBytesMax else { return nil }
    messages.append(pending[start...].prefix(messageBytesMax + 1))
    dropping = .max
    return pending.count
  }

  private mutating func cut(_ first: Int, _ count: Int, to messages: inout SyslogMessages) -> Int? {
    guard pending.count - first > messageBytesMax else { return nil }
    let taken = min(count, pending.count - first)
    messages.append(pending[first..<first + taken].prefix(messageBytesMax + 1))
    dropping = count - taken
    return first + taken
  }

  private mutating func dropLine(from start: Int) -> Int {
    guard let end = pending[start...].firstIndex(of: 0x0a) else { return pending.count }
    dropping = 0
    searched = 0
    return end + 1
  }
}
