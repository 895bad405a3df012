// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import HTTPClient
internal import JSON

// Talks to a running server for the commands: the address, the token, and errors as a user reads them.

struct ServerClient {
  private let server: String
  private let client: HTTPClient
  private let token: String?

  /// - Parameters:
  ///   - server: with scheme and port, without path.
  ///   - token: nil for that of `RAMPART_TOKEN`.
  ///   - answerMs: how long an answer may take.
  init(server: String, token: String? = nil, answerMs: Int = HTTPClient.Limits().totalMs) {
    self.server = server.hasSuffix("/") ? String(server.dropLast()) : server
    self.token = token ?? ProcessInfo.processInfo.environment["RAMPART_TOKEN"]
    client = HTTPClient(limits: HTTPClient.Limits(totalMs: answerMs))
  }

  /// One request. Every status is an answer.
  ///
  /// - Throws: `CommandFailure` when there is no answer.
  func send(
    _ method: String, _ path: String, contentType: String = "application/json", headers: [(String, String)] = [], body: [UInt8]? = nil
  ) throws -> HTTPClientResponse {
    let headers = headers + (body == nil ? [] : [("Content-Type", contentType)])
    do {
      return try client.send(method: method, url: server + path, headers: headers + authorization, body: body)
    } catch {
      throw ServerClient.failure(error)
    }
  }

  /// One GET whose answer is handed on as it comes, of whatever size.
  ///
  /// - Parameter receive: takes the next piece; false ends the request, which then throws.
  /// - Throws: `CommandFailure`, with the server's own sentence where it answered.
  func download(_ path: String, to receive: @escaping ([UInt8]) -> Bool) throws {
    let response: HTTPClientResponse
    do {
      response = try client.download(url: server + path, headers: authorization, to: receive)
    } catch {
      throw ServerClient.failure(error)
    }
    if let refusal = ServerClient.refusal(response, saying: server) { throw refusal }
  }

  /// What an answer that is no success means to the user of a command; nil for a success.
  ///
  /// - Parameter saying: what the message begins with.
  static func refusal(_ response: HTTPClientResponse, saying subject: String) -> CommandFailure? {
    guard !response.isSuccess else { return nil }
    let reason = (try? JSONValue(parsing: response.body))?["error"]?.string ?? "status \(response.status)"
    return CommandFailure(status: response.status == 400 ? .wrongUsage : .failed, message: "\(subject): \(reason)")
  }

  private var authorization: [(String, String)] {
    token.flatMap { $0.isEmpty ? nil : [("Authorization", "Bearer \($0)")] } ?? []
  }

  private static func failure(_ error: HTTPClientError) -> CommandFailure {
    let hint = error.kind == .cannotConnect ? ": is the server running? (rampart serve, or --server URL)" : ""
    return CommandFailure(status: .failed, message: "\(error)\(hint)")
  }

  /// One request whose answer must be a success.
  ///
  /// - Throws: `CommandFailure` with the server's own sentence.
  @discardableResult
  func call(_ method: String, _ path: String, body: [UInt8]? = nil) throws -> JSONValue {
    let response = try send(method, path, body: body)
    let document = try? JSONValue(parsing: response.body)
    guard response.isSuccess else {
      throw CommandFailure(status: .failed, message: document?["error"]?.string ?? "\(method) \(path): status \(response.status)")
    }
    return document ?? .null
  }
}
