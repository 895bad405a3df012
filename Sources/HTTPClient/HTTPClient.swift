// SPDX-License-Identifier: Apache-2.0

internal import CCurl

// One synchronous HTTP client over one curl easy handle: a request goes out, the answer comes back, whole or piece by
// piece, the connection is kept for the next one. It knows nothing of JSON, retries or the product; it follows no redirect, reads
// no proxy from the environment and speaks http and https only. Not for answers without end, such as event streams.

/// Sends requests one after the other over kept-alive connections.
///
/// Not `Sendable`: one client belongs to one thread at a time. `send` blocks that thread for at most
/// `limits.totalMs`, `download` for as long as something comes.
package final class HTTPClient {
  /// Bounds of every request.
  package struct Limits: Sendable {
    /// Milliseconds until a connection must stand, name lookup included.
    package var connectMs: Int
    /// Milliseconds from `send` to the last byte of the answer.
    package var totalMs: Int
    /// Seconds without a byte of an answer that comes piece by piece; such an answer may take as long as it likes.
    package var stallSeconds: Int
    /// A longer body of an answer is refused with `.responseTooLarge`.
    package var responseBodyBytesMax: Int
    /// All header lines of an answer together; more is refused like a body too large.
    package var responseHeaderBytesMax: Int

    package init(
      connectMs: Int = 2_000, totalMs: Int = 30_000, stallSeconds: Int = 120, responseBodyBytesMax: Int = 16 << 20,
      responseHeaderBytesMax: Int = 64 << 10
    ) {
      self.connectMs = connectMs
      self.totalMs = totalMs
      self.stallSeconds = stallSeconds
      self.responseBodyBytesMax = responseBodyBytesMax
      self.responseHeaderBytesMax = responseHeaderBytesMax
    }
  }

  package let limits: Limits
  private let handle: CurlHandle
  private let mayConnect: ((RemoteAddress) -> Bool)?

  /// - Parameter mayConnect: asked with each address that a name turns out to have, before it is connected to, so that a
  ///   name cannot mean one address when it is checked and another when it is used. Nil admits all.
  package init(limits: Limits = Limits(), mayConnect: ((RemoteAddress) -> Bool)? = nil) {
    self.limits = limits
    self.mayConnect = mayConnect
    handle = CurlHandle()
  }

  /// Sends one request and waits for the whole answer.
  ///
  /// Every status is an answer, 4xx and 5xx included; an error means that there was none. Where a kept connection turns
  /// out to be closed, curl opens another and sends the request once more, so the server may see it twice.
  ///
  /// - Parameters:
  ///   - method: an HTTP token such as `GET`; sent as it is.
  ///   - url: absolute, `http` or `https`.
  ///   - headers: sent in this order. A line break in a name or value is refused.
  ///   - body: nil sends none; an empty array sends `Content-Length: 0`.
  package func send(
    method: String, url: String, headers: [(String, String)] = [], body: [UInt8]? = nil
  ) throws(HTTPClientError) -> HTTPClientResponse {
    let exchange = CurlExchange(
      bodyBytesMax: limits.responseBodyBytesMax, headerBytesMax: limits.responseHeaderBytesMax,
      mayConnect: mayConnect)
    return try perform(method, url, headers, body, .totalMs(limits.totalMs), exchange)
  }

  /// Sends a GET and hands on the body of a success as it comes, of whatever size.
  ///
  /// - Parameter receive: takes the next piece; false ends the request, which is then an error of kind `.failed`.
  /// - Returns: without a body after a success; with it for any other status.
  package func download(
    url: String, headers: [(String, String)] = [], to receive: @escaping ([UInt8]) -> Bool
  ) throws(HTTPClientError) -> HTTPClientResponse {
    let exchange = CurlExchange(
      bodyBytesMax: limits.responseBodyBytesMax, headerBytesMax: limits.responseHeaderBytesMax,
      mayConnect: mayConnect, receiver: receive)
    return try perform("GET", url, headers, nil, .stallSeconds(limits.stallSeconds), exchange)
  }

  private func perform(
    _ method: String, _ url: String, _ headers: [(String, String)], _ body: [UInt8]?, _ patience: CurlHandle.Patience,
    _ exchange: CurlExchange
  ) throws(HTTPClientError) -> HTTPClientResponse {
    let target = HTTPClientError.Target(method: method, url: url)
    try Self.check(method: method, url: url, headers: headers, target: target)
    let failure = handle.perform(
      method: method, url: url, headers: headers, body: body, connectMs: limits.connectMs, patience: patience,
      exchange: exchange)
    if exchange.isTooLarge {
      throw target.error(
        .responseTooLarge,
        "the answer is larger than \(limits.responseBodyBytesMax) bytes (headers: \(limits.responseHeaderBytesMax))",
        status: exchange.status)
    }
    if let failure {
      if failure.kind == .cannotConnect, !exchange.refusedAddresses.isEmpty {
        let addresses = exchange.refusedAddresses.map(\.description).joined(separator: ", ")
        throw target.error(.addressRefused, "\(addresses): not an address that may be connected to")
      }
      throw target.error(failure.kind, failure.message, status: exchange.status)
    }
    return HTTPClientResponse(status: handle.status, headers: exchange.headers, body: exchange.body)
  }

  // A line break or NUL in any of these would let a value write header lines of its own.
  private static func check(
    method: String, url: String, headers: [(String, String)], target: HTTPClientError.Target
  ) throws(HTTPClientError) {
    guard !method.isEmpty, method.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw target.error(.invalidRequest, "the method must be a word of printable ASCII")
    }
    guard !url.isEmpty, url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
      throw target.error(.invalidRequest, "the URL holds a space or a control character, or is empty")
    }
    for (name, value) in headers {
      let isClean = (name + value).utf8.allSatisfy { $0 >= 0x20 || $0 == 0x09 }
      guard isClean, !name.isEmpty, !name.utf8.contains(UInt8(ascii: ":")) else {
        throw target.error(.invalidRequest, "header \"\(name.prefix(64))\" holds a control character or a colon")
      }
    }
  }
}
