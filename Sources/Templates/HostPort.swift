// SPDX-License-Identifier: Apache-2.0

// Hosts with and without ports, and the path of a URL, as Go's net and net/url take them apart.

/// `host:port`, `[host]:port` or `:port`; the host of an IPv6 address stands in brackets.
struct HostPort {
  let host: [UInt8]
  let port: [UInt8]

  /// Nil without a port, or when it is unclear where that begins.
  init?(_ text: [UInt8]) {
    guard let colon = text.lastIndex(of: UInt8(ascii: ":")) else { return nil }
    if text.first == UInt8(ascii: "[") {
      guard let end = text.firstIndex(of: UInt8(ascii: "]")), end + 1 == colon else { return nil }
      host = Array(text[1..<end])
      guard !host.contains(UInt8(ascii: "[")) else { return nil }
    } else {
      host = Array(text[..<colon])
      guard !host.contains(where: { ":[]".utf8.contains($0) }) else { return nil }
    }
    port = Array(text[(colon + 1)...])
    guard !port.contains(where: { "[]".utf8.contains($0) }) else { return nil }
  }

  /// `web.example.com:80` as `web:80`; addresses stay.
  static func withoutDomain(_ text: [UInt8]) -> [UInt8] {
    let parts = HostPort(text)
    let host = parts?.host ?? text
    if isAddress(host) { return text }
    let name = Array(host.prefix { $0 != UInt8(ascii: ".") })
    guard let port = parts?.port, !port.isEmpty else { return name }
    let shown = name.contains(UInt8(ascii: ":")) ? [UInt8(ascii: "[")] + name + [UInt8(ascii: "]")] : name
    return shown + [UInt8(ascii: ":")] + port
  }

  private static func isAddress(_ host: [UInt8]) -> Bool { isAddress4(host[...]) || isAddress6(host[...]) }

  // Four numbers without leading zeros.
  private static func isAddress4(_ host: ArraySlice<UInt8>) -> Bool {
    let parts = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { part in
        guard (1...3).contains(part.count), part.allSatisfy({ NumberLiteral.digit($0).map { $0 < 10 } ?? false }) else {
          return false
        }
        return (part.count == 1 || part.first != UInt8(ascii: "0"))
          && part.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) } < 256
      }
  }

  // Eight groups of at most four digits; `::` stands for one group of zeros or more, an IPv4 address for the last two.
  private static func isAddress6(_ host: ArraySlice<UInt8>) -> Bool {
    let colon = UInt8(ascii: ":")
    var rest = host
    var count = 0
    var hasGap = rest.starts(with: [colon, colon])
    if hasGap { rest = rest.dropFirst(2) }
    while !rest.isEmpty {
      if isAddress4(rest) {
        count += 2
        break
      }
      let digits = rest.prefix { NumberLiteral.digit($0).map { $0 < 16 } ?? false }
      guard (1...4).contains(digits.count) else { return false }
      count += 1
      rest = rest.dropFirst(digits.count)
      if rest.isEmpty { break }
      guard rest.popFirst() == colon, let next = rest.first else { return false }
      guard next == colon else { continue }
      guard !hasGap else { return false }
      hasGap = true
      rest = rest.dropFirst()
    }
    return hasGap ? count < 8 : count == 8
  }
}

enum WebAddress {
  /// The path of a URL with its escapes resolved, empty where it has none.
  static func path(_ address: String) -> [UInt8] {
    var rest = Array(address.utf8.prefix { $0 != UInt8(ascii: "#") }.prefix { $0 != UInt8(ascii: "?") })[...]
    if let colon = rest.firstIndex(of: UInt8(ascii: ":")), rest[(colon + 1)...].starts(with: "//".utf8) {
      rest = rest[(colon + 3)...].drop { $0 != UInt8(ascii: "/") }
    }
    var path: [UInt8] = []
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), let high = rest.first.flatMap(NumberLiteral.digit), high < 16,
        let low = rest.dropFirst().first.flatMap(NumberLiteral.digit), low < 16
      {
        path.append(high << 4 | low)
        rest = rest.dropFirst(2)
      } else {
        path.append(byte)
      }
    }
    return path
  }
}
