// SPDX-License-Identifier: Apache-2.0

// How numbers are packed in what the store keeps: LEB128 varints, zigzag for signed ones, doubles as eight bytes, the
// lowest first. What the numbers mean is said where they are written (Histogram, Block, Journal).

/// Stored bytes that this program cannot have written: the file is damaged.
package struct DamagedBytes: Error, Equatable, CustomStringConvertible {
  package let offset: Int
  package var description: String { "stored bytes: damaged at byte \(offset)" }

  package init(offset: Int) {
    self.offset = offset
  }
}

/// Appends numbers to bytes.
package struct PackedWriter {
  package private(set) var bytes: [UInt8] = []

  package init(capacity: Int = 0) {
    bytes.reserveCapacity(capacity)
  }

  package mutating func byte(_ value: UInt8) { bytes.append(value) }

  package mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// - Parameter value: at least 0.
  package mutating func count(_ value: Int) { varint(UInt64(value)) }

  package mutating func signed(_ value: Int64) {
    varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  package mutating func double(_ value: Double) {
    let bits = value.bitPattern
    for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) }
  }

  package mutating func append(_ other: [UInt8]) { bytes += other }
}

/// LEB128 of 64 bits.
enum Varint {
  /// Nearly always one byte.
  ///
  /// - Parameter position: moved behind it; after an error somewhere within it.
  @inline(__always)
  static func read(_ bytes: Span<UInt8>, _ position: inout Int, end: Int) throws(DamagedBytes) -> UInt64 {
    guard position < end else { throw DamagedBytes(offset: position) }
    let first = bytes[position]
    position += 1
    return first < 0x80 ? UInt64(first) : try readOn(bytes, &position, end: end, low: UInt64(first & 0x7f))
  }

  private static func readOn(
    _ bytes: Span<UInt8>, _ position: inout Int, end: Int, low: UInt64
  ) throws(DamagedBytes) -> UInt64 {
    var value = low
    var shift: UInt64 = 7
    while position < end, shift < 64 {
      let byte = bytes[position]
      position += 1
      // The tenth byte has room for one bit.
      guard shift < 63 || byte <= 1 else { break }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw DamagedBytes(offset: position)
  }
}

/// Reads what a `PackedWriter` wrote. Every method throws `DamagedBytes` where the bytes end too early.
package struct PackedReader {
  private let bytes: [UInt8]
  package private(set) var position: Int

  /// - Parameter position: where to begin, at most at the end.
  package init(_ bytes: [UInt8], at position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  package var isAtEnd: Bool { position == bytes.count }

  package var bytesLeft: Int { bytes.count - position }

  package var damage: DamagedBytes { DamagedBytes(offset: position) }

  package mutating func byte() throws(DamagedBytes) -> UInt8 {
    guard position < bytes.count else { throw damage }
    defer { position += 1 }
    return bytes[position]
  }

  @inline(__always)
  package mutating func varint() throws(DamagedBytes) -> UInt64 {
    var place = position
    defer { position = place }
    return try Varint.read(bytes.span, &place, end: bytes.count)
  }

  /// A count or index of at most `max`; where that is negative, none is right.
  package mutating func count(max: Int) throws(DamagedBytes) -> Int {
    let value = try varint()
    guard max >= 0, value <= UInt64(max) else { throw damage }
    return Int(value)
  }

  package mutating func signed() throws(DamagedBytes) -> Int64 {
    let value = try varint()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  package mutating func double() throws(DamagedBytes) -> Double {
    guard bytes.count - position >= 8 else { throw damage }
    var bits: UInt64 = 0
    for index in 0..<8 { bits |= UInt64(bytes[position + index]) << UInt64(index * 8) }
    position += 8
    return Double(bitPattern: bits)
  }
}
