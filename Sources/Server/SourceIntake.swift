// SPDX-License-Identifier: Apache-2.0

internal import Ingest
internal import Logging
internal import Sources
internal import Storage

// What sources read goes the way of bodies of HTTP, with the position in its file or the key of its chunk.

struct SourceIntake: EventSink {
  let store: Store
  let counters: IngestCounters
  let keys: DeliveryKeys
  let logger: Logger

  func submit(_ batch: SourceBatch, completion: @escaping @Sendable (SourceOutcome) -> Void) {
    let key = batch.key.map { keys.key(path: batch.name, "chunk", $0, nowMs: batch.receivedMs) }
    var submission = Submission(
      batch.events, source: batch.name, dedupeKey: key, answer: Answer(status: 200, body: []),
      receivedMs: batch.receivedMs)
    submission.position = batch.position
    let counts = BatchCounts(batch.events, receivedMs: batch.receivedMs)
    let overflows = batch.events.overflowedLabels
    do throws(StoreError) {
      try store.submit(submission) { result in
        switch result {
        case .success(.duplicate):
          counters.add(.duplicate, counts.records, protocol: batch.name)
          completion(.duplicate)
        case .success:
          counters.addOverflows(overflows)
          counts.add(to: counters, protocol: batch.name)
          completion(.committed)
        case .failure(let error): refuse(counts.records, error, batch.name, completion)
        }
      }
    } catch {
      refuse(counts.records, error, batch.name, completion)
    }
  }

  func report(_ message: String, name: String) {
    counters.addSourceError(protocol: name)
    logger.warning("\(name): \(message)")
  }

  private func refuse(
    _ records: Int, _ error: StoreError, _ name: String, _ completion: @Sendable (SourceOutcome) -> Void
  ) {
    counters.add(.refused, records, protocol: name)
    completion(.refused(error.description))
  }
}
