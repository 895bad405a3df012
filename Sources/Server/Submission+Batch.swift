// SPDX-License-Identifier: Apache-2.0

internal import Ingest
internal import Platform
internal import Storage
internal import TimeSeries

// From what was decoded to what is committed, and counted once it is: the same for bodies, sources and files.

extension Submission {
  /// What a body adds, with what is kept of its records.
  ///
  /// - Parameter source: of its dead letters.
  init(_ batch: DecodedBatch, source: String, dedupeKey: DedupeKey?, answer: Answer, receivedMs: Int64) {
    let letters = batch.rejections.map { DeadLetter($0, source: source) }
    self.init(delta: batch.delta, deadLetters: letters, dedupeKey: dedupeKey, answer: answer, receivedMs: receivedMs)
    recent = RecentEventChunk(batch.recent)
  }
}

extension Submission {
  /// Samples of gauges that the server makes itself.
  init(samples: [(labels: Labels, timeMs: Int64, value: Double)], receivedMs: Int64) {
    var delta = BatchDelta()
    delta.series.reserveCapacity(samples.count)
    for (index, sample) in samples.enumerated() {
      delta.gauges.append(.init(series: index, timestampMs: sample.timeMs, value: sample.value))
      delta.series.append(SeriesKey(kind: .gauge, labels: sample.labels))
    }
    self.init(delta: delta, deadLetters: [], dedupeKey: nil, answer: Answer(status: 200, body: []), receivedMs: receivedMs)
  }
}

extension DeadLetter {
  fileprivate init(_ rejection: Rejection, source: String) {
    self.init(source: source, line: rejection.line, reason: rejection.reason, body: rejection.record.bytes)
    isWhole = rejection.isWhole
    timeMs = rejection.record.timeMs
    service = rejection.record.service
    cache = rejection.record.cache
  }
}

/// What the counters want to know of a body.
struct BatchCounts: Sendable {
  let accepted: Int
  let rejected: Int
  let ignored: Int
  private let newestEventMs: Int64?
  private let keys: KeySamples
  private let receivedMs: Int64

  init(_ batch: DecodedBatch, receivedMs: Int64) {
    accepted = batch.accepted
    rejected = batch.rejected
    ignored = batch.ignored
    newestEventMs = batch.newestEventMs
    keys = batch.keys
    self.receivedMs = receivedMs
  }

  var records: Int { accepted + rejected + ignored }

  /// Once it is on disk.
  func add(to counters: IngestCounters, protocol: String) {
    counters.add(.accepted, accepted, protocol: `protocol`)
    counters.add(.rejected, rejected, protocol: `protocol`)
    counters.add(.ignored, ignored, protocol: `protocol`)
    counters.saw(newestEventMs: newestEventMs)
    counters.saw(keys, receivedMs: receivedMs)
  }
}

extension Store {
  /// Submits and waits.
  func commit(_ submission: Submission) throws -> CommitOutcome {
    let done = Monitor<Result<CommitOutcome, StoreError>?>(nil)
    try submit(submission) { outcome in done.change { $0 = outcome } }
    guard let outcome = done.wait(until: { $0 }) else { preconditionFailure("a wait without end ended without a value") }
    return try outcome.get()
  }
}
