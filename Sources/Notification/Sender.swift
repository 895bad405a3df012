// SPDX-License-Identifier: Apache-2.0

internal import HTTPClient
internal import Platform

// One request to a receiver: where it goes, in what words, and what the answer means.

/// Sends messages of one receiver, one after the other, on the thread that made it.
final class Sender {
  struct Answer: Sendable, Equatable {
    let outcome: SendOutcome
    /// Nil where none came.
    let status: Int?
  }

  /// An answer says little; more of it is not read.
  private static let limits = HTTPClient.Limits(
    connectMs: 5_000, totalMs: 10_000, responseBodyBytesMax: 64 << 10, responseHeaderBytesMax: 32 << 10)
  private static let urlFileBytesMax = 8_192
  private static let reasonCharactersMax = 200

  private var client: HTTPClient?
  private var policy: AddressPolicy?

  /// Waits at most ten seconds.
  func send(_ message: Message, to receiver: Receiver, _ head: Letterhead) -> Answer {
    do throws(OutgoingURLError) {
      let url = try Self.url(of: receiver)
      let endpoint = receiver.kind == .alertmanager ? AlertmanagerPayload.endpoint(url.text) : url.text
      let answer = send(Self.body(message, receiver.kind, head), to: endpoint, through: try client(for: url, receiver))
      return Answer(outcome: answer.outcome.redacted(url), status: answer.status)
    } catch {
      return Answer(outcome: .failed("URL: \(error)", retryAfterMs: nil), status: nil)
    }
  }

  private func send(_ body: [UInt8], to url: String, through client: HTTPClient) -> Answer {
    let headers = [("Content-Type", "application/json"), ("User-Agent", "Rampart")]
    do throws(HTTPClientError) {
      let response = try client.send(method: "POST", url: url, headers: headers, body: body)
      return Answer(outcome: Self.outcome(of: response), status: response.status)
    } catch {
      // The first line of an answer decides. Whether the rest of it comes or is too long says nothing of the message,
      // which would be sent again and again.
      if let status = error.status, (200..<300).contains(status) { return Answer(outcome: .taken, status: status) }
      // The error's own text may hold the path of the URL, which may be the secret.
      return Answer(outcome: .failed(error.message, retryAfterMs: nil), status: error.status)
    }
  }

  private static func outcome(of response: HTTPClientResponse) -> SendOutcome {
    if response.isSuccess { return .taken }
    let text = response.text.prefix(reasonCharactersMax).map { $0.isNewline || $0.unicodeScalars.contains { $0.value < 0x20 } ? " " : $0 }
    let reason = "answered \(response.status)" + (text.isEmpty ? "" : ": \(String(text))")
    if (300..<500).contains(response.status), response.status != 408, response.status != 429 { return .refused(reason) }
    let retryAfterMs = response.header("Retry-After").flatMap { TimeText.retryAfterMs($0, nowMs: Clock.wallMs()) }
    return .failed(reason, retryAfterMs: retryAfterMs)
  }

  private static func body(_ message: Message, _ kind: Receiver.Kind, _ head: Letterhead) -> [UInt8] {
    switch kind {
    case .alertmanager: AlertmanagerPayload.write(message, head, nowMs: Clock.wallMs())
    case .webhook: WebhookPayload.write(message, head)
    case .slack: SlackPayload.write(message, head)
    }
  }

  /// Where it is now: a file is read each time.
  static func url(of receiver: Receiver) throws(OutgoingURLError) -> OutgoingURL {
    switch receiver.location {
    case .url(let url): return url
    case .file(let path):
      let bytes: [UInt8]
      do throws(FileError) {
        bytes = try Files.readRegular(path, bytesMax: urlFileBytesMax)
      } catch {
        throw OutgoingURLError(message: "\(path): \(error.reason)")
      }
      return try OutgoingURL(String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self))
    }
  }

  /// A client that connects nowhere else than `receiver` may.
  private func client(for url: OutgoingURL, _ receiver: Receiver) throws(OutgoingURLError) -> HTTPClient {
    let policy = AddressPolicy(url, allowsPrivate: receiver.allowsPrivate)
    if let refusal = policy.refusal(of: url) { throw refusal }
    if let client, self.policy == policy { return client }
    let client = HTTPClient(limits: Self.limits) { policy.admits($0) }
    (self.client, self.policy) = (client, policy)
    return client
  }
}

extension SendOutcome {
  /// Without the parts of a URL that may be secret: an answer may repeat what it was asked.
  fileprivate func redacted(_ url: OutgoingURL) -> SendOutcome {
    switch self {
    case .taken: self
    case .refused(let reason): .refused(url.redacting(reason))
    case .failed(let reason, let retryAfterMs): .failed(url.redacting(reason), retryAfterMs: retryAfterMs)
    }
  }
}
