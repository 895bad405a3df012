// SPDX-License-Identifier: Apache-2.0

// Protobuf messages for tests, written field by field.

func varint(_ value: UInt64) -> [UInt8] {
  var bytes: [UInt8] = []
  var rest = value
  while rest >= 0x80 {
    bytes.append(UInt8(rest & 0x7f) | 0x80)
    rest >>= 7
  }
  return bytes + [UInt8(rest)]
}

/// A field with a text, bytes or a message.
func field(_ number: UInt64, _ content: [UInt8]) -> [UInt8] {
  varint(number << 3 | 2) + varint(UInt64(content.count)) + content
}

func field(_ number: UInt64, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }

/// A field with a number.
func field(_ number: UInt64, _ value: Int64) -> [UInt8] { varint(number << 3) + varint(UInt64(bitPattern: value)) }

func fixed64(_ number: UInt64, _ value: UInt64) -> [UInt8] {
  varint(number << 3 | 1) + (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
}
