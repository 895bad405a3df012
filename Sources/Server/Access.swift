// SPDX-License-Identifier: Apache-2.0

internal import HTTP

// Who is answered at all. Rampart serves loopback only in this version, so there is nobody to sign in; what has to be
// kept out are web pages of other origins that reach a loopback server through the user's own browser, by a request
// (cross-site) or by a name that resolves to 127.0.0.1 (DNS rebinding).

/// Decides by the headers of a request, before its body is read.
struct Access: Sendable {
  private static let loopbackNames = ["127.0.0.1", "localhost", "[::1]"]

  private let names: [[UInt8]]
  private let crossOrigin: CrossOrigin

  /// - Parameters:
  ///   - allowedHosts: lower-case names beside the loopback ones.
  ///   - crossOrigin: pages of other origins that may evaluate flags.
  init(allowedHosts: [String], crossOrigin: CrossOrigin) {
    self.crossOrigin = crossOrigin
    names = (Access.loopbackNames + allowedHosts).map { Array($0.utf8) }
  }

  /// Whether an address can only be reached from this machine.
  static func isLoopback(_ host: String) -> Bool {
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return host == "::1" || parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  /// Nil lets the request in.
  func refusal(of exchange: Exchange) -> Response? {
    let isKnown = exchange.withHeader("Host") { isKnownHost($0) } ?? false
    guard isKnown, exchange.method == .get || exchange.headerCount("Host") == 1 else {
      return Answers.error(403, "Host: not a name of this server: use 127.0.0.1 or localhost, or add the name to allowed_hosts")
    }
    if crossOrigin.admits(exchange) { return nil }
    if exchange.method == .get || exchange.method == .head || exchange.method == .options {
      return isEmbedded(exchange)
        ? Answers.error(403, "Sec-Fetch-Site: pages of other sites may link here, not load from here") : nil
    }
    return isSameOrigin(exchange)
      ? nil : Answers.error(403, "Origin: writes from pages of another origin are refused: open this server's own page")
  }

  private func isKnownHost(_ host: Span<UInt8>) -> Bool {
    // The port is everything after the last colon, unless that is inside the brackets of an IPv6 address.
    var end = host.count
    while end > 0, host[end - 1] >= UInt8(ascii: "0"), host[end - 1] <= UInt8(ascii: "9") { end -= 1 }
    let nameCount = end > 0 && host[end - 1] == UInt8(ascii: ":") ? end - 1 : host.count
    return names.contains { matches(host, count: nameCount, $0) }
  }

  private func matches(_ host: Span<UInt8>, count: Int, _ name: [UInt8]) -> Bool {
    guard count == name.count else { return false }
    for index in 0..<count {
      let byte = host[index]
      let isUpper = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
      guard (isUpper ? byte | 0x20 : byte) == name[index] else { return false }
    }
    return true
  }

  /// Whether a page of another site loads something in the background, such as a costly query as a picture. Following
  /// a link is a navigation.
  private func isEmbedded(_ exchange: Exchange) -> Bool {
    guard let site = exchange.header("Sec-Fetch-Site"), site == "cross-site" else { return false }
    return exchange.header("Sec-Fetch-Mode") != "navigate"
  }

  /// A browser says where a request comes from; other clients do not, and are no danger here.
  private func isSameOrigin(_ exchange: Exchange) -> Bool {
    guard exchange.headerCount("Origin") <= 1, exchange.headerCount("Sec-Fetch-Site") <= 1 else { return false }
    if let site = exchange.header("Sec-Fetch-Site"), site != "same-origin", site != "none" { return false }
    guard let origin = exchange.header("Origin") else { return true }
    // A proxy may speak TLS with the browser and not with us; the name is what makes an origin ours.
    let host = (exchange.header("Host") ?? "").lowercased()
    return origin.lowercased() == "http://" + host || origin.lowercased() == "https://" + host
  }
}
