// SPDX-License-Identifier: Apache-2.0

// MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), value by value over bytes that stay where they
// are. Counts and lengths are claims of the sender: nothing is allocated for them, and no value is entered by recursion.

/// How a value begins.
struct MessagePackHead {
  enum Kind {
    case null, bool, unsigned, signed, float, text, bytes, array, map, ext
    /// No value begins with this byte.
    case never

    /// Old encoders know texts alone, and write bytes as such.
    var isText: Bool { self == .text || self == .bytes }
  }

  var kind = Kind.null
  /// The bits of a bool, number or 64-bit float.
  var value: UInt64 = 0
  /// Bytes of a text, of bytes or of an extension; values of an array; pairs of a map.
  var count = 0
  /// Of an extension.
  var type: UInt8 = 0
  /// Of the head itself.
  var headBytes = 1

  /// Nil where its end has not come.
  init?(_ bytes: Span<UInt8>, at start: Int, end: Int) {
    guard start < end else { return nil }
    func number(_ width: Int, from offset: Int = 1) -> UInt64? {
      guard end - start >= offset + width else { return nil }
      var value: UInt64 = 0
      for index in start + offset..<start + offset + width { value = value << 8 | UInt64(bytes[index]) }
      return value
    }
    let first = bytes[start]
    switch first {
    case 0x00...0x7f: (kind, value) = (.unsigned, UInt64(first))
    case 0x80...0x8f: (kind, count) = (.map, Int(first & 0x0f))
    case 0x90...0x9f: (kind, count) = (.array, Int(first & 0x0f))
    case 0xa0...0xbf: (kind, count) = (.text, Int(first & 0x1f))
    case 0xc0: break
    case 0xc1: kind = .never
    case 0xc2, 0xc3: (kind, value) = (.bool, UInt64(first & 1))
    case 0xe0...0xff: (kind, value) = (.signed, UInt64(bitPattern: Int64(Int8(bitPattern: first))))
    case 0xd4...0xd8:
      guard let type = number(1) else { return nil }
      (kind, count, self.type, headBytes) = (.ext, 1 << Int(first - 0xd4), UInt8(type), 2)
    default:
      let (kind, width) = MessagePackHead.wide[Int(first - 0xc4)]
      guard let number = number(width) else { return nil }
      headBytes = 1 + width
      self.kind = kind
      switch kind {
      case .unsigned: value = number
      // The width's highest bit is the sign.
      case .signed: value = UInt64(bitPattern: Int64(bitPattern: number << UInt64(64 - 8 * width)) >> Int64(64 - 8 * width))
      case .float: value = width == 8 ? number : Double(Float(bitPattern: UInt32(number))).bitPattern
      case .ext:
        guard let type = self.type(bytes, at: start + headBytes, end: end) else { return nil }
        (count, self.type, headBytes) = (Int(number), type, headBytes + 1)
      default: count = Int(number)
      }
    }
  }

  /// 0xc4 to 0xdf: the kind, and how many bytes its length or number has. 0xd4 to 0xd8 have none and are not asked for.
  private static let wide: [(kind: Kind, width: Int)] = [
    (.bytes, 1), (.bytes, 2), (.bytes, 4), (.ext, 1), (.ext, 2), (.ext, 4), (.float, 4), (.float, 8),
    (.unsigned, 1), (.unsigned, 2), (.unsigned, 4), (.unsigned, 8), (.signed, 1), (.signed, 2), (.signed, 4), (.signed, 8),
    (.ext, 0), (.ext, 0), (.ext, 0), (.ext, 0), (.ext, 0),
    (.text, 1), (.text, 2), (.text, 4), (.array, 2), (.array, 4), (.map, 2), (.map, 4),
  ]

  private func type(_ bytes: Span<UInt8>, at index: Int, end: Int) -> UInt8? { index < end ? bytes[index] : nil }

