// SPDX-License-Identifier: Apache-2.0

// Compression in one call, for responses and tests. Large bodies that arrive in parts are only ever decompressed.

internal import CZlib

/// Compresses whole bodies.
package enum Deflater {
  package enum Format: Sendable {
    case gzip
    /// What HTTP calls "deflate".
    case zlib
    /// Bare deflate.
    case raw

    fileprivate var windowBits: Int32 {
      switch self {
      case .gzip: 15 + 16
      case .zlib: 15
      case .raw: -15
      }
    }
  }

  /// - Parameter level: 1 (fast) ... 9 (small).
  package static func compress(_ bytes: Span<UInt8>, _ format: Format, level: Int = 6) -> [UInt8] {
    precondition((1...9).contains(level), "a compression level is 1 to 9")
    precondition(bytes.count <= 1 << 30, "zlib counts input in 32 bits; compress at most 1 GiB")
    // zlib keeps a pointer back to its stream, which therefore must not move.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let opened = unsafe czlib_deflate_init(stream, Int32(level), format.windowBits)
    precondition(opened == Z_OK, "deflateInit2 failed with \(opened)")
    defer {
      unsafe deflateEnd(stream)
      unsafe stream.deallocate()
    }
    let bound = unsafe Int(deflateBound(stream, UInt(bytes.count)))
    return unsafe bytes.withUnsafeBufferPointer { source in
      unsafe [UInt8](unsafeUninitializedCapacity: bound) { target, count in
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
        unsafe stream.pointee.avail_in = UInt32(source.count)
        unsafe stream.pointee.next_out = target.baseAddress
        unsafe stream.pointee.avail_out = UInt32(bound)
        // deflateBound guarantees that one call is enough.
        let code = unsafe deflate(stream, Z_FINISH)
        precondition(code == Z_STREAM_END, "deflate failed with \(code)")
        count = unsafe bound - Int(stream.pointee.avail_out)
      }
    }
  }
}

/// `bytes` as one gzip member.
package func gzip(_ bytes: [UInt8], level: Int = 6) -> [UInt8] {
  Deflater.compress(bytes.span, .gzip, level: level)
}
