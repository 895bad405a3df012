// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import HTTP
internal import JSON
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

  static func error(_ status: Int, _ sentence: String) -> Response {
    var writer = JSONWriter(capacity: 128)
    writer.beginObject()
    writer.member("error", sentence)
    writer.endObject()
    let response = json(status: status, writer.bytes)
    return status == 503 || status == 429 ? response.with("Retry-After", String(retryAfterSeconds)) : response
  }

  static func error(_ error: any Error) -> Response {
    switch error {
    case let error as RequestError: self.error(error.status, error.sentence)
    case let error as FlagError: self.error(400, error.description)
    case let error as RolloutRefusal: self.error(409, error.description)
    case let error as StoreError: self.error(status(of: error), error.description)
    default: self.error(500, "\(error)")
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
