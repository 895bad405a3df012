// SPDX-License-Identifier: Apache-2.0

// Why a request has no answer, in words that may be logged: the method, the URL without credentials and query, and
// curl's own message.

/// A request that got no answer.
package struct HTTPClientError: Error, Equatable, Sendable, CustomStringConvertible {
  package enum Kind: Equatable, Sendable {
    /// The method, URL or a header cannot be sent; nothing was.
    case invalidRequest
    /// No connection stood: refused, unknown host, TLS failure. Nothing was sent, so sending again is safe.
    case cannotConnect
    /// The name has addresses, and none of them may be connected to. Nothing was sent.
    case addressRefused
    case timedOut
    case responseTooLarge
    /// The connection broke on the way. The server may or may not have acted on the request.
    case interrupted
    case failed
  }

  package let kind: Kind
  package let method: String
  /// Scheme, host, port and path only.
  package let url: String
  package let message: String
  /// Of an answer that began and did not come whole; nil where none began.
  package let status: Int?

  package var description: String { "\(method) \(url): \(message)" }

  struct Target {
    let method: String
    let url: String

    func error(_ kind: Kind, _ message: String, status: Int? = nil) -> HTTPClientError {
      HTTPClientError(kind: kind, method: method, url: Self.withoutSecrets(url), message: message, status: status)
    }

    // User information stands before the last "@" of the authority; tokens travel in queries.
    static func withoutSecrets(_ url: String) -> String {
      let bare = url.prefix { $0 != "?" && $0 != "#" }
      guard let schemeEnd = bare.firstRange(of: "://")?.upperBound else {
        guard let at = bare.lastIndex(of: "@") else { return String(bare) }
        return String(bare[bare.index(after: at)...])
      }
      let authorityEnd = bare[schemeEnd...].firstIndex(of: "/") ?? bare.endIndex
      guard let at = bare[schemeEnd..<authorityEnd].lastIndex(of: "@") else { return String(bare) }
      return bare[..<schemeEnd] + String(bare[bare.index(after: at)...])
    }
  }
}
