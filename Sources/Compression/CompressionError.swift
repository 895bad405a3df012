// SPDX-License-Identifier: Apache-2.0

// Why compressed bytes cannot be used. All three are the sender's doing.

/// Why decompression stopped.
package enum CompressionError: Error, Equatable, CustomStringConvertible {
  /// The bytes are not what the encoding prescribes, or more follow its end.
  case malformed(String)
  /// The decompressed bytes exceed the bound.
  case tooLarge(bytesMax: Int)
  /// The bytes ended too early.
  case truncated

  package var description: String {
    switch self {
    case .malformed(let message): "compressed body: malformed: \(message)"
    case .tooLarge(let bytesMax): "compressed body: more than \(bytesMax) bytes when decompressed; send it in parts"
    case .truncated: "compressed body: it ends too early"
    }
  }
}
