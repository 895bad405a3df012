// SPDX-License-Identifier: Apache-2.0

// Percent-decoding of paths and query arguments (RFC 3986, section 2.1), as bytes: what is not UTF-8 is repaired only
// where a String is made of it.

enum PercentDecoding {
  // Splits a path at "/" and decodes each segment. False when a "%" is not followed by two hexadecimal digits or
  // stands for NUL, or there are more than `segmentsMax` segments. `path` begins with "/".
  static func decodePath(
    _ text: Span<UInt8>, into path: inout [UInt8], segments: inout [Range<Int>], segmentsMax: Int
  ) -> Bool {
    path.removeAll(keepingCapacity: true)
    segments.removeAll(keepingCapacity: true)
    guard text.count > 0, text[0] == UInt8(ascii: "/") else { return false }
    path.append(UInt8(ascii: "/"))
    var start = 1
    var index = 1
    while index < text.count {
      let byte = text[index]
      if byte == UInt8(ascii: "/") {
        segments.append(start..<path.count)
        guard segments.count < segmentsMax else { return false }
        start = path.count + 1
        path.append(byte)
        index += 1
      } else if byte == UInt8(ascii: "%") {
        // A NUL ends a string in C, so what is checked here would not be what is opened there.
        guard let decoded = escaped(text, at: index), decoded != 0 else { return false }
        path.append(decoded)
        index += 3
      } else {
        path.append(byte)
        index += 1
      }
    }
    segments.append(start..<path.count)
    return true
  }

  // Decodes a name or value of the query. A "%" that begins no escape stays as it is, as browsers do; "+" was already
  // turned into a space by libmicrohttpd.
  static func decode(_ text: Span<UInt8>, into bytes: inout [UInt8]) {
    bytes.removeAll(keepingCapacity: true)
    var index = 0
    while index < text.count {
      if text[index] == UInt8(ascii: "%"), let decoded = escaped(text, at: index) {
        bytes.append(decoded)
        index += 3
      } else {
        bytes.append(text[index])
        index += 1
      }
    }
  }

  private static func escaped(_ text: Span<UInt8>, at index: Int) -> UInt8? {
    guard index + 2 < text.count, let high = digit(text[index + 1]), let low = digit(text[index + 2]) else {
      return nil
    }
    return high << 4 | low
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
