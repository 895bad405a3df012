// SPDX-License-Identifier: Apache-2.0

// gzip (RFC 1952) and zlib (RFC 1950) by zlib, chunk by chunk. HTTP's "deflate" means zlib, but some clients send bare
// deflate (RFC 1951) under that name, so its first two bytes decide. https://zlib.net/manual.html

internal import CZlib

/// Decompresses gzip and deflate. Several gzip members in a row count as one body, as RFC 1952 prescribes.
@safe package final class Inflater: Decompressor {
  package enum Format: Sendable {
    case gzip
    /// zlib, or bare deflate.
    case deflate
  }

  private enum Phase {
    // Waiting for the bytes that tell zlib from bare deflate.
    case undecided([UInt8])
    case inside
    // At the end of a gzip member or of the only zlib stream; more gzip may follow.
    case ended
    case failed(CompressionError)
  }

  // Output is copied from here. zlib's window is 32 KiB; twice that keeps the calls few.
  private static let scratchBytes = 64 << 10

  private let format: Format
  private let bytesMax: Int
  private var inflatedBytes = 0
  private var phase: Phase
  // zlib keeps a pointer back to its stream, which therefore must not move.
  private let stream: UnsafeMutablePointer<z_stream>
  private let scratch: UnsafeMutablePointer<UInt8>
  private var isOpen = false

  /// - Parameter bytesMax: most decompressed bytes, at least 0.
  package init(_ format: Format, bytesMax: Int) {
    self.format = format
    self.bytesMax = bytesMax
    phase = .undecided([])
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    unsafe scratch = .allocate(capacity: Inflater.scratchBytes)
    if case .gzip = format { open(windowBits: 15 + 16) }
  }

  deinit {
    if isOpen { unsafe inflateEnd(stream) }
    unsafe stream.deallocate()
    unsafe scratch.deallocate()
  }

  package func append(_ chunk: Span<UInt8>, to output: inout [UInt8]) throws(CompressionError) {
    guard chunk.count > 0 else { return }
    do throws(CompressionError) {
      if case .failed(let error) = phase { throw error }
      if case .undecided(let head) = phase {
        try decide(head, chunk, &output)
      } else {
        try unsafe chunk.withUnsafeBufferPointer { (bytes) throws(CompressionError) in
          try unsafe inflate(bytes, &output)
        }
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
    case .undecided, .inside: throw .truncated
    }
  }

  private func decide(_ head: [UInt8], _ chunk: Span<UInt8>, _ output: inout [UInt8]) throws(CompressionError) {
    let bytes = unsafe head + chunk.withUnsafeBufferPointer { unsafe Array($0) }
    guard bytes.count >= 2 else {
      phase = .undecided(bytes)
      return
    }
    // RFC 1950, section 2.2: method 8, and the two bytes are a multiple of 31.
    let isZlib = bytes[0] & 0x0F == 8 && (Int(bytes[0]) << 8 | Int(bytes[1])) % 31 == 0
    open(windowBits: isZlib ? 15 : -15)
    try unsafe bytes.span.withUnsafeBufferPointer { (bytes) throws(CompressionError) in
      try unsafe inflate(bytes, &output)
    }
  }

  private func open(windowBits: Int32) {
    let code = unsafe czlib_inflate_init(stream, windowBits)
    precondition(code == Z_OK, "inflateInit2 failed with \(code)")
    isOpen = true
    phase = .inside
  }

  private func inflate(_ bytes: UnsafeBufferPointer<UInt8>, _ output: inout [UInt8]) throws(CompressionError) {
    // zlib does not write through next_in; its type lacks the const. A part is bounded because avail_in is 32 bits.
    unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
    var left = bytes.count
    while left > 0 {
      let part = min(left, 1 << 30)
      unsafe stream.pointee.avail_in = UInt32(part)
      try inflatePart(&output)
      left -= part
    }
  }

  private func inflatePart(_ output: inout [UInt8]) throws(CompressionError) {
    repeat {
      if case .ended = phase { try beginNextMember() }
      unsafe stream.pointee.next_out = unsafe scratch
      unsafe stream.pointee.avail_out = UInt32(Inflater.scratchBytes)
      let code = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
      let count = unsafe Inflater.scratchBytes - Int(stream.pointee.avail_out)
      guard count <= bytesMax - inflatedBytes else { throw .tooLarge(bytesMax: bytesMax) }
      unsafe output.append(contentsOf: UnsafeBufferPointer(start: scratch, count: count))
      inflatedBytes += count
      switch code {
      case Z_STREAM_END: phase = .ended
      // Z_BUF_ERROR: nothing more to do with this input, which is no error.
      case Z_OK, Z_BUF_ERROR: if unsafe stream.pointee.avail_out > 0 { return }
      default: throw .malformed(message(code))
      }
    } while unsafe stream.pointee.avail_in > 0 || !isEnded
  }

  private var isEnded: Bool { if case .ended = phase { true } else { false } }

  private func beginNextMember() throws(CompressionError) {
    guard case .gzip = format else { throw .malformed("bytes follow the end") }
    unsafe inflateReset(stream)
    phase = .inside
  }

  private func message(_ code: Int32) -> String {
    if code == Z_NEED_DICT { return "a preset dictionary is needed" }
    return unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "zlib error \(code)"
  }
}
