// SPDX-License-Identifier: Apache-2.0

// Strings: finding their end while checking UTF-8 and escapes, and decoding them where somebody wants the text.

extension JSONCursor {
  /// Moves past a string; the cursor must stand on its opening quote.
  @inlinable @inline(__always)
  public mutating func string(_ bytes: Span<UInt8>) throws(JSONFault) -> JSONString {
    let start = position &+ 1
    if let end = Plain.stringEnd(bytes, from: start) {
      position = end &+ 1
      return JSONString(start: start, end: end, hasEscapes: false)
    }
    // A copy, so that a cursor whose address goes nowhere else stays in a register.
    var cursor = self
    defer { self = cursor }
    return try cursor.anyString(bytes)
  }

  /// The same for strings that are not plain.
  @usableFromInline
  mutating func anyString(_ bytes: Span<UInt8>) throws(JSONFault) -> JSONString {
    let start = position + 1
    var index = start
    var hasEscapes = false
    while index < bytes.count {
      // Eight bytes at a time up to the first one that is not plain.
      while index + 8 <= bytes.count {
        let marks = Word.stringMarks(in: Word.eight(bytes, index))
        index += marks == 0 ? 8 : marks.trailingZeroBitCount >> 3
        if marks != 0 { break }
      }
      guard index < bytes.count else { break }
      let byte = bytes[index]
      if byte == UInt8(ascii: "\"") {
        position = index + 1
        return JSONString(start: start, end: index, hasEscapes: hasEscapes)
      }
      if byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\\") {
        index += 1
        continue
      }
      position = index
      if byte == UInt8(ascii: "\\") { hasEscapes = true }
      try skipUncommon(byte, bytes)
      index = position
    }
    position = bytes.count
    throw .unexpectedEnd
  }

  /// Moves past an escape or a character beyond ASCII.
  private mutating func skipUncommon(_ byte: UInt8, _ bytes: Span<UInt8>) throws(JSONFault) {
    if byte < 0x20 { throw .controlCharacter }
    if byte != UInt8(ascii: "\\") {
      let length = UTF8Length.ofCharacter(at: position, in: bytes)
      guard length > 0 else { throw .invalidUTF8 }
      position += length
      return
    }
    guard position + 1 < bytes.count else { throw fault(.unexpectedEnd, at: bytes.count) }
    switch bytes[position + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 2
    case UInt8(ascii: "u"):
      _ = try unicodeEscape(bytes)
    default: throw fault(.invalidEscape, at: position + 1)
    }
  }

  /// Appends the text of a string that this cursor handed out, its escapes decoded.
  public static func append(_ string: JSONString, of bytes: Span<UInt8>, to text: inout [UInt8]) {
    // An escape is never shorter than what it stands for, so there is room for all of it from the start, and no byte asks.
    text.append(addingCapacity: string.count) { (output: inout OutputSpan<UInt8>) in
      guard string.hasEscapes else {
        for index in string.start..<string.end { output.append(bytes[index]) }
        return
      }
      var index = string.start
      while index < string.end {
        // Eight bytes without an escape are stored as they are.
        while index + 8 <= string.end, Word.marks(UInt8(ascii: "\\"), in: Word.eight(bytes, index)) == 0 {
          for offset in 0..<8 { output.append(bytes[index &+ offset]) }
          index &+= 8
        }
        guard index < string.end else { return }
        if bytes[index] == UInt8(ascii: "\\") {
          appendEscaped(bytes, &index, to: &output)
        } else {
          output.append(bytes[index])
          index &+= 1
        }
      }
    }
  }

  /// Appends what the escape at `index` stands for.
  private static func appendEscaped(_ bytes: Span<UInt8>, _ index: inout Int, to output: inout OutputSpan<UInt8>) {
    let kind = bytes[index + 1]
    guard kind == UInt8(ascii: "u") else {
      output.append(unescaped(kind))
      index += 2
      return
    }
    var cursor = JSONCursor(at: index)
    // The string has been checked, so its escapes are whole.
    guard let scalar = try? cursor.unicodeEscape(bytes) else { preconditionFailure("not a string of these bytes") }
    for byte in Unicode.UTF8.encode(scalar)! { output.append(byte) }
    index = cursor.position
  }

  /// The text of a string that this cursor handed out, its escapes decoded.
  public static func text(_ string: JSONString, of bytes: Span<UInt8>) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(string.count)
    append(string, of: bytes, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  private static func unescaped(_ kind: UInt8) -> UInt8 {
    switch kind {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0c
    case UInt8(ascii: "n"): 0x0a
    case UInt8(ascii: "r"): 0x0d
    case UInt8(ascii: "t"): 0x09
    default: kind
    }
  }

  /// Moves past `\uXXXX`, and past the second half where the first is a high surrogate.
  private mutating func unicodeEscape(_ bytes: Span<UInt8>) throws(JSONFault) -> Unicode.Scalar {
    let start = position
    let unit = try fourHexDigits(at: start + 2, bytes)
    if let scalar = Unicode.Scalar(unit) {
      position = start + 6
      return scalar
    }
    guard unit < 0xdc00, start + 7 < bytes.count, bytes[start + 6] == UInt8(ascii: "\\"),
      bytes[start + 7] == UInt8(ascii: "u")
    else { throw .loneSurrogate }
    let low = try fourHexDigits(at: start + 8, bytes)
    guard low & 0xfc00 == 0xdc00, let scalar = Unicode.Scalar(0x1_0000 + (unit & 0x3ff) << 10 + (low & 0x3ff)) else {
      throw fault(.loneSurrogate, at: start)
    }
    position = start + 12
    return scalar
  }

  private mutating func fourHexDigits(at start: Int, _ bytes: Span<UInt8>) throws(JSONFault) -> UInt32 {
    var value: UInt32 = 0
    for index in start..<start + 4 {
      guard index < bytes.count else { throw fault(.unexpectedEnd, at: bytes.count) }
      let byte = bytes[index]
      switch byte {
      case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
      case 0x41...0x46: value = value << 4 | UInt32(byte - 0x37)
      case 0x61...0x66: value = value << 4 | UInt32(byte - 0x57)
      default: throw fault(.invalidEscape, at: index)
      }
    }
    return value
  }

  mutating func fault(_ fault: JSONFault, at offset: Int) -> JSONFault {
    position = offset
    return fault
  }
}

/// Well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF.
public enum UTF8Length {
  /// How many bytes the character at `start` has; 0 where the bytes are not UTF-8.
  public static func ofCharacter(at start: Int, in bytes: Span<UInt8>) -> Int {
    let first = bytes[start]
    let (length, second): (Int, ClosedRange<UInt8>) =
      switch first {
      case 0x00...0x7f: (1, 0...0)
      case 0xc2...0xdf: (2, 0x80...0xbf)
      case 0xe0: (3, 0xa0...0xbf)
      case 0xed: (3, 0x80...0x9f)
      case 0xe1...0xef: (3, 0x80...0xbf)
      case 0xf0: (4, 0x90...0xbf)
      case 0xf1...0xf3: (4, 0x80...0xbf)
      case 0xf4: (4, 0x80...0x8f)
      default: (0, 0...0)
      }
    guard length > 1 else { return length }
    guard start + length <= bytes.count, second.contains(bytes[start + 1]) else { return 0 }
    for index in start + 2..<start + length where bytes[index] & 0xc0 != 0x80 { return 0 }
    return length
  }
}