  /// Bytes that follow the head and are no values.
  var contentBytes: Int {
    switch kind {
    case .text, .bytes, .ext: count
    default: 0
    }
  }

  /// Values that follow the head.
  var members: Int {
    switch kind {
    case .array: count
    case .map: 2 * count
    default: 0
    }
  }
}

/// Finds where a value ends, in as many steps as its bytes take to arrive.
struct MessagePackScan {
  private(set) var position: Int
  /// Values that are yet to come before the end. At most 2^33 for each byte, so it does not overflow.
  private var open = 1
  /// Where places in faults are counted from.
  private var origin: Int

  init(at position: Int, from origin: Int) {
    self.position = position
    self.origin = origin
  }

  /// Goes on up to `end`.
  ///
  /// - Returns: true at the end of the value; false where bytes are missing.
  mutating func advance(_ bytes: Span<UInt8>, end: Int) throws(BodyFault) -> Bool {
    while open > 0 {
      guard let head = MessagePackHead(bytes, at: position, end: end) else { return false }
      guard head.kind != .never else { throw BodyFault(.reserved, at: position - origin) }
      guard end - position - head.headBytes >= head.contentBytes else { return false }
      position += head.headBytes + head.contentBytes
      open += head.members - 1
    }
    return true
  }

  /// How far a value reaches at the least whose bytes are missing: by the length of the text at hand, and with a byte
  /// for every value.
  func endAtLeast(_ bytes: Span<UInt8>, end: Int) -> Int {
    guard let head = MessagePackHead(bytes, at: position, end: end) else { return position + open }
    return position + max(head.headBytes + head.contentBytes, open)
  }

  /// Bytes before it were forgotten.
  mutating func move(back count: Int) {
    position -= count
    origin -= count
  }
}

/// Walks through values one after the other. It keeps a range; the same bytes must go into every call.
struct MessagePackReader {
  private(set) var position: Int
  private let end: Int
  private let origin: Int

  init(_ range: Range<Int>) {
    position = range.lowerBound
    end = range.upperBound
    origin = range.lowerBound
  }

  var isAtEnd: Bool { position >= end }

  /// Moves past a head; what belongs to it is next.
  mutating func head(_ bytes: Span<UInt8>) throws(BodyFault) -> MessagePackHead {
    guard let head = MessagePackHead(bytes, at: position, end: end) else { throw truncated }
    guard head.kind != .never else { throw BodyFault(.reserved, at: position - origin) }
    position += head.headBytes
    return head
  }

  /// Moves past the content of a text, of bytes or of an extension.
  mutating func content(_ head: MessagePackHead) throws(BodyFault) -> Range<Int> {
    guard head.contentBytes <= end - position else { throw truncated }
    let start = position
    position += head.contentBytes
    return start..<position
  }

  /// Moves past all that belongs to a head.
  mutating func skip(_ head: MessagePackHead, _ bytes: Span<UInt8>) throws(BodyFault) {
    _ = try content(head)
    for _ in 0..<head.members { _ = try skip(bytes) }
  }

  /// Moves past a value.
  ///
  /// - Returns: its range.
  @discardableResult
  mutating func skip(_ bytes: Span<UInt8>) throws(BodyFault) -> Range<Int> {
    let start = position
    var scan = MessagePackScan(at: start, from: origin)
    let isWhole = try scan.advance(bytes, end: end)
    position = scan.position
    guard isWhole else { throw truncated }
    return start..<position
  }

  private var truncated: BodyFault { BodyFault(.truncated, at: position - origin) }
}

extension BodyFault {
  fileprivate enum MessagePackCode: String {
    case truncated = "it ends in the middle of a value"
    case reserved = "no value begins with 0xc1"
  }

  /// - Parameter position: from 0.
  fileprivate init(_ code: MessagePackCode, at position: Int) {
    reason = "broken MessagePack at byte \(position + 1): \(code.rawValue)"
  }
}
