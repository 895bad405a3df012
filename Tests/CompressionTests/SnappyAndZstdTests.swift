// SPDX-License-Identifier: Apache-2.0

// The encodings that shippers send beside zlib's. The zstd bodies were made by the zstd command.

import Compression
import Testing

private func line(_ number: Int) -> [UInt8] { Array("{\"event_type\":\"cache_hit\",\"key\":\"user:\(number)\"}\n".utf8) }
private let lines: [UInt8] = (0..<20_000).flatMap(line)

/// `printf 'hello\n' | zstd --no-check`: one frame.
private let helloFrame: [UInt8] = [
  0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x31, 0x00, 0x00, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x0a,
]
/// 1 MiB of zeroes: a header for a window of 1 MiB and eight blocks of one repeated byte.
private let zeroes: [UInt8] =
  [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50] + (0..<8).flatMap { [$0 == 7 ? 0x03 : 0x02, 0x00, 0x10, 0x00] as [UInt8] }

@Test(arguments: [Int.max, 1, 7])
func aZstdBodyIsOneFrameOrSeveral(_ chunk: Int) throws {
  #expect(try decompress(helloFrame, .zstd, chunk: chunk) == Array("hello\n".utf8))
  #expect(try decompress(helloFrame + helloFrame, .zstd, chunk: chunk) == Array("hello\nhello\n".utf8))
  // A skippable frame of three bytes.
  let skippable: [UInt8] = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]
  #expect(try decompress(skippable + helloFrame, .zstd, chunk: chunk) == Array("hello\n".utf8))
}

@Test func everyPrefixOfAZstdBodyIsTruncated() throws {
  for count in 0..<helloFrame.count {
    #expect(throws: CompressionError.truncated, "\(count) bytes") { try decompress(Array(helloFrame[..<count]), .zstd) }
  }
}

@Test(arguments: [Int.max, 1])
func aZstdBombIsStoppedAtTheBound(_ chunk: Int) throws {
  #expect(try decompress(zeroes, .zstd, chunk: chunk).count == 1 << 20)
  #expect(try decompress(zeroes, .zstd, chunk: chunk, bytesMax: 1 << 20).count == 1 << 20)
  #expect(throws: CompressionError.tooLarge(bytesMax: 1 << 20 - 1)) {
    try decompress(zeroes, .zstd, chunk: chunk, bytesMax: 1 << 20 - 1)
  }
}

@Test func aZstdFrameThatWantsALargeWindowIsRefused() throws {
  // The same blocks under a window of 16 MiB.
  var frame = zeroes
  frame[5] = 0x70
  #expect(throws: CompressionError.self) { try decompress(frame, .zstd) }
}

@Test func whatIsNotZstdIsRefused() throws {
  for bytes in [Array("plain text".utf8), helloFrame + [1, 2, 3, 4], gzip([1])] {
    #expect(throws: CompressionError.self) { try decompress(bytes, .zstd) }
  }
}

@Test(arguments: [Int.max, 1_000, 1])
func snappyComesAsABlockAndFramed(_ chunk: Int) throws {
  for sample in [Array("hello".utf8), lines, [UInt8](repeating: 0, count: 200_000)] {
    if chunk == 1, sample.count > 1_000_000 { continue }
    #expect(try decompress(Snappy.compress(sample.span), .snappy, chunk: chunk) == sample)
    #expect(try decompress(Snappy.frame(sample, isCompressed: true), .snappy, chunk: chunk) == sample)
    #expect(try decompress(Snappy.frame(sample, isCompressed: false), .snappy, chunk: chunk) == sample)
  }
  #expect(try decompress(Snappy.compress([UInt8]().span), .snappy, chunk: chunk) == [])
  #expect(try decompress(Snappy.frame([], isCompressed: true), .snappy, chunk: chunk) == [])
}

@Test func snappyIsBoundedByWhatItClaimsBeforeAnythingIsAllocated() throws {
  let zeroes = Snappy.compress([UInt8](repeating: 0, count: 100_000).span)
  #expect(try decompress(zeroes, .snappy, bytesMax: 100_000).count == 100_000)
  #expect(throws: CompressionError.tooLarge(bytesMax: 99_999)) { try decompress(zeroes, .snappy, bytesMax: 99_999) }
  // Four bytes that claim 64 MiB.
  #expect(throws: CompressionError.malformed("a snappy block with a wrong length")) {
    try decompress([0x80, 0x80, 0x80, 0x20], .snappy)
  }
  let framed = Snappy.frame([UInt8](repeating: 0, count: 200_000), isCompressed: true)
  #expect(throws: CompressionError.tooLarge(bytesMax: 199_999)) { try decompress(framed, .snappy, bytesMax: 199_999) }
}

@Test func aHeldBlockShowsInTheBudget() throws {
  let block = Snappy.compress(lines.span)
  let decompressor = SnappyDecompressor(bytesMax: 64 << 20)
  var output: [UInt8] = []
  try decompressor.append(block.span, to: &output)
  #expect(output.isEmpty && decompressor.heldBytes == block.count + lines.count)
  try decompressor.finish(to: &output)
  #expect(output == lines && decompressor.heldBytes == 0)
}

@Test func brokenSnappyIsRefused() throws {
  let framed = Snappy.frame(lines, isCompressed: true)
  #expect(throws: CompressionError.truncated) { try decompress(Array(framed.dropLast()), .snappy) }
  #expect(throws: CompressionError.truncated) { try decompress([], .snappy) }
  var damaged = framed
  damaged[16] ^= 1
  #expect(throws: CompressionError.malformed("a wrong checksum")) { try decompress(damaged, .snappy) }
  damaged = framed
  damaged[10] = 2
  #expect(throws: CompressionError.malformed("a chunk of the unknown type 2")) { try decompress(damaged, .snappy) }
  damaged = framed
  damaged[13] = 0xff
  #expect(throws: CompressionError.self) { try decompress(damaged, .snappy) }
  #expect(throws: CompressionError.self) { try decompress(Array("plain text".utf8), .snappy) }
}

@Test func anyDamageToABodyEndsInAnErrorOrInBytes() {
  let seed = SeededRandom.seed(for: "anyDamageToABodyEndsInAnErrorOrInBytes")
  var random = SeededRandom(state: seed)
  let sample = Array(lines.prefix(3_000))
  let bodies: [(ContentEncoding, [UInt8])] = [
    (.zstd, helloFrame + zeroes), (.snappy, Snappy.compress(sample.span)), (.snappy, Snappy.frame(sample, isCompressed: true)),
  ]
  for (encoding, body) in bodies {
    for _ in 0..<2_000 {
      var damaged = body
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let output = try? decompress(damaged, encoding, chunk: Int.random(in: 1...4_000, using: &random), bytesMax: 2 << 20)
      #expect((output?.count ?? 0) <= 2 << 20, "seed \(seed)")
    }
  }
}
