// SPDX-License-Identifier: Apache-2.0

// Snappy, which shippers send in two formats under one name: Vector, Fluent Bit and Loki's clients send one block,
// others the framing format, a stream of blocks with checksums. Its first bytes tell them apart: no block begins like a
// stream, because as a block those ten bytes would copy from before the beginning.
// https://github.com/google/snappy/blob/main/framing_format.txt, format_description.txt

internal import CSnappy

/// Decompresses snappy. Blocks are decompressed whole, so one that is not framed is held until its end.
@safe package final class SnappyDecompressor: Decompressor {
  private enum Phase {
    // Too few bytes to tell.
    case undecided
    // One block, held until `finish`.
    case block
    case framed
    case failed(CompressionError)
  }

  /// The chunk that begins a stream: type, length and "sNaPpY".
  private static let streamIdentifier: [UInt8] = [0xff, 6, 0, 0, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59]
  /// Most uncompressed bytes of one chunk.
  private static let chunkBytesMax = 65_536
  /// Three bytes copy at most 64, so a block that claims more than this many times its size lies.
  private static let ratioMax = 22

  private let bytesMax: Int
  private var decompressedBytes = 0
  private var phase = Phase.undecided
  // The block, or the chunk that is not whole yet.
  private var held: [UInt8] = []

  /// - Parameter bytesMax: most decompressed bytes, at least 0.
  package init(bytesMax: Int) {
    self.bytesMax = bytesMax
  }

  package var heldBytes: Int {
    if case .block = phase { held.count + (claimedBytes ?? 0) } else { held.count }
  }

  package func append(_ chunk: Span<UInt8>, to output: inout [UInt8]) throws(CompressionError) {
    do throws(CompressionError) {
      if case .failed(let error) = phase { throw error }
      unsafe chunk.withUnsafeBufferPointer { unsafe held.append(contentsOf: $0) }
      if case .undecided = phase { decide() }
      if case .block = phase { try checkClaim() }
      if case .framed = phase { try readChunks(&output) }
    } catch {
      phase = .failed(error)
      throw error
    }
  }

  package func finish(to output: inout [UInt8]) throws(CompressionError) {
    do throws(CompressionError) {
      switch phase {
      case .failed(let error): throw error
      case .framed: guard held.isEmpty else { throw .truncated }
      case .undecided, .block:
        guard !held.isEmpty else { throw .truncated }
        try checkClaim()
        try readBlock(held.span, to: &output)
        held = []
        phase = .framed
      }
    } catch {
      phase = .failed(error)
      throw error
    }
  }

  private func decide() {
    let identifier = SnappyDecompressor.streamIdentifier
    guard held.prefix(identifier.count).elementsEqual(identifier.prefix(held.count)) else { return phase = .block }
    if held.count >= identifier.count { phase = .framed }
  }

  /// The size that the block says it has, nil while its first bytes are not there.
  private var claimedBytes: Int? {
    var value = 0
    for (index, byte) in held.prefix(5).enumerated() {
      value |= Int(byte & 0x7f) << (7 * index)
      if byte < 0x80 { return value }
    }
    return nil
  }

  private func checkClaim() throws(CompressionError) {
    guard let claimedBytes else { return }
    guard claimedBytes <= bytesMax else { throw .tooLarge(bytesMax: bytesMax) }
  }

  // MARK: The framing format

  private func readChunks(_ output: inout [UInt8]) throws(CompressionError) {
    var start = 0
    defer { held.removeFirst(start) }
    while held.count - start >= 4 {
      let length = Int(held[start + 1]) | Int(held[start + 2]) << 8 | Int(held[start + 3]) << 16
      let isSkipped = try checkLength(length, ofType: held[start])
      guard held.count - start - 4 >= length else { return }
      if !isSkipped { try readChunk(start, length, &output) }
      start += 4 + length
    }
  }

  /// - Returns: whether the chunk holds nothing for us.
  private func checkLength(_ length: Int, ofType type: UInt8) throws(CompressionError) -> Bool {
    switch type {
    case 0x00, 0x01:
      // A block that does not compress is a sixth longer at most, plus a few bytes (snappy_max_compressed_length).
      let lengthMax = type == 0 ? 4 + 32 + SnappyDecompressor.chunkBytesMax * 7 / 6 : 4 + SnappyDecompressor.chunkBytesMax
      guard length >= 4, length <= lengthMax else { throw .malformed("a chunk of \(length) bytes") }
      return false
    case 0xff:
      guard length == 6 else { throw .malformed("a wrong stream identifier") }
      return true
    case 0x80...0xfe: return true
    default: throw .malformed("a chunk of the unknown type \(type)")
    }
  }

  private func readChunk(_ start: Int, _ length: Int, _ output: inout [UInt8]) throws(CompressionError) {
    let held = held
    let bytes = held.span
    let content = bytes.extracting(start + 8..<start + 4 + length)
    var sum: UInt32 = 0
    for offset in 0..<4 { sum |= UInt32(held[start + 4 + offset]) << (8 * UInt32(offset)) }
    let before = output.count
    if held[start] == 0 {
      try readBlock(content, most: SnappyDecompressor.chunkBytesMax, to: &output)
    } else {
      guard content.count <= bytesMax - decompressedBytes else { throw .tooLarge(bytesMax: bytesMax) }
      unsafe content.withUnsafeBufferPointer { unsafe output.append(contentsOf: $0) }
      decompressedBytes += content.count
    }
    guard CRC32C.masked(output.span, from: before) == sum else { throw .malformed("a wrong checksum") }
  }

  // MARK: Blocks

  private func readBlock(
    _ block: Span<UInt8>, most: Int = .max, to output: inout [UInt8]
  ) throws(CompressionError) {
    var length = 0
    let status = unsafe block.withUnsafeBytes { bytes in
      unsafe snappy_uncompressed_length(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, &length)
    }
    guard status == SNAPPY_OK, length <= most, length <= block.count * SnappyDecompressor.ratioMax else {
      throw .malformed("a snappy block with a wrong length")
    }
    guard length <= bytesMax - decompressedBytes else { throw .tooLarge(bytesMax: bytesMax) }
    let isWhole = SnappyDecompressor.uncompress(block, length, to: &output)
    guard isWhole else { throw .malformed("a broken snappy block") }
    decompressedBytes += length
  }

  private static func uncompress(_ block: Span<UInt8>, _ length: Int, to output: inout [UInt8]) -> Bool {
    var status = SNAPPY_OK
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: length) { target, count in
      count = length
      status = unsafe block.withUnsafeBytes { source in
        // An empty buffer has no address, and snappy writes none of its bytes.
        unsafe target.withMemoryRebound(to: CChar.self) { target in
          unsafe snappy_uncompress(
            source.baseAddress?.assumingMemoryBound(to: CChar.self), source.count, target.baseAddress, &count)
        }
      }
      if status != SNAPPY_OK { count = 0 }
    }
    guard status == SNAPPY_OK, bytes.count == length else { return false }
    // The usual case, a body of one block, is moved and not copied.
    if output.isEmpty { output = bytes } else { output += bytes }
    return true
  }
}

