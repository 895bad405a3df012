// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import HTTPClient
internal import JSON

// Talks to a running server for the commands: the address, the token, and errors as a user reads them.

struct ServerClient {
  private let server: String
  private let client = HTTPClient()
  private let token = ProcessInfo.processInfo.environment["RAMPART_TOKEN"]

  /// - Parameter server: with scheme and port, without path.
  init(server: String) {
    self.server = server.hasSuffix("/") ? String(server.dropLast()) : server
  }

  /// One request. Every status is an answer.
  ///
  /// - Throws: `CommandFailure` when there is no answer.
  func send(_ method: String, _ path: String, contentType: String = "application/json", body: [UInt8]? = nil) throws -> HTTPClientResponse {
    var headers: [(String, String)] = body == nil ? [] : [("Content-Type", contentType)]
    if let token, !token.isEmpty { headers.append(("Authorization", "Bearer \(token)")) }
    do {
      return try client.send(method: method, url: server + path, headers: headers, body: body)
    } catch {
      throw CommandFailure(status: .failed, message: "\(error): is the server running? (rampart serve, or --server URL)")
    }
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
