// SPDX-License-Identifier: Apache-2.0

package import Ingest
internal import Platform
internal import Storage

// Bodies into the store of a server that is not running, by the same rules as over HTTP.

/// A store that is filled.
package final class EventImport: Sendable {
  private let store: Store
  private let decoders: DecoderPool
  private let keys: DeliveryKeys

  /// What became of one body.
  package struct Outcome: Sendable {
    package let isDuplicate: Bool
    package let accepted: Int
    package let rejected: Int
    package let ignored: Int
    package let rejections: [Rejection]
  }

  /// Opens the store, or makes one.
  ///
  /// - Throws: `StoreError`, `.inUse` while a server has it.
  package init(_ configuration: Configuration) throws {
    store = try Store(configuration.store)
    var settings = configuration.ingestSettings(userSeed: store.userSeed)
    // Hot keys are in the memory of a server.
    settings.keySamplesPerSecond = 0
    decoders = DecoderPool(settings: settings)
    keys = DeliveryKeys(store: store, windowMs: configuration.ingest.dedupeWindowMs)
  }

  /// Counts a body, and waits until it is on disk. Several threads may each bring one.
  ///
  /// - Throws: `StoreError`; nothing of the body is counted then.
  package func add(_ body: [UInt8], from origin: EventOrigin) throws -> Outcome {
    let nowMs = Clock.wallMs()
    let batch = decoders.decode { $0.decode(body.span, from: origin, receivedAtMs: nowMs) }
    let key = batch.carriesIdentity ? keys.key(path: EventRoutes.path, "body", body, nowMs: nowMs) : nil
    let submission = Submission(
      batch, source: EventRoutes.name, dedupeKey: key,
      answer: EventRoutes.answer(to: batch, errorsMax: IngestSettings().errorsMax), receivedMs: nowMs)
    let isDuplicate: Bool
    switch try store.commit(submission) {
    case .duplicate: isDuplicate = true
    case .committed, .seen: isDuplicate = false
    }
    return Outcome(
      isDuplicate: isDuplicate, accepted: batch.accepted, rejected: batch.rejected, ignored: batch.ignored,
      rejections: batch.rejections)
  }

  package func close() throws {
    try store.close()
  }
}
