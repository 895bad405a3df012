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
    let events = batch.events
    let key = batch.key.map { keys.key(path: batch.name, "chunk", $0, nowMs: batch.receivedMs) }
    var submission = Submission(
      delta: events.delta, deadLetters: DeadLetter.list(events.rejections, source: batch.name), dedupeKey: key,
      answer: Answer(status: 200, body: []), receivedMs: batch.receivedMs)
    submission.position = batch.position
    submission.recent = RecentEventChunk(events.recent)
    let records = events.accepted + events.rejected + events.ignored
    do throws(StoreError) {
      try store.submit(submission) { result in
        switch result {
        case .success(.duplicate):
          counters.add(.duplicate, records, protocol: batch.name)
          completion(.duplicate)
        case .success:
          count(batch)
          completion(.committed)
        case .failure(let error): refuse(records, error, batch.name, completion)
        }
      }
    } catch {
      refuse(records, error, batch.name, completion)
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

  private func count(_ batch: SourceBatch) {
    let events = batch.events, name = batch.name
    counters.addOverflows(events.overflowedLabels)
    counters.add(.accepted, events.accepted, protocol: name)
    counters.add(.rejected, events.rejected, protocol: name)
    counters.add(.ignored, events.ignored, protocol: name)
    counters.saw(newestEventMs: events.newestEventMs)
    counters.saw(events.keys, receivedMs: batch.receivedMs)
  }
}
