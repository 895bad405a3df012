// SPDX-License-Identifier: Apache-2.0

// A pull scanner for hot paths: it moves over bytes, checks every one of them against RFC 8259, and hands out ranges
// and numbers. It allocates nothing and keeps nothing but a position, so the same bytes must go into every call. It
// builds no tree (`JSONValue`) and decodes no escapes unless asked to (`JSONCursor+Text`).
//
// `public` where the rest of the product says `package`: Swift 6.3 inlines across modules only what is public, and with
// calls in place of inlined code reading events was measured to take 1.4 times as long.

/// Where a string stands in the bytes, without its quotes. Its UTF-8 and its escapes have been checked.
public struct JSONString: Equatable, Sendable {
  public let start: Int
  public let end: Int
  /// Whether the range holds escapes, so that its bytes are not the text itself.
  public let hasEscapes: Bool

  @inlinable
  public init(start: Int, end: Int, hasEscapes: Bool) {
    self.start = start
    self.end = end
    self.hasEscapes = hasEscapes
  }

  @inlinable public var count: Int { end - start }
}

/// A position in JSON bytes. Every method takes the bytes anew; they must be the same ones.
///
/// A throwing method leaves `position` at the offending byte.
public struct JSONCursor: Sendable {
  /// Most levels of arrays and objects that `skipValue` goes down.
  public static let depthMax = 64

  public var position: Int

  @inlinable
  public init(at position: Int = 0) {
    self.position = position
  }

  /// Moves past space, tab, line feed and carriage return.
  @inlinable @inline(__always)
  public mutating func skipWhitespace(_ bytes: Span<UInt8>) {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte <= 0x20, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return }
      position += 1
    }
  }

  /// The next byte after white space; the cursor stands on it.
  @inlinable @inline(__always)
  public mutating func peek(_ bytes: Span<UInt8>) throws(JSONFault) -> UInt8 {
    skipWhitespace(bytes)
    guard position < bytes.count else { throw .unexpectedEnd }
    return bytes[position]
  }

  /// Moves past white space and one given byte.
  @inlinable @inline(__always)
  public mutating func expect(_ byte: UInt8, _ bytes: Span<UInt8>) throws(JSONFault) {
    guard try peek(bytes) == byte else { throw .unexpectedByte }
    position += 1
  }

  /// Moves past a key and its colon.
  public mutating func key(_ bytes: Span<UInt8>) throws(JSONFault) -> JSONString {
    let key = try name(bytes)
    try expect(UInt8(ascii: ":"), bytes)
    return key
  }

  /// Moves past a key up to its colon or the white space before that.
  @inlinable
  public mutating func name(_ bytes: Span<UInt8>) throws(JSONFault) -> JSONString {
    guard try peek(bytes) == UInt8(ascii: "\"") else { throw .unexpectedByte }
    return try string(bytes)
  }

  /// Moves past white space and `true` or `false`.
  public mutating func bool(_ bytes: Span<UInt8>) throws(JSONFault) -> Bool {
    if try peek(bytes) == UInt8(ascii: "t") {
      try literal(0x6575_7274, bytes)  // "true"
      return true
    }
    try literal(0x65_736c_6166, bytes)  // "false"
    return false
  }

  /// Moves past white space and `null`.
  public mutating func null(_ bytes: Span<UInt8>) throws(JSONFault) {
    try literal(0x6c6c_756e, bytes)  // "null"
  }

  /// Moves past one value of any kind, checking all of it.
  ///
  /// - Parameter depthMax: most levels of arrays and objects, at most `JSONCursor.depthMax`.
  public mutating func skipValue(_ bytes: Span<UInt8>, depthMax: Int = JSONCursor.depthMax) throws(JSONFault) {
    precondition(depthMax <= JSONCursor.depthMax, "the stack of open containers has one bit a level")
    var depth = 0
    // Bit 0 says whether the innermost open container is an object.
    var objects: UInt64 = 0
    while true {
      switch try peek(bytes) {
      case UInt8(ascii: "{"):
        guard depth < depthMax else { throw .tooDeep }
        position += 1
        depth += 1
        objects = objects << 1 | 1
        if try peek(bytes) != UInt8(ascii: "}") {
          _ = try key(bytes)
          continue
        }
      case UInt8(ascii: "["):
        guard depth < depthMax else { throw .tooDeep }
        position += 1
        depth += 1
        objects <<= 1
        if try peek(bytes) != UInt8(ascii: "]") { continue }
      default:
        try skipScalar(bytes)
        if depth == 0 { return }
      }
      guard try closeContainers(bytes, &depth, &objects) else { return }
    }
  }

  /// After a value or at the end of an empty container: closes what ends here.
  ///
  /// - Returns: false when the outermost container is closed, true when the cursor stands before another value.
  private mutating func closeContainers(
    _ bytes: Span<UInt8>, _ depth: inout Int, _ objects: inout UInt64
  ) throws(JSONFault) -> Bool {
    while depth > 0 {
      let inObject = objects & 1 == 1
      switch try peek(bytes) {
      case UInt8(ascii: ","):
        position += 1
        if inObject { _ = try key(bytes) }
        return true
      case inObject ? UInt8(ascii: "}") : UInt8(ascii: "]"):
        position += 1
        depth -= 1
        objects >>= 1
      default: throw .unexpectedByte
      }
    }
    return false
  }

  /// Moves past a string, number, `true`, `false` or `null`.
  @inlinable
  public mutating func skipScalar(_ bytes: Span<UInt8>) throws(JSONFault) {
    switch try peek(bytes) {
    case UInt8(ascii: "\""): _ = try string(bytes)
    case UInt8(ascii: "t"), UInt8(ascii: "f"): _ = try bool(bytes)
    case UInt8(ascii: "n"): try null(bytes)
    default: try skipNumber(bytes)
    }
  }

  /// - Parameter word: its ASCII bytes, the first one lowest.
  private mutating func literal(_ word: UInt64, _ bytes: Span<UInt8>) throws(JSONFault) {
    skipWhitespace(bytes)
    var rest = word
    while rest != 0 {
      guard position < bytes.count else { throw .unexpectedEnd }
      guard bytes[position] == UInt8(truncatingIfNeeded: rest) else { throw .unexpectedByte }
      position += 1
      rest >>= 8
    }
  }
}
