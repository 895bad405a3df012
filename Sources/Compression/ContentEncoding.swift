// SPDX-License-Identifier: Apache-2.0

// The compressions a body may come in, by the names HTTP gives them. Another one is a case here and a Decompressor of
// its own.

/// How a body is compressed (RFC 9110, section 8.4.1).
package enum ContentEncoding: Sendable, CaseIterable {
  case identity, gzip, deflate, zstd, snappy

  /// - Parameter name: one value of Content-Encoding in any case; "x-gzip" is gzip, "x-snappy-framed" snappy, whose two
  ///   formats its bytes tell apart, "" is identity. Nil for others, lists of several encodings included.
  package init?(name: String) {
    switch name.lowercased() {
    case "", "identity": self = .identity
    case "gzip", "x-gzip": self = .gzip
    case "deflate": self = .deflate
    case "zstd": self = .zstd
    case "snappy", "x-snappy-framed": self = .snappy
    default: return nil
    }
  }

  /// The names to offer to somebody who sent another one.
  package static let names = "gzip, deflate, zstd, snappy or identity"

  /// A fresh decompressor; identity's copies.
  ///
  /// - Parameter bytesMax: most decompressed bytes of the whole body.
  package func makeDecompressor(bytesMax: Int) -> any Decompressor {
    switch self {
    case .identity: Passthrough(bytesMax: bytesMax)
    case .gzip: Inflater(.gzip, bytesMax: bytesMax)
    case .deflate: Inflater(.deflate, bytesMax: bytesMax)
    case .zstd: ZstdDecompressor(bytesMax: bytesMax)
    case .snappy: SnappyDecompressor(bytesMax: bytesMax)
    }
  }
}

/// Decompresses one body as its chunks arrive. Not for several threads at once.
package protocol Decompressor: AnyObject {
  /// Appends what `chunk` decompresses to. `output` may be emptied between calls; the bound counts all calls together.
  ///
  /// - Throws: `.malformed`, `.tooLarge`. Every later call throws the same; `output` then holds at most `bytesMax`.
  func append(_ chunk: Span<UInt8>, to output: inout [UInt8]) throws(CompressionError)

  /// No chunk follows. Appends what only now can be decompressed.
  ///
  /// - Throws: `.truncated` when the encoding's end was not reached, or the earlier error.
  func finish(to output: inout [UInt8]) throws(CompressionError)

  /// Bytes held back until `finish`, and what `finish` will append: memory that `output` does not show.
  var heldBytes: Int { get }
}

extension Decompressor {
  package var heldBytes: Int { 0 }
}
