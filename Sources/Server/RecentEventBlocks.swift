// SPDX-License-Identifier: Apache-2.0

internal import Compression
internal import Ingest
internal import Storage
internal import TimeSeries

// Packed events as the store keeps them: the events of one body are one block of snappy behind its length. Events are
// like each other, so they take a fifth of their size, and the log reaches back that much further; what is not written
// and not folded into the file saves more time than compressing takes.

enum RecentEventBlocks {
  /// More than any body leaves.
  private static let blockBytesMax = 64 << 20

  static func pack(_ events: [UInt8]) -> [UInt8] {
    guard !events.isEmpty else { return [] }
    let block = Snappy.compress(events.span)
    var writer = PackedWriter(capacity: block.count + 5)
    writer.count(block.count)
    writer.append(block)
    return writer.bytes
  }

  /// - Returns: the events of all blocks, in their order.
  static func unpack(_ bytes: [UInt8]) throws -> [UInt8] {
    var events: [UInt8] = []
    var position = 0
    while position < bytes.count {
      var reader = PackedReader(bytes, at: position)
      let size = try reader.count(max: bytes.count)
      guard size <= reader.bytesLeft else { throw reader.damage }
      position = reader.position + size
      let decompressor = SnappyDecompressor(bytesMax: blockBytesMax)
      try decompressor.append(bytes.span.extracting(reader.position..<position), to: &events)
      try decompressor.finish(to: &events)
    }
    return events
  }
}

extension RecentEventChunk {
  init(_ events: RecentEvents) {
    self.init(
      bytes: RecentEventBlocks.pack(events.bytes), events: events.count, sampled: events.sampled,
      sampledOf: events.sampledOf, passedOver: events.passedOver)
  }
}
