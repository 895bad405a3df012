// SPDX-License-Identifier: Apache-2.0

// Zstandard (RFC 8878), chunk by chunk. https://facebook.github.io/zstd/zstd_manual.html

internal import CZstd

/// Decompresses zstd. Several frames in a row count as one body; skippable frames add nothing.
@safe package final class ZstdDecompressor: Decompressor {
  private enum Phase {
    case beforeFirstFrame
    case inside
    // At the end of a frame; another may follow.
    case ended
    case failed(CompressionError)
  }

  // 8 MiB, which RFC 9659 sets as the largest window of the content coding: a larger one costs memory before a byte is
  // decompressed.
  private static let windowLogMax: Int32 = 23
  // As in `Inflater`; zstd recommends at least a block, which is 128 KiB, so that it need not copy.
  private static let scratchBytes = 128 << 10

  private let bytesMax: Int
  private var decompressedBytes = 0
  private var phase = Phase.beforeFirstFrame
  private let context: OpaquePointer
  private let scratch: UnsafeMutablePointer<UInt8>

  /// - Parameter bytesMax: most decompressed bytes, at least 0.
  package init(bytesMax: Int) {
    self.bytesMax = bytesMax
    guard let context = unsafe ZSTD_createDCtx() else { preconditionFailure("ZSTD_createDCtx: out of memory") }
    unsafe self.context = unsafe context
    let code = unsafe ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, ZstdDecompressor.windowLogMax)
    precondition(ZSTD_isError(code) == 0, "ZSTD_DCtx_setParameter refused the window")
    unsafe scratch = .allocate(capacity: ZstdDecompressor.scratchBytes)
  }

  deinit {
    unsafe ZSTD_freeDCtx(context)
    unsafe scratch.deallocate()
  }

  package func append(_ chunk: Span<UInt8>, to output: inout [UInt8]) throws(CompressionError) {
    guard chunk.count > 0 else { return }
    do throws(CompressionError) {
      if case .failed(let error) = phase { throw error }
      try unsafe chunk.withUnsafeBufferPointer { (bytes) throws(CompressionError) in
        try unsafe decompress(bytes, &output)
      }
    } catch {
      phase = .failed(error)
      throw error
    }
  }

  package func finish(to output: inout [UInt8]) throws(CompressionError) {
    switch phase {
    case .ended: return
    case .failed(let error): throw error
    case .beforeFirstFrame, .inside: throw .truncated
    }
  }

  private func decompress(_ bytes: UnsafeBufferPointer<UInt8>, _ output: inout [UInt8]) throws(CompressionError) {
    var input = unsafe ZSTD_inBuffer(src: UnsafeRawPointer(bytes.baseAddress), size: bytes.count, pos: 0)
    var isScratchFull = false
    // A full scratch may leave output inside of zstd although all input is taken.
    while unsafe input.pos < input.size || isScratchFull {
      var target = unsafe ZSTD_outBuffer(dst: scratch, size: ZstdDecompressor.scratchBytes, pos: 0)
      let code = unsafe ZSTD_decompressStream(context, &target, &input)
      guard ZSTD_isError(code) == 0 else {
        throw .malformed(unsafe String(cString: ZSTD_getErrorName(code)))
      }
      let count = unsafe target.pos
      guard count <= bytesMax - decompressedBytes else { throw .tooLarge(bytesMax: bytesMax) }
      unsafe output.append(contentsOf: UnsafeBufferPointer(start: scratch, count: count))
      decompressedBytes += count
      isScratchFull = count == ZstdDecompressor.scratchBytes && code != 0
      // Zero: a frame is at its end and all of it is out.
      phase = code == 0 ? .ended : .inside
    }
  }
}
