// SPDX-License-Identifier: Apache-2.0

// Decompression of what clients send: whole, in pieces, cut off, damaged, hostile.

import Compression
import Testing

private func samples() -> [[UInt8]] {
  var random = SystemRandomNumberGenerator()
  let noise = (0..<200_000).map { _ in UInt8.random(in: .min ... .max, using: &random) }
  let lines = Array(repeatElement(Array("{\"event\":\"cache_get\",\"hit\":true}\n".utf8), count: 20_000).joined())
  return [[], [0], Array("hello".utf8), noise, lines]
}

@Test(arguments: [Deflater.Format.gzip, .zlib, .raw], [Int.max, 1_000, 7])
func whatWasCompressedComesBack(_ format: Deflater.Format, _ chunk: Int) throws {
  for sample in samples() {
    let bytes = Deflater.compress(sample.span, format)
    let encoding: ContentEncoding = if case .gzip = format { .gzip } else { .deflate }
    #expect(try decompress(bytes, encoding, chunk: chunk) == sample)
  }
}

@Test(arguments: [Deflater.Format.gzip, .zlib, .raw])
func oneByteAtATimeIsEnough(_ format: Deflater.Format) throws {
  let sample = samples()[4]
  let bytes = Deflater.compress(sample.span, format)
  let encoding: ContentEncoding = if case .gzip = format { .gzip } else { .deflate }
  #expect(try decompress(bytes, encoding, chunk: 1) == sample)
}

@Test(arguments: [Int.max, 1, 5])
func severalGzipMembersAreOneBody(_ chunk: Int) throws {
  let parts = [Array("one ".utf8), [], Array("two ".utf8), Array("three".utf8)]
  #expect(try decompress(parts.flatMap { gzip($0) }, .gzip, chunk: chunk) == Array("one two three".utf8))
}

@Test func aBombIsStoppedAtTheBound() throws {
  let bomb = gzip([UInt8](repeating: 0, count: 50 << 20))
  let inflater = Inflater(.gzip, bytesMax: 1 << 20)
  var output: [UInt8] = []
  #expect(throws: CompressionError.tooLarge(bytesMax: 1 << 20)) { try inflater.append(bomb.span, to: &output) }
  #expect(output.count <= 1 << 20)
  #expect(throws: CompressionError.tooLarge(bytesMax: 1 << 20)) {
    try inflater.append([UInt8](repeating: 0, count: 1).span, to: &output)
  }
  #expect(throws: CompressionError.tooLarge(bytesMax: 1 << 20)) { try inflater.finish(to: &output) }
}

@Test func theBoundItselfIsAllowed() throws {
  let bytes = gzip([UInt8](repeating: 7, count: 100_000))
  #expect(try decompress(bytes, .gzip, bytesMax: 100_000).count == 100_000)
  #expect(throws: CompressionError.tooLarge(bytesMax: 99_999)) { try decompress(bytes, .gzip, bytesMax: 99_999) }
  #expect(try decompress(gzip([]), .gzip, bytesMax: 0) == [])
}

@Test(arguments: [Deflater.Format.gzip, .zlib, .raw])
func everyPrefixIsTruncated(_ format: Deflater.Format) throws {
  let bytes = Deflater.compress(Array("a body of some bytes, a body".utf8).span, format)
  let encoding: ContentEncoding = if case .gzip = format { .gzip } else { .deflate }
  for count in 0..<bytes.count {
    #expect(throws: CompressionError.truncated, "\(count) bytes") { try decompress(Array(bytes[..<count]), encoding) }
  }
}

@Test func whatFollowsTheEndIsRefused() throws {
  for garbage: [UInt8] in [[1], [0x1F, 0x8C], Array("garbage".utf8)] {
    let isMalformed = { (error: CompressionError) in if case .malformed = error { true } else { error == .truncated } }
    for chunk in [Int.max, 1] {
      let error = #expect(throws: CompressionError.self) { try decompress(gzip([1, 2]) + garbage, .gzip, chunk: chunk) }
      #expect(isMalformed(error!))
    }
    let zlib = Deflater.compress([UInt8](1...2).span, .zlib)
    #expect(throws: CompressionError.malformed("bytes follow the end")) { try decompress(zlib + garbage, .deflate) }
  }
}

@Test func damageNeverPassesUnnoticed() throws {
  let sample = samples()[4]
  let bytes = gzip(sample)
  // Bytes 4 to 9 of the header are time, flags and system, which nothing depends on.
  for index in stride(from: 10, to: bytes.count, by: max(1, bytes.count / 97)) {
    var damaged = bytes
    damaged[index] ^= 0x55
    #expect(throws: CompressionError.self, "byte \(index)") { try decompress(damaged, .gzip) }
  }
  #expect(throws: CompressionError.malformed("incorrect header check")) { try decompress(Array("plain text".utf8), .gzip) }
}

@Test func encodingsAreKnownByName() {
  #expect(ContentEncoding(name: "gzip") == .gzip)
  #expect(ContentEncoding(name: "X-GZIP") == .gzip)
  #expect(ContentEncoding(name: "deflate") == .deflate)
  #expect(ContentEncoding(name: "identity") == .identity)
  #expect(ContentEncoding(name: "") == .identity)
  #expect(ContentEncoding(name: "Zstd") == .zstd)
  #expect(ContentEncoding(name: "snappy") == .snappy)
  #expect(ContentEncoding(name: "x-snappy-framed") == .snappy)
  #expect(ContentEncoding(name: "br") == nil)
  #expect(ContentEncoding(name: "gzip, gzip") == nil)
}

@Test func anUncompressedBodyIsCopiedUnderTheSameBound() throws {
  let decompressor = ContentEncoding.identity.makeDecompressor(bytesMax: 3)
  var output: [UInt8] = []
  func append(_ chunk: [UInt8]) throws { try decompressor.append(chunk.span, to: &output) }
  try append([1, 2])
  try append([3])
  #expect(output == [1, 2, 3])
  #expect(throws: CompressionError.tooLarge(bytesMax: 3)) { try append([4]) }
  #expect(throws: CompressionError.tooLarge(bytesMax: 3)) { try append([]) }
  #expect(output == [1, 2, 3])
}
