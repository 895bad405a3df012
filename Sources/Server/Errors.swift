// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import HTTP
internal import JSON
internal import Notification
internal import Storage

// Every error of Rampart's own API becomes an HTTP answer here and nowhere else. OFREP's errors are shaped by the Flags
// module, because their bodies are OFREP's.

/// What is wrong with a request, with the sentence that its sender reads.
enum RequestError: Error {
  case badRequest(String)
  case forbidden(String)
  case notFound(String)
  case conflict(String)
  case preconditionFailed(String)
  case tooLarge(String)
  case unsupportedMediaType(String)
  /// Too much is under way; passes by itself.
  case unavailable(String)

  var status: Int {
    switch self {
    case .badRequest: 400
    case .forbidden: 403
    case .notFound: 404
    case .conflict: 409
    case .preconditionFailed: 412
    case .tooLarge: 413
    case .unsupportedMediaType: 415
    case .unavailable: 503
    }
  }

  var sentence: String {
    switch self {
    case .badRequest(let text), .forbidden(let text), .notFound(let text), .conflict(let text), .preconditionFailed(let text),
      .tooLarge(let text), .unsupportedMediaType(let text), .unavailable(let text):
      text
    }
  }
}

enum Answers {
  /// How long a sender should wait when the store cannot take more, in seconds.
  static let retryAfterSeconds = 1

  static func json(status: Int = 200, _ body: [UInt8]) -> Response {
    Response(status: status, contentType: "application/json", body: body).with("Cache-Control", "no-store")
  }

  static func error(_ status: Int, _ sentence: String) -> Response { sayingWhen(errorDocument(status, sentence)) }

  private static func errorDocument(_ status: Int, _ sentence: String) -> Response {
    var writer = JSONWriter(capacity: 128)
    writer.beginObject()
    writer.member("error", sentence)
    writer.endObject()
    return json(status: status, writer.bytes)
  }

  static func error(_ error: any Error) -> Response {
    self.error(error) { errorDocument($0, $1) }
  }

  /// An error in the words of another protocol, with the status and the wait that it has everywhere.
  static func error(_ error: any Error, _ words: (_ status: Int, _ sentence: String) -> Response) -> Response {
    let (status, sentence) = meaning(of: error)
    return sayingWhen(words(status, sentence))
  }

  /// What passes by itself says when to come again.
  private static func sayingWhen(_ response: Response) -> Response {
    response.status == 503 || response.status == 429
      ? response.with("Retry-After", String(retryAfterSeconds)) : response
  }

  private static func meaning(of error: any Error) -> (status: Int, sentence: String) {
    switch error {
    case let error as RequestError: (error.status, error.sentence)
    case let error as FlagError: (400, error.description)
    case let error as SilenceError: (400, error.description)
    case let error as RolloutRefusal: (409, error.description)
    case let error as StoreError: (status(of: error), error.description)
    default: (500, "\(error)")
    }
  }

  /// What passes by itself is 503 or 429, which every shipper retries; 500 would make some of them drop what they hold.
  private static func status(of error: StoreError) -> Int {
    switch error {
    case .conflict: 412
    case .busy: 429
    case .full, .closed, .failed, .inUse: 503
    case .damaged: 500
    }
  }
}
