// SPDX-License-Identifier: Apache-2.0

internal import GRDB
internal import Platform

// Group commit: one thread takes whatever has been submitted while it was writing, puts it into one transaction, and
// tells every submitter only when that transaction is on disk. A lone sender's body is committed at once; where several
// bring small ones, a commit waits a little for as many as came lately (`CommitPace`), because each writes and syncs some
// ten pages whatever it holds.

/// How long a commit waits for more than what is there.
private struct CommitPace {
  /// Not longer than this after the beginning of the commit before.
  private static let intervalMs: Int64 = 5
  /// That many waiting entries are worth a commit of their own.
  static let entriesAtOnce = 4_096
  /// For so many commits a larger one is remembered.
  private static let memory = 16

  /// How many may be expected: of the largest commit lately.
  private(set) var bodies = 1
  private var age = 0
  private var beganMs: Int64 = 0

  mutating func begin(bodies: Int, nowMs: Int64) {
    beganMs = nowMs
    age += 1
    if bodies >= self.bodies || age > CommitPace.memory { (self.bodies, age) = (bodies, 0) }
  }

  /// 0 for a commit that shall not wait.
  func pauseMs(nowMs: Int64) -> Int64 { bodies > 1 ? beganMs + CommitPace.intervalMs - nowMs : 0 }
}

/// A submission and who is told what became of it.
package struct WaitingSubmission: Sendable {
  package typealias Completion = @Sendable (Result<CommitOutcome, StoreError>) -> Void

  package let submission: Submission
  /// Runs once: on the committer's thread, or by whoever could not submit it.
  package let completion: Completion

  package init(_ submission: Submission, completion: @escaping Completion) {
    self.submission = submission
    self.completion = completion
  }

  /// Series entries, keys of items and bytes of recent events, 60 bytes each: what it costs to hold and to write.
  fileprivate var entries: Int {
    submission.delta.entryCount + (submission.itemKeys?.count ?? 0) + submission.recent.bytes.count / 60
  }
}

/// The thread that writes telemetry.
final class Committer: Sendable {
  private struct State {
    var queue: [WaitingSubmission] = []
    /// Series entries in `queue`.
    var entries = 0
    var isStopping = false
    var hasEnded = false
    var commits: Int64 = 0
    var failures: Int64 = 0
    var refusals: Int64 = 0
    var deadLetters = DeadLetterCounts()
    var recentEvents = RecentEventCounts()
  }

  /// Bounds of the queue.
  static let submissionsMax = 4_096
  static let entriesMax = 2_000_000

  private let pool: DatabasePool
  private let catalog: SeriesCatalog
  private let items: ItemMemory
  let users: UserMemory
  let exemplars: ExemplarMemory
  private let deadLetterLimits: DeadLetterLimits
  private let recentEventBytesMax: Int
  private let widthMs: Int64
  /// Told how many bytes each commit adds to the journal.
  private let journalGrew: @Sendable (Int) -> Void
  private let monitor = Monitor(State())

  init(
    pool: DatabasePool, catalog: SeriesCatalog, users: UserMemory, exemplars: ExemplarMemory,
    _ configuration: StoreConfiguration, journalGrew: @escaping @Sendable (Int) -> Void
  ) {
    self.pool = pool
    self.catalog = catalog
    self.users = users
    self.exemplars = exemplars
    items = ItemMemory(itemsMax: configuration.itemsMax)
    deadLetterLimits = DeadLetterLimits(
      lettersMax: configuration.deadLettersMax, bytesMax: configuration.deadLetterBytesMax)
    recentEventBytesMax = configuration.recentEventBytesMax
    widthMs = configuration.widthMs
    self.journalGrew = journalGrew
  }

  func start() {
    startThread(named: "committer") { self.run() }
  }

  /// Queues submissions for one commit, all or, where an error is thrown, none.
  func submit(_ submissions: [WaitingSubmission]) throws(StoreError) {
    let refusal: StoreError? = monitor.change { state in
      if state.isStopping { return .closed }
      let isFull = state.queue.count >= Committer.submissionsMax || state.entries >= Committer.entriesMax
      guard !isFull else {
        state.refusals += Int64(submissions.count)
        return .busy
      }
      state.queue += submissions
      state.entries += submissions.reduce(0) { $0 + $1.entries }
      return nil
    }
    if let refusal { throw refusal }
  }

