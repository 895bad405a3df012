// SPDX-License-Identifier: Apache-2.0

package import HTTPClient

// Which addresses notifications may go to. Every connection is judged by the address it is about to be made to, so
// neither a name nor a redirect nor a number written in another base leads elsewhere (server-side request forgery).

/// What an address is for.
package enum AddressKind: Sendable, Equatable {
  /// On the internet.
  case open
  /// This machine.
  case loopback
  /// A network of one's own.
  case `private`
  /// Never a receiver: metadata of clouds, link-local, multicast, unspecified, documentation.
  case forbidden
}

extension AddressKind {
  private static let forbidden4: [AddressRange] = [
    "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "192.88.99.0/24",
    "224.0.0.0/4", "240.0.0.0/4",
    // Metadata of Alibaba Cloud within a private range, and of Azure within a public one.
    "100.100.100.200/32", "168.63.129.16/32",
  ]
  private static let private4: [AddressRange] = [
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15",
  ]
  private static let forbidden6: [AddressRange] = [
    "::/128", "fe80::/10", "ff00::/8", "2001:db8::/32", "3fff::/20", "100::/64",
    // Teredo holds the address of its server and, hidden, of its client.
    "2001::/32",
    // Metadata of AWS and of Google within the private range.
    "fd00:ec2::/32", "fd20:ce::/32",
  ]
  private static let private6: [AddressRange] = ["fc00::/7", "fec0::/10"]
  /// IPv6 that stands for IPv4, and at which byte that begins.
  private static let embedding: [(range: AddressRange, offset: Int)] = [
    ("::ffff:0:0/96", 12), ("::ffff:0:0:0/96", 12), ("64:ff9b::/96", 12), ("64:ff9b:1::/48", 12), ("2002::/16", 2), ("::/96", 12),
  ]

  package init(_ address: RemoteAddress) {
    self = address.bytes.count == 4 ? Self.kind4(address) : Self.kind6(address)
  }

  private static func kind4(_ address: RemoteAddress) -> AddressKind {
    if forbidden4.contains(where: { $0.contains(address) }) { return .forbidden }
    if address.bytes[0] == 127 { return .loopback }
    return private4.contains { $0.contains(address) } ? .private : .open
  }

  private static func kind6(_ address: RemoteAddress) -> AddressKind {
    if address == RemoteAddress("::1") { return .loopback }
    if forbidden6.contains(where: { $0.contains(address) }) { return .forbidden }
    for (range, offset) in embedding where range.contains(address) {
      return kind4(RemoteAddress(bytes: Array(address.bytes[offset..<offset + 4])))
    }
    // ISATAP: IPv4 in the interface's half of any address.
    if [[0, 0, 0x5E, 0xFE], [2, 0, 0x5E, 0xFE]].contains(Array(address.bytes[8..<12])) {
      return kind4(RemoteAddress(bytes: Array(address.bytes[12...]))) == .open ? .open : .forbidden
    }
    return private6.contains { $0.contains(address) } ? .private : .open
  }
}

/// Which kinds are allowed.
struct AddressPolicy: Sendable, Equatable {
  let allowsPrivate: Bool
  let allowsLoopback: Bool

  /// - Parameter url: one that names a loopback address, or `localhost`, means this machine, so that is allowed.
  init(_ url: OutgoingURL, allowsPrivate: Bool) {
    self.allowsPrivate = allowsPrivate
    allowsLoopback = allowsPrivate || url.namesLoopback
  }

  func admits(_ address: RemoteAddress) -> Bool {
    switch AddressKind(address) {
    case .open: true
    case .loopback: allowsLoopback
    case .private: allowsPrivate
    case .forbidden: false
    }
  }

  /// Nil where nothing is to be said against the URL as it is written. A name is judged when it is connected to.
  func refusal(of url: OutgoingURL) -> OutgoingURLError? {
    guard let address = url.address, !admits(address) else { return nil }
    let reason = AddressKind(address) == .forbidden
      ? "is never a receiver: it is link-local, of a cloud's metadata, or reserved"
      : "is a private address: set allow_private: true if it is meant"
    return OutgoingURLError(message: "\(address) \(reason)")
  }
}

extension OutgoingURL {
  /// Checks what can be checked without a resolver, as settings are read.
  package func checkAddress(allowsPrivate: Bool) throws(OutgoingURLError) {
    if let refusal = AddressPolicy(self, allowsPrivate: allowsPrivate).refusal(of: self) { throw refusal }
  }
}

/// Addresses that begin with the same bits.
private struct AddressRange: ExpressibleByStringLiteral {
  let first: RemoteAddress
  let bits: Int

  init(stringLiteral text: String) {
    let parts = text.split(separator: "/")
    guard parts.count == 2, let first = RemoteAddress(String(parts[0])), let bits = Int(parts[1]) else {
      preconditionFailure("\(text) is no range of addresses")
    }
    (self.first, self.bits) = (first, bits)
  }

  func contains(_ address: RemoteAddress) -> Bool {
    guard address.bytes.count == first.bytes.count else { return false }
    for (index, (left, right)) in zip(address.bytes, first.bytes).enumerated() {
      let rest = bits - index * 8
      if rest <= 0 { return true }
      let mask = rest >= 8 ? 0xFF : ~(0xFF >> UInt8(rest)) as UInt8
      if left & mask != right & mask { return false }
    }
    return true
  }
}
