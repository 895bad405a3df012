// SPDX-License-Identifier: Apache-2.0

internal import Ingest
internal import Platform
internal import Storage

// Counting what was rejected and is sound now: a batch is decoded again, and what it adds is committed together with
// the removal of its dead letters, so that each is counted once however often and by how many it is replayed.

struct DeadLetterReplay: Sendable {
  /// What became of the dead letters of one replay.
  struct Summary {
    var replayed = 0
    var rejected = 0
    var ignored = 0
    /// Not whole.
    var cut = 0
    /// The first `errorsMax` that stay, by id.
    private(set) var errors: [(id: Int64, reason: String)] = []

    fileprivate mutating func stays(_ letter: StoredDeadLetter, _ reason: String) {
      if errors.count < Summary.errorsMax { errors.append((letter.id, reason)) }
    }

    private static let errorsMax = 20
  }

  /// A batch is held in memory and written in one transaction.
  private static let lettersMax = 500
  private static let bytesMax = 4 << 20

  let intake: EventIntake

  /// Replays what is there now, oldest first. Waits for the disk.
  ///
  /// - Throws: what kept a batch from the disk; those before it are counted.
  func run(_ selection: DeadLetterSelection) throws -> Summary {
    var summary = Summary()
    var next: Int64 = 1
    // What is rejected meanwhile is for the next replay, or this one might not end.
    let last = try intake.store.newestDeadLetterID()
    while next <= last {
      let letters = try intake.store.deadLetters(
        selection, within: next...last, limit: DeadLetterReplay.lettersMax, bytesMax: DeadLetterReplay.bytesMax)
      guard let newest = letters.last else { break }
      // Where some have gone since they were read, the rest is read again.
      if try replay(letters, &summary) { next = newest.id + 1 }
    }
    return summary
  }

  /// - Returns: false where some of the letters are no longer there; nothing was counted then.
  private func replay(_ letters: [StoredDeadLetter], _ summary: inout Summary) throws -> Bool {
    let nowMs = Clock.wallMs()
    let whole = letters.filter(\.letter.isWhole)
    let (batch, outcomes) = intake.decode(again: whole.map(RejectedRecord.init), nowMs: nowMs)
    let counted = zip(whole, outcomes).filter { $0.1 == .accepted }.map(\.0)
    if !counted.isEmpty {
      guard try commit(batch, counted, nowMs: nowMs) else { return false }
    }
    summary.replayed += counted.count
    for letter in letters where !letter.letter.isWhole {
      summary.cut += 1
      summary.stays(letter, "only its first \(letter.sizeBytes) bytes were kept: send the record again, mended")
    }
    for (letter, outcome) in zip(whole, outcomes) {
      switch outcome {
      case .accepted: break
      case .ignored:
        summary.ignored += 1
        summary.stays(letter, "no cache event")
      case .rejected(let reason):
        summary.rejected += 1
        summary.stays(letter, reason)
      }
    }
    return true
  }

  private func commit(_ batch: DecodedBatch, _ counted: [StoredDeadLetter], nowMs: Int64) throws -> Bool {
    var submission = Submission(
      delta: batch.delta, deadLetters: [], dedupeKey: nil, answer: Answer(status: 200, body: []), receivedMs: nowMs)
    submission.replayed = counted.map(\.id)
    submission.recent = RecentEventChunk(batch.recent)
    guard try intake.store.commit(submission) == .committed else { return false }
    for (source, letters) in Dictionary(grouping: counted, by: \.letter.source) {
      intake.counters.add(.accepted, letters.count, protocol: source)
    }
    intake.counters.saw(newestEventMs: batch.newestEventMs)
    intake.counters.saw(batch.keys, receivedMs: nowMs)
    return true
  }
}

extension RejectedRecord {
  /// An event that tells no time happened when it was received.
  fileprivate init(_ stored: StoredDeadLetter) {
    let letter = stored.letter
    self.init(
      bytes: letter.body, timeMs: letter.timeMs ?? stored.atMs, service: letter.service, cache: letter.cache)
  }
}
