// SPDX-License-Identifier: Apache-2.0

// What came back: status, header lines, body bytes. Decoding the body is the caller's business.

/// A complete answer.
package struct HTTPClientResponse: Sendable {
  /// 100...599 as the server sent it.
  package let status: Int
  /// Header lines in the order received; names as sent.
  package let headers: [(name: String, value: String)]
  package let body: [UInt8]

  package var isSuccess: Bool { (200..<300).contains(status) }

  /// The body as text; bytes that are not UTF-8 are replaced.
  package var text: String { String(decoding: body, as: UTF8.self) }

  /// The first header of that name, without regard to ASCII case; nil when there is none.
  package func header(_ name: String) -> String? {
    headers.first { Self.areEqualIgnoringCase($0.name, name) }?.value
  }

  private static func areEqualIgnoringCase(_ left: String, _ right: String) -> Bool {
    left.utf8.elementsEqual(right.utf8) { lowercased($0) == lowercased($1) }
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }
}
