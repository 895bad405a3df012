// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// An IP address as bytes, for those who decide by it: no name, no port, no opinion on which address is good.

/// An IPv4 or IPv6 address.
package struct RemoteAddress: Sendable, Hashable {
  /// 4 or 16, the first part of the address first.
  package let bytes: [UInt8]

  package init(bytes: [UInt8]) {
    precondition(bytes.count == 4 || bytes.count == 16, "an IP address has 4 or 16 bytes")
    self.bytes = bytes
  }

  /// - Parameter text: `192.0.2.7`, four decimal numbers without leading zeros, or IPv6 without brackets and zone. Nil
  ///   for anything else, names and shorthands such as `127.1` included.
  package init?(_ text: String) {
    for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
      var bytes = [UInt8](repeating: 0, count: count)
      if unsafe inet_pton(family, text, &bytes) == 1 {
        self.bytes = bytes
        return
      }
    }
    return nil
  }
}

extension RemoteAddress: CustomStringConvertible {
  /// Without brackets.
  package var description: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let family = bytes.count == 4 ? AF_INET : AF_INET6
    guard unsafe inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "?" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
