// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import HTTPClient
internal import Ingest
internal import JSON
internal import Platform
internal import Server
internal import Synchronization

// The two ways of `rampart ingest`: over HTTP to a server, and straight into a store.

/// One connection to a server.
final class ServerDelivery: PartDelivery {
  /// For how long a part is sent again before the run is given up.
  private static let patienceMs: Int64 = 120_000
  private static let pauseMs: Int64 = 500
  private static let pauseMaxMs: Int64 = 10_000

  private let client = Mutex(HTTPClient())
  private let server: String
  private let run: String
  private let token = ProcessInfo.processInfo.environment["RAMPART_TOKEN"] ?? ""
  private let hasBeenAnswered = Atomic(false)

  /// - Parameter run: a name that no other run has, so that a part whose answer got lost is not counted twice.
  init(server: String, run: String) {
    self.server = server.hasSuffix("/") ? String(server.dropLast()) : server
    self.run = run
  }

  func deliver(_ part: IngestPart, completion: @escaping @Sendable (Result<PartOutcome, any Error>) -> Void) {
    completion(Result { try deliver(part) })
  }

  func finish() {}

  private func deliver(_ part: IngestPart) throws -> PartOutcome {
    let deadlineMs = Clock.monotonicMs() + ServerDelivery.patienceMs
    var mayHaveArrived = false
    while true {
      let refusal: String
      var pauseMs = ServerDelivery.pauseMs
      do {
        let response = try send(part)
        hasBeenAnswered.store(true, ordering: .relaxed)
        guard response.status == 429 || response.status == 503 else {
          var outcome = try ServerDelivery.outcome(response)
          // The duplicate is our own first attempt.
          if mayHaveArrived { outcome.isDuplicate = false }
          return outcome
        }
        refusal = ServerDelivery.sentence(response)
        if let seconds = response.header("Retry-After").flatMap({ Int64($0) }), seconds > 0 { pauseMs = seconds * 1000 }
      } catch let error as HTTPClientError {
        // Where nobody ever answered, nobody is there.
        guard hasBeenAnswered.load(ordering: .relaxed) || error.kind == .interrupted || error.kind == .timedOut else {
          throw CommandFailure(status: .failed, message: "\(error): is the server running? (rampart serve, or --server URL)")
        }
        // Also where nobody could be reached: on a kept connection the part may have gone out once before.
        mayHaveArrived = true
        refusal = "\(error)"
      }
      guard Clock.monotonicMs() < deadlineMs else { throw CommandFailure(status: .failed, message: refusal) }
      Thread.sleep(forTimeInterval: Double(min(pauseMs, ServerDelivery.pauseMaxMs)) / 1000)
    }
  }

  private func send(_ part: IngestPart) throws(HTTPClientError) -> HTTPClientResponse {
    var headers = [("Content-Type", "application/x-ndjson"), ("Retry-Key", "\(run)/\(part.number)")]
    if !token.isEmpty { headers.append(("Authorization", "Bearer \(token)")) }
    let url = server + ServerDelivery.path(part.origin)
    return try client.withLock { (client) throws(HTTPClientError) in
      try client.send(method: "POST", url: url, headers: headers, body: part.bytes)
    }
  }

  private static func path(_ origin: EventOrigin) -> String {
    var allowed = CharacterSet.alphanumerics
    allowed.insert(charactersIn: "-._~")
    var fields: [String] = origin.framing == .lines ? ["framing=lines"] : []
    for (name, value) in [("service", origin.service), ("cache", origin.cache)] {
      guard let value = value?.addingPercentEncoding(withAllowedCharacters: allowed) else { continue }
      fields.append("\(name)=\(value)")
    }
    return "/api/v1/events" + (fields.isEmpty ? "" : "?" + fields.joined(separator: "&"))
  }

  private static func outcome(_ response: HTTPClientResponse) throws(CommandFailure) -> PartOutcome {
    let document = try? JSONValue(parsing: response.body)
    // 400 with counts is a body whose every record was rejected.
    guard response.isSuccess || response.status == 400, let accepted = document?["accepted"]?.integer,
      let rejected = document?["rejected"]?.integer, let ignored = document?["ignored"]?.integer
    else { throw CommandFailure(status: .failed, message: sentence(response)) }
    let errors = document?["errors"]?.array ?? []
    return PartOutcome(
      isDuplicate: document?["duplicate"]?.bool == true, accepted: Int(accepted), rejected: Int(rejected),
      ignored: Int(ignored),
      reasons: errors.map { (Int($0["line"]?.integer ?? 0), $0["reason"]?.string ?? "") })
  }

  private static func sentence(_ response: HTTPClientResponse) -> String {
    let document = try? JSONValue(parsing: response.body)
    return document?["error"]?.string ?? "status \(response.status)"
  }
}

/// A store that no server uses.
final class StoreDelivery: PartDelivery {
  private let store: EventImport

  init(_ store: EventImport) {
    self.store = store
  }

  func deliver(_ part: IngestPart, completion: @escaping @Sendable (Result<PartOutcome, any Error>) -> Void) {
    store.add(part.bytes, from: part.origin) { result in
      completion(
        result.map { outcome in
          PartOutcome(
            isDuplicate: outcome.isDuplicate, accepted: outcome.accepted, rejected: outcome.rejected,
            ignored: outcome.ignored, reasons: outcome.reasons.map { ($0.line, $0.text) })
        })
    }
  }

  func finish() { store.flush() }
}
