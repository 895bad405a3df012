// SPDX-License-Identifier: Apache-2.0

internal import Assignment
package import Ingest
internal import Platform
internal import Storage

// Bodies into the store of a server that is not running, by the same rules as over HTTP.

/// A store that is filled.
package final class EventImport: Sendable {
  private let store: Store
  private let decoders: DecoderPool
  private let keys: DeliveryKeys
  private let monitor = Monitor(State())

  private struct State {
    /// What the next commit will have.
    var gathered: [WaitingSubmission] = []
    /// How many were taken and are not on disk.
    var underWay = 0
  }

  private static let reasonsMax = IngestSettings().errorsMax
  /// A commit costs some 2 ms whatever is in it, as much as decoding half a body.
  private static let bodiesPerCommit = 8
  private static let underWayMax = 3 * bodiesPerCommit

  /// What became of one body.
  package struct Outcome: Sendable {
    package let isDuplicate: Bool
    package let accepted: Int
    package let rejected: Int
    package let ignored: Int
    /// Of the records that were rejected, with their lines within the body; only the first ones.
    package let reasons: [Reason]

    package struct Reason: Sendable {
      package let line: Int
      package let text: String
    }
  }

  /// Opens the store, or makes one.
  ///
  /// - Throws: `StoreError`, `.inUse` while a server has it.
  package init(_ configuration: Configuration) throws {
    store = try Store(configuration.store)
    // Nobody changes a flag while a command has the store.
    let cohorts = try Exposures.history(store).picture
    var settings = configuration.ingestSettings(userSeed: store.userSeed) { cohorts }
    // Hot keys are in the memory of a server.
    settings.keySamplesPerSecond = 0
    decoders = DecoderPool(settings: settings)
    keys = DeliveryKeys(store: store, windowMs: configuration.ingest.dedupeWindowMs)
  }

  /// Decodes a body, to be counted together with those before and after it. Several threads may each bring one.
  ///
  /// - Parameter completion: told what became of it, on another thread, once it is on disk; with a `StoreError` where
  ///   nothing of the body is counted.
  package func add(
    _ body: [UInt8], from origin: EventOrigin, completion: @escaping @Sendable (Result<Outcome, any Error>) -> Void
  ) {
    monitor.wait { (state) -> Void? in
      guard state.underWay < EventImport.underWayMax else { return nil }
      state.underWay += 1
      return ()
    }
    let waiting = decode(body, from: origin) { [monitor] result in
      monitor.change { $0.underWay -= 1 }
      completion(result)
    }
    let isEnough = monitor.withLock { state in
      state.gathered.append(waiting)
      return state.gathered.count >= EventImport.bodiesPerCommit
    }
    if isEnough { flush() }
  }

  /// Has written what is gathered.
  package func flush() {
    let gathered = monitor.withLock { state in
      defer { state.gathered = [] }
      return state.gathered
    }
    guard !gathered.isEmpty else { return }
    do throws(StoreError) {
      try store.submit(gathered)
    } catch {
      for waiting in gathered { waiting.completion(.failure(error)) }
    }
  }

  private func decode(
    _ body: [UInt8], from origin: EventOrigin, completion: @escaping @Sendable (Result<Outcome, any Error>) -> Void
  ) -> WaitingSubmission {
    let nowMs = Clock.wallMs()
    let batch = decoders.decode { $0.decode(body.span, from: origin, receivedAtMs: nowMs) }
    let key = batch.carriesIdentity ? keys.key(path: EventRoutes.path, "body", body, nowMs: nowMs) : nil
    let submission = Submission(
      batch, source: EventRoutes.name, dedupeKey: key,
      answer: EventRoutes.answer(to: batch, errorsMax: EventImport.reasonsMax), receivedMs: nowMs)
    let (accepted, rejected, ignored) = (batch.accepted, batch.rejected, batch.ignored)
    let reasons = batch.rejections.prefix(EventImport.reasonsMax).map { Outcome.Reason(line: $0.line, text: $0.reason) }
    return WaitingSubmission(submission) { result in
      completion(
        result.map { committed in
          var isDuplicate = false
          if case .duplicate = committed { isDuplicate = true }
          return Outcome(
            isDuplicate: isDuplicate, accepted: accepted, rejected: rejected, ignored: ignored, reasons: reasons)
        }.mapError { $0 })
    }
  }

  package func close() throws {
    try store.close()
  }
}
