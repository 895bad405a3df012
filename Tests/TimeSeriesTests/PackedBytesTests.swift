// SPDX-License-Identifier: Apache-2.0

// Numbers as bytes: every number comes back, and bytes that no writer wrote are refused.

import Testing
import TimeSeries

private func bytes(_ write: (inout PackedWriter) -> Void) -> [UInt8] {
  var writer = PackedWriter()
  write(&writer)
  return writer.bytes
}

private let top: [UInt8] = Array(repeating: 0xff, count: 9)

@Test(arguments: [
  (0, [0x00]), (1, [0x01]), (127, [0x7f]), (128, [0x80, 0x01]), (16_383, [0xff, 0x7f]), (16_384, [0x80, 0x80, 0x01]),
  (1 << 63 - 1, Array(repeating: 0xff, count: 8) + [0x7f]), (1 << 63, Array(repeating: 0x80, count: 9) + [0x01]),
  (.max, top + [0x01]),
] as [(UInt64, [UInt8])])
func aVarintIsSevenBitsAByteLowestFirst(value: UInt64, expected: [UInt8]) throws {
  #expect(bytes { $0.varint(value) } == expected)
  var reader = PackedReader(expected)
  #expect(try reader.varint() == value)
  #expect(reader.isAtEnd)
}

@Test(arguments: [
  (0, [0x00]), (-1, [0x01]), (1, [0x02]), (63, [0x7e]), (-64, [0x7f]), (64, [0x80, 0x01]), (-65, [0x81, 0x01]),
  (.max, [0xfe] + Array(repeating: 0xff, count: 8) + [0x01]), (.min, top + [0x01]),
] as [(Int64, [UInt8])])
func aSignedNumberNearZeroIsShort(value: Int64, expected: [UInt8]) throws {
  #expect(bytes { $0.signed(value) } == expected)
  var reader = PackedReader(expected)
  #expect(try reader.signed() == value)
  #expect(reader.isAtEnd)
}

@Test(arguments: [
  ([], 0, "nothing"),
  ([0x80], 1, "a number that ends in its middle"),
  (top, 9, "nine bytes of a number of ten"),
  (top + [0x02], 10, "a tenth byte with a second bit"),
  (top + [0x81, 0x00], 10, "an eleventh byte"),
  (Array(repeating: 0x80, count: 20) + [0x01], 10, "a number of 21 bytes"),
] as [([UInt8], Int, String)])
func aVarintThatIsNoneIsRefused(bytes: [UInt8], offset: Int, what: String) {
  #expect(throws: DamagedBytes(offset: offset), "\(what)") {
    var reader = PackedReader(bytes)
    _ = try reader.varint()
  }
}

@Test func aCountIsRefusedOnePastItsBound() throws {
  func read(_ value: UInt64, max: Int) throws -> Int {
    var reader = PackedReader(bytes { $0.varint(value) })
    return try reader.count(max: max)
  }
  #expect(try read(5, max: 5) == 5)
  #expect(throws: DamagedBytes.self) { try read(6, max: 5) }
  #expect(try read(1 << 63 - 1, max: .max) == .max)
  #expect(throws: DamagedBytes.self) { try read(1 << 63, max: .max) }
  #expect(try read(0, max: 0) == 0)
}

@Test(arguments: [0, -0.0, 1, 0.1, .pi, .infinity, -.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude])
func aDoubleComesBackBitByBit(value: Double) throws {
  let packed = bytes { $0.double(value) }
  #expect(packed.count == 8)
  var reader = PackedReader(packed)
  #expect(try reader.double().bitPattern == value.bitPattern)
  #expect(throws: DamagedBytes(offset: 0)) {
    var short = PackedReader(Array(packed.dropLast()))
    _ = try short.double()
  }
}

@Test func numbersInARowComeBackInOrder() throws {
  let seed = SeededRandom.seed(for: "numbersInARowComeBackInOrder")
  var random = SeededRandom(state: seed)
  for _ in 0..<200 {
    // Of every length: a shift takes as many bits away.
    let numbers = (0..<50).map { _ in
      Int64(truncatingIfNeeded: random.next()) >> Int64.random(in: 0...63, using: &random)
    }
    let packed = bytes { writer in
      for number in numbers {
        writer.signed(number)
        writer.varint(UInt64(bitPattern: number))
        writer.byte(UInt8(truncatingIfNeeded: number))
      }
    }
    var reader = PackedReader(packed)
    for number in numbers {
      #expect(try reader.signed() == number, "RAMPART_SEED=\(seed)")
      #expect(try reader.varint() == UInt64(bitPattern: number), "RAMPART_SEED=\(seed)")
      #expect(try reader.byte() == UInt8(truncatingIfNeeded: number), "RAMPART_SEED=\(seed)")
    }
    #expect(reader.isAtEnd)
    #expect(throws: DamagedBytes(offset: packed.count)) { try reader.byte() }
  }
}
