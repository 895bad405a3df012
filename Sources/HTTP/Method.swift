// SPDX-License-Identifier: Apache-2.0

// Request methods that routes can be registered for. An unknown method is kept as `.other`, which no route has.

internal import Glibc

/// A request method.
package enum Method: UInt8, Sendable, CaseIterable {
  case get, head, post, put, delete, patch, options, other

  /// As on the request line.
  package var name: String {
    switch self {
    case .get: "GET"
    case .head: "HEAD"
    case .post: "POST"
    case .put: "PUT"
    case .delete: "DELETE"
    case .patch: "PATCH"
    case .options: "OPTIONS"
    case .other: "OTHER"
    }
  }

  init(_ text: UnsafePointer<CChar>) {
    // The first byte decides between all but POST, PUT and PATCH, so that a request costs one or two comparisons.
    switch unsafe UInt8(bitPattern: text[0]) {
    case UInt8(ascii: "G"): self = unsafe strcmp(text, "GET") == 0 ? .get : .other
    case UInt8(ascii: "H"): self = unsafe strcmp(text, "HEAD") == 0 ? .head : .other
    case UInt8(ascii: "D"): self = unsafe strcmp(text, "DELETE") == 0 ? .delete : .other
    case UInt8(ascii: "O"): self = unsafe strcmp(text, "OPTIONS") == 0 ? .options : .other
    case UInt8(ascii: "P"):
      if unsafe strcmp(text, "POST") == 0 {
        self = .post
      } else if unsafe strcmp(text, "PUT") == 0 {
        self = .put
      } else {
        self = unsafe strcmp(text, "PATCH") == 0 ? .patch : .other
      }
    default: self = .other
    }
  }
}
