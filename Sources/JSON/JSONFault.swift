// SPDX-License-Identifier: Apache-2.0

// What can be wrong with JSON bytes, as a value without a message, so that refusing a line in a hot loop allocates
// nothing. `JSONError` is the same for people: with a text and a place.

/// Why a `JSONCursor` stopped. The cursor's `position` is where.
public enum JSONFault: UInt8, Error, Sendable {
  case unexpectedEnd
  case unexpectedByte
  case invalidNumber
  case numberOutOfRange
  case controlCharacter
  case invalidEscape
  case loneSurrogate
  case invalidUTF8
  case tooDeep
  case duplicateKey
  case trailingBytes

  /// A sentence without place and value.
  public var message: String {
    switch self {
    case .unexpectedEnd: "ends in the middle of a value"
    case .unexpectedByte: "unexpected character"
    case .invalidNumber: "not a JSON number"
    case .numberOutOfRange: "number beyond the range of a double"
    case .controlCharacter: "control character in a string; write it as an escape"
    case .invalidEscape: "unknown escape in a string"
    case .loneSurrogate: "half of a surrogate pair in a string"
    case .invalidUTF8: "not UTF-8"
    case .tooDeep: "nested too deeply"
    case .duplicateKey: "key given twice in one object"
    case .trailingBytes: "more after the end of the value"
    }
  }
}
