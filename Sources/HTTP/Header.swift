// SPDX-License-Identifier: Apache-2.0

// One response header, which cannot hold a line break: whoever builds a value from a client's input cannot split the
// response (CWE-113).

/// A response header.
package struct Header: Sendable, Equatable {
  package let name: String
  package let value: String

  /// - Parameters:
  ///   - name: a token as of RFC 9110, section 5.6.2; anything else is a programming error and stops the process.
  ///     Content-Length, Transfer-Encoding, Connection and Date belong to the server and are refused likewise.
  ///   - value: may come from outside. Nil is returned when it holds a control character other than a tab, so that
  ///     no header can be injected.
  package init?(_ name: String, _ value: String) {
    precondition(Header.isToken(name), "a header's name must be a token")
    precondition(!Header.belongsToServer(name), "this header is written by the server itself")
    // Checked before the bytes reach C: a NUL would end the value there, a line break the header.
    guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else { return nil }
    self.name = name
    self.value = value
  }

  private static func isToken(_ name: String) -> Bool {
    !name.isEmpty
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }

  private static func belongsToServer(_ name: String) -> Bool {
    // The lengths first, so that most headers cost four integer comparisons and no lower-cased copy.
    switch name.utf8.count {
    case 4, 10, 14, 17:
      ["date", "connection", "content-length", "transfer-encoding"].contains(name.lowercased())
    default: false
    }
  }
}
