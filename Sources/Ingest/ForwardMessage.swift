// SPDX-License-Identifier: Apache-2.0

// The messages of Fluent's forward protocol, version 1
// (https://github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1):
// Message [tag, time, record, option?], Forward [tag, [entry…], option?], PackedForward and CompressedPackedForward
// [tag, bytes of entries, option?], each entry [time, record]. All of them are read as a row of entries.

import JSON

/// One message: where its entries are, and what its sender wants to hear. Its ranges are of the bytes it was read from.
package struct ForwardMessage: Sendable {
  package enum Compression: Sendable { case none, gzip, zstd }

  private enum Mode { case message, forward, packed }

  /// Of the id by which a repetition is recognised, and with which it is acknowledged.
  package static let chunkBytesMax = 256
  private static let optionNames = WordTable(["chunk", "compressed", "fluent_signal"])
  private static let compressions = WordTable(["text", "gzip", "zstd"])

  /// How its entries are compressed.
  package private(set) var compression = Compression.none
  private var tag = 0..<0
  private var entries = 0..<0
  private var mode = Mode.message
  /// As it was encoded, so that it is answered alike; nil where no answer is wanted.
  private var chunk: Range<Int>?
  /// Metrics and traces of Fluent Bit have entries of their own.
  private var isLogs = true

  /// Nil for a heartbeat.
  ///
  /// - Parameter range: of the message, which is whole.
  package init?(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(BodyFault) {
    var reader = MessagePackReader(range)
    let head = try reader.head(bytes)
    if head.kind == .null { return nil }
    guard head.kind == .array, (2...4).contains(head.count) else {
      throw BodyFault(reason: "message: must be an array of a tag, entries and options")
    }
    let tag = try reader.head(bytes)
    guard tag.kind.isText else { throw BodyFault(reason: "tag: must be a text") }
    self.tag = try reader.content(tag)
    let members = try readEntries(bytes, &reader, members: head.count - 1)
    if head.count == members + 2 { try readOptions(bytes, &reader) }
    guard (members + 1...members + 2).contains(head.count) else {
      throw BodyFault(reason: "message: has \(head.count) members: must be a tag, entries and options")
    }
    guard compression == .none || mode == .packed else {
      throw BodyFault(reason: "compressed: only packed entries can be compressed")
    }
  }

  /// - Returns: how many members they are: entries together, or a time and its record.
  private mutating func readEntries(
    _ bytes: Span<UInt8>, _ reader: inout MessagePackReader, members: Int
  ) throws(BodyFault) -> Int {
    let start = reader.position
    let head = try reader.head(bytes)
    if head.kind == .array {
      mode = .forward
      let first = reader.position
      try reader.skip(head, bytes)
      entries = first..<reader.position
    } else if head.kind.isText {
      mode = .packed
      entries = try reader.content(head)
    } else {
      guard members >= 2 else { throw BodyFault(reason: "message: has a time and no record") }
      try reader.skip(head, bytes)
      try reader.skip(bytes)
      entries = start..<reader.position
      return 2
    }
    return 1
  }

  private mutating func readOptions(_ bytes: Span<UInt8>, _ reader: inout MessagePackReader) throws(BodyFault) {
    let head = try reader.head(bytes)
    if head.kind == .null { return }
    guard head.kind == .map else { throw BodyFault(reason: "options: must be a map") }
    for _ in 0..<head.count {
      let name = try reader.head(bytes)
      guard name.kind.isText else { throw BodyFault(reason: "options: a name must be a text") }
      let range = try reader.content(name)
      try readOption(ForwardMessage.optionNames.index(bytes, range.lowerBound, range.upperBound), bytes, &reader)
    }
  }

  private mutating func readOption(
    _ index: Int?, _ bytes: Span<UInt8>, _ reader: inout MessagePackReader
  ) throws(BodyFault) {
    let start = reader.position
    let value = try reader.head(bytes)
    try reader.skip(value, bytes)
    guard value.kind != .null else { return }
    switch index {
    case 0:
      guard value.kind.isText, (1...ForwardMessage.chunkBytesMax).contains(value.count) else {
        throw BodyFault(reason: "chunk: must be a text of at most \(ForwardMessage.chunkBytesMax) bytes")
      }
      chunk = start..<reader.position
    case 1:
      let content = reader.position - value.contentBytes
      switch value.kind.isText ? ForwardMessage.compressions.index(bytes, content, reader.position) : nil {
      case 0: break
      case 1: compression = .gzip
      case 2: compression = .zstd
      default: throw BodyFault(reason: "compressed: must be \"gzip\", \"zstd\" or \"text\"")
      }
    case 2: isLogs = value.kind != .unsigned || value.value == 0
    default: break
    }
  }
}

extension ForwardMessage {
  /// What tells a repetition of this message: the id of its chunk, with its tag, because Fluent Bit makes ids from the
  /// entries alone. Nil where it has none and no answer is wanted.
  package func key(_ bytes: Span<UInt8>) -> [UInt8]? {
    chunk.map { bytes.array($0) + bytes.array(tag) }
  }

  /// What acknowledges it: `{"ack": chunk}`.
  package func ack(_ bytes: Span<UInt8>) -> [UInt8]? {
    chunk.map { [0x81, 0xa3] + Array("ack".utf8) + bytes.array($0) }
  }

  /// Appends the entries one after the other; compressed ones as they are, which `checkEntries` has to see once they are
  /// not.
  package func appendEntries(_ bytes: Span<UInt8>, to output: inout [UInt8]) throws(BodyFault) {
    guard isLogs else { return }
    if mode == .packed, compression == .none { try ForwardMessage.checkEntries(bytes, entries) }
    // An array of two.
    if mode == .message { output.append(0x92) }
    output.append(contentsOf: bytes.array(entries))
  }

  /// - Throws: where packed entries are not values one after the other; nothing of them is to be counted.
  package static func checkEntries(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(BodyFault) {
    var reader = MessagePackReader(range)
    while !reader.isAtEnd { try reader.skip(bytes) }
  }
}

extension Span<UInt8> {
  fileprivate func array(_ range: Range<Int>) -> [UInt8] {
    [UInt8](capacity: range.count) { output in
      for index in range { output.append(self[index]) }
    }
  }
}
