// SPDX-License-Identifier: Apache-2.0

// A body that is not compressed, under the same bound as those that are.

/// Copies chunks as they are.
package final class Passthrough: Decompressor {
  private let bytesMax: Int
  private var bytesCopied = 0
  private var isTooLarge = false

  /// - Parameter bytesMax: most bytes of the whole body.
  package init(bytesMax: Int) {
    self.bytesMax = bytesMax
  }

  package func append(_ chunk: Span<UInt8>, to output: inout [UInt8]) throws(CompressionError) {
    guard !isTooLarge, bytesCopied + chunk.count <= bytesMax else {
      isTooLarge = true
      throw .tooLarge(bytesMax: bytesMax)
    }
    bytesCopied += chunk.count
    unsafe chunk.withUnsafeBufferPointer { unsafe output.append(contentsOf: $0) }
  }

  package func finish(to output: inout [UInt8]) throws(CompressionError) {}
}
