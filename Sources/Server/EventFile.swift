// SPDX-License-Identifier: Apache-2.0

internal import Compression
package import Ingest
package import Platform

// A file of events as bodies: read, unpacked where it is compressed, cut at line ends.

/// Reads one file from its beginning. For one thread.
package final class EventFile {
  /// Read at a time. Compressed bytes may become a thousand times as many, so fewer are taken at a time.
  private static let chunkBytes = 256 << 10
  private static let compressedChunkBytes = 16 << 10

  private let reader: FileReader
  private var cutter = BodyCutter()
  private var decompressor: (any Decompressor)?
  private var hasBegun = false
  private var hasEnded = false
  private var chunk: [UInt8] = []
  /// Bytes read so far, as they stand in the file.
  package private(set) var bytesRead: Int64 = 0
  /// Of a regular file; nil for pipes.
  package let sizeBytes: Int64?

  /// - Parameter path: `-` is standard input.
  package init(_ path: String) throws(FileError) {
    reader = try FileReader(path)
    let status = try reader.status()
    guard !status.isFolder else { throw FileError(operation: "read", path: path, reason: "is a folder") }
    sizeBytes = status.isRegular ? status.sizeBytes : nil
  }

  /// Takes back the bytes of a body that nobody needs any more.
  package func reuse(_ bytes: [UInt8]) {
    cutter.reuse(bytes)
  }

  /// The next body, or nil at the end.
  ///
  /// - Throws: `FileError`, `CompressionError`, `UncuttableText`.
  package func next() throws -> BodyPart? {
    while !hasEnded {
      if let part = try cutter.next() { return part }
      try read()
    }
    return try cutter.finish()
  }

  private func read() throws {
    if hasBegun, decompressor == nil {
      var count = 0
      try cutter.append { count = try reader.read(countMax: EventFile.chunkBytes, to: &$0) }
      bytesRead += Int64(count)
      hasEnded = count == 0
    } else {
      try readChunk()
    }
  }

  /// The first bytes, or compressed ones.
  private func readChunk() throws {
    chunk.removeAll(keepingCapacity: true)
    let count = try reader.read(countMax: EventFile.compressedChunkBytes, to: &chunk)
    bytesRead += Int64(count)
    if !hasBegun { try begin() }
    if count == 0 { hasEnded = true }
    let bytes = chunk
    guard let decompressor else { return cutter.append { $0 += bytes } }
    try cutter.append { unpacked in
      if count == 0 { try decompressor.finish(to: &unpacked) } else { try decompressor.append(bytes.span, to: &unpacked) }
    }
  }

  /// Told by the first bytes, so that a name need not say it and standard input may be compressed too.
  private func begin() throws {
    hasBegun = true
    // A pipe may give fewer than a compressed file begins with.
    while chunk.count < 4, try reader.read(countMax: 4 - chunk.count, to: &chunk) > 0 {}
    if chunk.starts(with: [0x1f, 0x8b]) {
      decompressor = ContentEncoding.gzip.makeDecompressor(bytesMax: .max)
    } else if chunk.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) {
      decompressor = ContentEncoding.zstd.makeDecompressor(bytesMax: .max)
    }
  }
}
