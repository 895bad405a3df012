// SPDX-License-Identifier: Apache-2.0

internal import HTTP

// Pages of other origins that may evaluate flags in the browser, as OpenFeature's web SDK does: cross-origin resource
// sharing (https://fetch.spec.whatwg.org/#http-cors-protocol) for evaluations and their event stream, and for nothing else.

/// Which origins are let in, and the headers that tell a browser so.
struct CrossOrigin: Sendable {
  /// What OFREP's clients send beside the headers that need no asking.
  private static let requestHeaders = "content-type, authorization, x-api-key, if-none-match, last-event-id"
  private static let exposedHeaders = "ETag, Retry-After"
  /// How long a browser may remember the answer to a preflight; Chromium's own limit.
  private static let preflightSeconds = "7200"
  private static let pathPrefixes = ["/ofrep/v1/", "/api/v1/evaluate/"]

  private let allowed: Set<String>

  /// - Parameter allowedOrigins: in lower case, such as `https://app.example.com`.
  init(allowedOrigins: [String]) {
    allowed = Set(allowedOrigins)
  }

  /// Whether a request comes from a page that may evaluate flags, and does nothing else.
  func admits(_ exchange: Exchange) -> Bool {
    guard origin(of: exchange) != nil else { return false }
    let path = exchange.pathText
    return CrossOrigin.pathPrefixes.contains { path.hasPrefix($0) }
  }

  /// What an answer carries so that the page may read it; nothing where no page of another origin asked.
  func headers(for exchange: Exchange) -> [Header] {
    guard let origin = origin(of: exchange) else { return [] }
    return [
      ("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", CrossOrigin.exposedHeaders), ("Vary", "Origin"),
    ].compactMap { Header($0.0, $0.1) }
  }

  /// The answer to a browser that asks whether it may send a request.
  func preflight(_ exchange: Exchange) -> Response {
    guard let origin = origin(of: exchange) else {
      return Answers.error(403, "Origin: pages of this origin may not evaluate flags: add it to allowed_origins")
    }
    return Response(status: 204)
      .with("Access-Control-Allow-Origin", origin).with("Vary", "Origin")
      .with("Access-Control-Allow-Methods", "GET, POST").with("Access-Control-Allow-Headers", CrossOrigin.requestHeaders)
      .with("Access-Control-Max-Age", CrossOrigin.preflightSeconds)
  }

  /// As the browser wrote it; nil where there is none or it is not let in.
  private func origin(of exchange: Exchange) -> String? {
    guard !allowed.isEmpty, exchange.headerCount("Origin") == 1, let origin = exchange.header("Origin") else { return nil }
    return allowed.contains(origin.lowercased()) ? origin : nil
  }
}
