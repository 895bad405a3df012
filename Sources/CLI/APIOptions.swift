// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import HTTPClient
internal import JSON
internal import Platform
internal import Server

// Whose flags a command works on: a running server's, or those of a store that none uses. In the second case the command
// serves the store to itself, so that everything but the address is the same.

struct APIOptions: ParsableArguments {
  /// A check of the audit or a verification reads long.
  private static let answerMs = 600_000

  @Option(help: ArgumentHelp("Server to ask; http://127.0.0.1:8990 without it.", valueName: "url"))
  private var server: String?

  @Option(help: ArgumentHelp("Folder of a store that no server uses, to work on it instead.", valueName: "dir"))
  private var data: String?

  @ArgumentParser.Flag(help: "Print the JSON of the HTTP API.")
  var json = false

  func validate() throws {
    if server != nil, data != nil { throw ValidationError("--data: works without a server: leave it out with --server") }
  }

  var isOffline: Bool { data != nil }

  /// Runs `body` with the API; the store of `--data` is closed after it, whatever happens.
  func withAPI<Result>(_ command: String, _ body: (API) throws -> Result) throws -> Result {
    guard let data else {
      let address = server ?? "http://127.0.0.1:8990"
      return try body(API(command: command, client: ServerClient(server: address, answerMs: APIOptions.answerMs)))
    }
    do {
      let offline = try OfflineServer(try ReadingOptions.configuration(data: data))
      let client = ServerClient(server: offline.url, token: offline.token, answerMs: APIOptions.answerMs)
      let result = Swift.Result { try body(API(command: command, client: client)) }
      try offline.stop()
      return try result.get()
    } catch let error as OfflineStoreError {
      throw CommandFailure(status: error.kind == .usage ? .wrongUsage : .failed, message: "\(command): \(error)")
    }
  }
}

/// Rampart's own API as commands call it.
struct API {
  /// What messages begin with.
  let command: String
  let client: ServerClient

  /// One request.
  struct Request {
    var method: String
    /// Without a query.
    var path: String
    var fields: [(name: String, value: String)] = []
    var headers: [(String, String)] = []
    var body: [UInt8]?

    /// - Parameter components: escaped, and joined with slashes behind `/api/v1/`.
    init(_ method: String, _ components: String..., fields: [(name: String, value: String)] = [], body: [UInt8]? = nil) {
      self.method = method
      path = "/api/v1/" + components.map { percentEncoded($0) }.joined(separator: "/")
      self.fields = fields
      self.body = body
    }
  }

  /// The bytes of the answer; every status is one.
  func answer(_ request: Request) throws -> HTTPClientResponse {
    let query = request.fields.isEmpty ? "" : "?" + formText(request.fields)
    return try client.send(request.method, request.path + query, headers: request.headers, body: request.body)
  }

  /// The document of a success; null where the answer has no body.
  ///
  /// - Throws: `CommandFailure` with the server's own sentence.
  func call(_ request: Request) throws -> JSONValue {
    try document(try answer(request))
  }

  /// - Throws: `CommandFailure` with the server's own sentence.
  func document(_ response: HTTPClientResponse) throws -> JSONValue {
    if let refusal = ServerClient.refusal(response, saying: command) { throw refusal }
    guard !response.body.isEmpty else { return .null }
    do throws(JSONError) {
      return try JSONValue(parsing: response.body)
    } catch {
      throw CommandFailure(status: .failed, message: "\(command): the answer is no JSON: \(error): is it a Rampart server?")
    }
  }
}

/// Options of commands that change something.
struct ReasonOptions: ParsableArguments {
  /// What the server keeps of it.
  private static let reasonCharactersMax = 1_000

  @Option(help: ArgumentHelp("Why, for the audit.", valueName: "text"))
  var reason: String?

  func validate() throws {
    guard let reason else { return }
    guard !reason.contains(where: \.isNewline), reason.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
      throw ValidationError("--reason: must be one line without control characters")
    }
    guard reason.count <= ReasonOptions.reasonCharactersMax else {
      throw ValidationError("--reason: \(reason.count) characters: at most \(ReasonOptions.reasonCharactersMax)")
    }
  }

  var headers: [(String, String)] { reason.map { [("X-Reason", $0)] } ?? [] }
}

/// The environment of flags and ramps.
struct EnvironmentOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Environment of the flag.", valueName: "name"))
  var environment = "production"

  var field: (name: String, value: String) { (name: "environment", value: environment) }
}
