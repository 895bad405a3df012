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
    chunk.removeAll(keepingCapacity: true)
    let countMax = decompressor == nil ? EventFile.chunkBytes : EventFile.compressedChunkBytes
    let count = try reader.read(countMax: hasBegun ? countMax : EventFile.compressedChunkBytes, to: &chunk)
    bytesRead += Int64(count)
    if !hasBegun { try begin() }
    if count == 0 { hasEnded = true }
    let bytes = chunk
    guard let decompressor else { return cutter.append(bytes.span) }
    var unpacked: [UInt8] = []
    if count == 0 { try decompressor.finish(to: &unpacked) } else { try decompressor.append(bytes.span, to: &unpacked) }
    cutter.append(unpacked.span)
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