/// CRC-32C as snappy's framing format stores it.
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { byte in
    // The Castagnoli polynomial, bits reversed.
    (0..<8).reduce(UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0x82f6_3b78 : sum >> 1 }
  }

  static func masked(_ bytes: Span<UInt8>, from start: Int = 0) -> UInt32 {
    var sum: UInt32 = 0xffff_ffff
    let table = table
    for index in start..<bytes.count { sum = sum >> 8 ^ table[Int(UInt8(truncatingIfNeeded: sum) ^ bytes[index])] }
    sum = ~sum
    return (sum >> 15 | sum << 17) &+ 0xa282_ead8
  }
}

/// Compression of what the store keeps, and for tests.
package enum Snappy {
  /// `bytes` as one block.
  package static func compress(_ bytes: Span<UInt8>) -> [UInt8] {
    let bound = snappy_max_compressed_length(bytes.count)
    return unsafe [UInt8](unsafeUninitializedCapacity: bound) { target, count in
      count = bound
      let status = unsafe bytes.withUnsafeBytes { source in
        unsafe target.withMemoryRebound(to: CChar.self) { target in
          unsafe snappy_compress(
            source.baseAddress?.assumingMemoryBound(to: CChar.self), source.count, target.baseAddress, &count)
        }
      }
      precondition(status == SNAPPY_OK, "snappy_compress failed")
    }
  }

  /// `bytes` in the framing format, in chunks of at most 64 KiB.
  package static func frame(_ bytes: [UInt8], isCompressed: Bool) -> [UInt8] {
    var stream: [UInt8] = [0xff, 6, 0, 0, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59]
    for start in stride(from: 0, to: bytes.count, by: 65_536) {
      let piece = Array(bytes[start..<min(start + 65_536, bytes.count)])
      let content = isCompressed ? compress(piece.span) : piece
      let sum = CRC32C.masked(piece.span)
      stream.append(isCompressed ? 0 : 1)
      for offset in 0..<3 { stream.append(UInt8(truncatingIfNeeded: (content.count + 4) >> (8 * offset))) }
      for offset in 0..<4 { stream.append(UInt8(truncatingIfNeeded: sum >> UInt32(8 * offset))) }
      stream += content
    }
    return stream
  }
}
