// SPDX-License-Identifier: Apache-2.0

// A fault in a JSON document as people need it: what and where.

/// Says what is wrong with a JSON document and where.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong, without the place.
  package let message: String
  /// In bytes from the start of the document.
  package let offset: Int
  /// From 1.
  package let line: Int
  /// In bytes, from 1.
  package let column: Int

  package init(message: String, offset: Int, line: Int, column: Int) {
    self.message = message
    self.offset = offset
    self.line = line
    self.column = column
  }

  /// Linear in `offset`: counts the lines before it.
  package init(_ fault: JSONFault, at offset: Int, in bytes: Span<UInt8>) {
    var line = 1
    var lineStart = 0
    for index in 0..<min(offset, bytes.count) where bytes[index] == 0x0a {
      line += 1
      lineStart = index + 1
    }
    self.init(
      message: JSONError.message(fault, at: offset, in: bytes), offset: offset, line: line,
      column: offset - lineStart + 1)
  }

  package var description: String { "\(line):\(column): \(message)" }

  /// The fault's message, with the byte that caused it where it is printable.
  package static func message(_ fault: JSONFault, at offset: Int, in bytes: Span<UInt8>) -> String {
    guard fault == .unexpectedByte || fault == .trailingBytes, offset < bytes.count else { return fault.message }
    let byte = bytes[offset]
    guard byte > 0x20, byte < 0x7f else { return fault.message }
    return "\(fault.message): '\(Character(UnicodeScalar(byte)))'"
  }
}