  /// Writes what is queued, takes nothing new, and waits for the thread to end.
  func stop() {
    monitor.change { $0.isStopping = true }
    monitor.wait { $0.hasEnded ? () : nil }
  }

  /// What this thread knows of them.
  var statistics: StoreStatistics {
    monitor.withLock {
      StoreStatistics(
        commits: $0.commits, commitFailures: $0.failures, refusals: $0.refusals, waitingSubmissions: $0.queue.count,
        deadLetters: $0.deadLetters, recentEvents: $0.recentEvents)
    }
  }

  /// Adds to the counters of dead letters.
  func count(_ deadLetters: DeadLetterCounts) {
    monitor.withLock { $0.deadLetters += deadLetters }
  }

  private func run() {
    // Of this thread alone.
    var hours = HourTable()
    var pace = CommitPace()
    while let group = nextGroup(pace) {
      pace.begin(bodies: group.count, nowMs: Clock.monotonicMs())
      let outcomes = commit(group.map(\.submission), &hours)
      if case .failure = outcomes, group.count > 1 {
        // One body too large for what room is left must not fail those beside it.
        for waiting in group { waiting.completion(commit([waiting.submission], &hours).map { $0[0] }) }
        continue
      }
      for (index, waiting) in group.enumerated() {
        waiting.completion(outcomes.map { $0[index] })
      }
    }
    monitor.change { $0.hasEnded = true }
  }

  private func nextGroup(_ pace: CommitPace) -> [WaitingSubmission]? {
    monitor.wait { $0.isStopping || !$0.queue.isEmpty ? () : nil }
    let pauseMs = pace.pauseMs(nowMs: Clock.monotonicMs())
    if pauseMs > 0 {
      monitor.wait(timeoutMs: pauseMs) {
        $0.isStopping || $0.queue.count >= pace.bodies || $0.entries >= CommitPace.entriesAtOnce ? () : nil
      }
    }
    let group = monitor.withLock { state in
      defer {
        state.queue = []
        state.entries = 0
      }
      return state.queue
    }
    return group.isEmpty ? nil : group
  }

  private func commit(_ group: [Submission], _ hours: inout HourTable) -> Result<[CommitOutcome], StoreError> {
    do throws(StoreError) {
      let outcomes = try write(group, &hours)
      monitor.withLock { $0.commits += 1 }
      return .success(outcomes)
    } catch {
      hours.forget()
      monitor.withLock { $0.failures += 1 }
      return .failure(error)
    }
  }

  private func write(_ group: [Submission], _ hours: inout HourTable) throws(StoreError) -> [CommitOutcome] {
    let seriesCount = catalog.count
    let receivedMs = group.map(\.receivedMs).max() ?? 0
    let (outcomes, write, journalID) = try StoreError.wrapping("commit") {
      try pool.write { db in
        var write = TelemetryWrite(
          db: db, catalog: catalog, items: items, users: users, exemplars: exemplars, seriesCount: seriesCount,
          widthMs: widthMs)
        let outcomes = try group.map { try write.stage($0) }
        let journalID = try write.finish(
          deadLetterLimits: deadLetterLimits, recentEventBytesMax: recentEventBytesMax, nowMs: receivedMs)
        let staged = write.staged.states
        try hours.write(write.entries, to: db) { $0 < seriesCount ? catalog.state($0).key : staged[$0 - seriesCount].key }
        return (outcomes, write, journalID)
      }
    }
    catalog.apply(created: write.staged.states, write.entries, journalID: journalID, receivedMs: receivedMs)
    items.apply(write.itemChange)
    users.apply(write.userChange)
    exemplars.apply(write.exemplarChange)
    count(write.deadLetters)
    monitor.withLock { $0.recentEvents += write.recentEvents }
    journalGrew(write.journalBytes)
    return outcomes
  }
}
