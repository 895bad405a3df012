// SPDX-License-Identifier: Apache-2.0

package import HTTPClient

// URLs of receivers, taken apart strictly: what two parsers could read in two ways is refused, since one of them would be
// ours and the other curl's.

/// An absolute http or https URL.
package struct OutgoingURL: Sendable, Equatable {
  package static let bytesMax = 2_048

  /// As it was written; a secret, where its path or query is one.
  package let text: String
  /// Scheme, host and port: what may be logged and shown.
  package let origin: String
  /// Lower case; an IPv6 address without brackets.
  package let host: String
  /// Host, and port where one is given.
  package let authority: String

  /// - Throws: `OutgoingURLError`, which repeats nothing but the host.
  package init(_ text: String) throws(OutgoingURLError) {
    guard text.utf8.count <= Self.bytesMax, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else {
      throw OutgoingURLError(message: "must be at most \(Self.bytesMax) bytes of printable ASCII without spaces and backslashes")
    }
    guard let scheme = ["http", "https"].first(where: { text.lowercased().hasPrefix($0 + "://") }) else {
      throw OutgoingURLError(message: "must begin with http:// or https://")
    }
    let rest = text.dropFirst(scheme.count + 3)
    let whole = rest.prefix { !"/?#".contains($0) }
    // Credentials end at the last @, as in RFC 3986 and in curl.
    let bare = whole.lastIndex(of: "@").map { whole[whole.index(after: $0)...] } ?? whole
    let (host, port) = try Self.split(bare)
    try Self.check(host, isBracketed: bare.hasPrefix("["))
    self.text = text
    self.host = host.lowercased()
    authority = bare.lowercased()
    origin = "\(scheme)://\(authority)"
    if let port, UInt16(port).map({ $0 > 0 }) != true {
      throw OutgoingURLError(message: "port \(port.prefix(10)): must be a number from 1 to 65535")
    }
  }

  /// The address, where the host is one and no name.
  package var address: RemoteAddress? { RemoteAddress(host) }

  /// Whether it names this machine without asking a resolver: a loopback address, or `localhost`, which curl resolves
  /// itself.
  var namesLoopback: Bool { address.map { AddressKind($0) == .loopback } ?? (host == "localhost") }

  /// A text without what stands in this URL beside scheme, host and port: the credentials, the path and the query, and of
  /// these each part of four characters or more, percent-encoded or not.
  package func redacting(_ reason: String) -> String {
    let rest = text.dropFirst(origin.prefix { $0 != ":" }.count + 3)
    let whole = rest.prefix { !"/?#".contains($0) }
    let credentials = whole.lastIndex(of: "@").map { whole[..<$0] } ?? ""
    let secrets = ([credentials, rest.dropFirst(whole.count)] + credentials.split(separator: ":")).map(String.init)
      + rest.dropFirst(whole.count).split { "/?#&=;".contains($0) }.map(String.init)
    var redacted = reason
    for secret in (secrets + secrets.map(Self.decoded)).sorted(by: { $0.count > $1.count }) where secret.count >= 4 {
      redacted = redacted.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "…")
    }
    return redacted
  }

  private static func decoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%"), rest.count >= 2, let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      else {
        bytes.append(byte)
        continue
      }
      bytes.append(code)
      rest = rest.dropFirst(2)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func split(_ authority: Substring) throws(OutgoingURLError) -> (host: String, port: Substring?) {
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else { throw OutgoingURLError(message: "an IPv6 address ends in ]") }
      let tail = authority[authority.index(after: end)...]
      guard tail.isEmpty || tail.hasPrefix(":") else { throw OutgoingURLError(message: "after ] only a port may stand") }
      return (String(authority.dropFirst()[..<end]), tail.isEmpty ? nil : tail.dropFirst())
    }
    let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    return (String(parts.first ?? ""), parts.count == 2 ? parts[1] : nil)
  }

  private static func check(_ host: String, isBracketed: Bool) throws(OutgoingURLError) {
    if isBracketed {
      guard RemoteAddress(host)?.bytes.count == 16 else {
        throw OutgoingURLError(message: "\(host.prefix(60)): must be an IPv6 address without a zone")
      }
      return
    }
    guard !host.isEmpty, host.utf8.count <= 253, host.utf8.allSatisfy(Self.isOfName) else {
      throw OutgoingURLError(message: "\(host.prefix(60)): must be a host name of letters, digits, hyphens, underscores and dots")
    }
    // 2130706433, 0177.0.0.1, 0x7f.1 and 127.1 are 127.0.0.1 to some parsers. No top level domain is a number.
    let last = host.split(separator: ".").last ?? ""
    let looksNumeric = last.allSatisfy(\.isNumber) || last.lowercased().hasPrefix("0x")
    guard !looksNumeric || RemoteAddress(host) != nil else {
      throw OutgoingURLError(message: "\(host.prefix(60)): an IPv4 address is written as four decimal numbers without leading zeros")
    }
  }

  private static func isOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}

/// What is wrong with a URL, without the parts of it that may be secret.
package struct OutgoingURLError: Error, Equatable, CustomStringConvertible {
  package let message: String

  package var description: String { message }
}
