// SPDX-License-Identifier: Apache-2.0

// MessagePack values for tests, written as their specification has them.

indirect enum Packed {
  case null
  case bool(Bool)
  case int(Int64)
  case unsigned(UInt64)
  case double(Double)
  case float(Float)
  case text(String)
  case bytes([UInt8])
  case array([Packed])
  case map([(String, Packed)])
  /// An extension's type and content.
  case ext(UInt8, [UInt8])
  /// Bytes as they are.
  case raw([UInt8])

  /// Fluent's time of nanoseconds.
  static func time(_ seconds: UInt32, _ nanoseconds: UInt32 = 0) -> Packed {
    .ext(0, bigEndian(UInt64(seconds), 4) + bigEndian(UInt64(nanoseconds), 4))
  }

  var bytes: [UInt8] {
    switch self {
    case .null: [0xc0]
    case .bool(let value): [value ? 0xc3 : 0xc2]
    case .int(let value): Packed.integer(value)
    case .unsigned(let value): value < 0x80 ? [UInt8(value)] : [0xcf] + bigEndian(value, 8)
    case .double(let value): [0xcb] + bigEndian(value.bitPattern, 8)
    case .float(let value): [0xca] + bigEndian(UInt64(value.bitPattern), 4)
    case .text(let text): Packed.head(text.utf8.count, short: 0xa0, below: 32, [(0xd9, 1), (0xda, 2), (0xdb, 4)]) + Array(text.utf8)
    case .bytes(let bytes): Packed.head(bytes.count, short: 0, below: 0, [(0xc4, 1), (0xc5, 2), (0xc6, 4)]) + bytes
    case .array(let values):
      Packed.head(values.count, short: 0x90, below: 16, [(0xdc, 2), (0xdd, 4)]) + values.flatMap(\.bytes)
    case .map(let pairs):
      Packed.head(pairs.count, short: 0x80, below: 16, [(0xde, 2), (0xdf, 4)])
        + pairs.flatMap { Packed.text($0.0).bytes + $0.1.bytes }
    case .ext(let type, let content):
      if let short = [1, 2, 4, 8, 16].firstIndex(of: content.count) {
        [0xd4 + UInt8(short), type] + content
      } else {
        Packed.head(content.count, short: 0, below: 0, [(0xc7, 1), (0xc8, 2), (0xc9, 4)]) + [type] + content
      }
    case .raw(let bytes): bytes
    }
  }

  private static func integer(_ value: Int64) -> [UInt8] {
    switch value {
    case 0..<0x80: [UInt8(value)]
    case -32..<0: [UInt8(bitPattern: Int8(value))]
    case Int64(Int8.min)..<0: [0xd0] + bigEndian(UInt64(bitPattern: value), 1)
    case Int64(Int16.min)..<0: [0xd1] + bigEndian(UInt64(bitPattern: value), 2)
    case Int64(Int32.min)..<0: [0xd2] + bigEndian(UInt64(bitPattern: value), 4)
    case ..<0: [0xd3] + bigEndian(UInt64(bitPattern: value), 8)
    case ...0xff: [0xcc] + bigEndian(UInt64(value), 1)
    case ...0xffff: [0xcd] + bigEndian(UInt64(value), 2)
    case ...0xffff_ffff: [0xce] + bigEndian(UInt64(value), 4)
    default: [0xcf] + bigEndian(UInt64(value), 8)
    }
  }

  private static func head(_ count: Int, short: UInt8, below: Int, _ wide: [(UInt8, Int)]) -> [UInt8] {
    if count < below { return [short | UInt8(count)] }
    let (byte, width) = wide.first { count >> (8 * $0.1) == 0 } ?? wide[wide.count - 1]
    return [byte] + bigEndian(UInt64(count), width)
  }
}

func bigEndian(_ value: UInt64, _ width: Int) -> [UInt8] {
  (0..<width).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (width - 1 - $0))) }
}
