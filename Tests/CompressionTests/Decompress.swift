// SPDX-License-Identifier: Apache-2.0

import Compression

/// All of a body, handed over in chunks.
func decompress(
  _ bytes: [UInt8], _ encoding: ContentEncoding, chunk: Int = .max, bytesMax: Int = 64 << 20
) throws(CompressionError) -> [UInt8] {
  let decompressor = encoding.makeDecompressor(bytesMax: bytesMax)
  var output: [UInt8] = []
  var start = 0
  while start < bytes.count {
    let end = start + min(chunk, bytes.count - start)
    try decompressor.append(bytes.span.extracting(start..<end), to: &output)
    start = end
  }
  try decompressor.finish(to: &output)
  return output
}
