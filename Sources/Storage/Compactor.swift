// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB
internal import Platform
internal import Synchronization
internal import TimeSeries

// Moves what the journal holds into blocks, a few series a transaction, so that no commit waits long for it. Wherever
// it is interrupted, each series is either in its blocks (its `series_state` says up to which journal row) or still in
// the journal: every window is counted once. Retention is in Compactor+Retention.

/// The thread that writes blocks.
final class Compactor: Sendable {
  /// Read at a time.
  private static let seriesPerReading = 64
  /// Of one transaction; with some 10 µs a block it holds the writer for a few milliseconds.
  static let blocksPerTransaction = 128
  /// A compaction takes at most a fifth of the time, however fast the journal grows.
  private static let restFactor: Int64 = 4

  private struct State {
    var journalBytes: Int64 = 0
    var isStopping = false
    var hasEnded = false
    var longestHoldNs: Int64 = 0
  }

  let pool: DatabasePool
  let catalog: SeriesCatalog
  let widthMs: Int64
  let retention: StoreConfiguration.Retention
  let sizeBytesMax: Int64
  let checkpointer: Checkpointer
  private let settings: StoreConfiguration.Compaction
  private let monitor = Monitor(State())
  /// One compaction at a time.
  private let turn = Mutex(())
  /// Held while frozen heads become blocks, and while a reader takes a snapshot of both.
  let gate = Mutex(())

  init(
    pool: DatabasePool, catalog: SeriesCatalog, _ checkpointer: Checkpointer, _ configuration: StoreConfiguration
  ) {
    self.checkpointer = checkpointer
    self.pool = pool
    self.catalog = catalog
    widthMs = configuration.widthMs
    retention = configuration.retention
    sizeBytesMax = configuration.sizeBytesMax
    settings = configuration.compaction
  }

  func start() {
    startThread(named: "compactor") { self.run() }
  }

  func stop() {
    monitor.change { $0.isStopping = true }
    monitor.wait { $0.hasEnded ? () : nil }
  }

  /// The longest that one of its transactions kept the writer from everybody else since the start, in seconds.
  var longestHoldSeconds: Double { Double(monitor.withLock { $0.longestHoldNs }) / 1e9 }

  /// One transaction, in which no commit can be.
  func write(_ body: (Database) throws -> Void) throws {
    try hold { db in
      try db.inTransaction(.immediate) {
        try body(db)
        return .commit
      }
    }
  }

  private func hold(_ body: (Database) throws -> Void) throws {
    try pool.writeWithoutTransaction { db in
      let startNs = Clock.monotonicNs()
      defer {
        let heldNs = Clock.monotonicNs() - startNs
        monitor.withLock { $0.longestHoldNs = max($0.longestHoldNs, heldNs) }
      }
      try body(db)
    }
  }

  /// Folds the write-ahead log into the file, where it holds much. What fails is done the next time, or by a commit once
  /// the log is very large.
  private func foldLog() {
    guard (try? checkpointer.copyLargeLog()) == true else { return }
    try? hold { _ = try $0.checkpoint(.passive) }
  }

  func journalGrew(by bytes: Int) {
    let isLarge = monitor.withLock { state in
      state.journalBytes += Int64(bytes)
      return state.journalBytes >= settings.journalBytesMax
    }
    if isLarge { monitor.change { _ in } }
  }

  private func run() {
    var restMs: Int64 = 0
    while waitForWork(atLeastMs: restMs) {
      let startMs = Clock.monotonicMs()
      monitor.withLock { $0.journalBytes = 0 }
      // What failed stays in the journal and is tried again; the store says itself when it cannot commit.
      try? compact(nowMs: Clock.wallMs())
      foldLog()
      restMs = (Clock.monotonicMs() - startMs) * Compactor.restFactor
    }
    monitor.change { $0.hasEnded = true }
  }

  private func waitForWork(atLeastMs: Int64) -> Bool {
    let stops: Bool? = monitor.wait(timeoutMs: atLeastMs) { $0.isStopping ? true : nil }
    if stops == true { return false }
    let reason: Bool? = monitor.wait(timeoutMs: settings.intervalMs) { state in
      if state.isStopping { return false }
      return state.journalBytes >= settings.journalBytesMax ? true : nil
    }
    return reason ?? true
  }

  // MARK: Compaction

  /// Applies retention, which makes room in a store that is full, and moves what is in memory into blocks.
  func compact(nowMs: Int64) throws {
    try turn.withLock { _ in
      try applyRetention(nowMs: nowMs)
      try moveHeads(widthMs: widthMs, nowMs: nowMs)
    }
  }

  private func moveHeads(widthMs: Int64, nowMs: Int64) throws {
    let (heads, states, journalID) = catalog.freeze()
    do {
      let series = heads.keys.sorted()
      for start in stride(from: 0, to: series.count, by: Compactor.seriesPerReading) {
        let slice = Array(series[start..<min(start + Compactor.seriesPerReading, series.count)])
        try move(
          slice.map { ($0, heads[$0]!) }, states: slice.map { states[$0]! }, journalID: journalID, widthMs: widthMs,
          nowMs: nowMs)
      }
      // Also where nothing was to be moved: the last compaction may have failed here.
      try write { try $0.execute(sql: "DELETE FROM journal WHERE id <= ?", arguments: [journalID]) }
    } catch {
      catalog.thaw()
      throw error
    }
  }

  /// - Parameter states: of the same series. They are written as memory has them, since adding the windows again in
  ///   another order would give another sum in its last digits: a counter that goes down at the next start.
  private func move(
    _ heads: [(series: Int, head: SeriesHead)], states: [SeriesState], journalID: Int64, widthMs: Int64, nowMs: Int64
  ) throws {
    // Only this thread writes blocks, so what is read here is what will be replaced.
    let blocks = try pool.read { db in
      try heads.map { series, head in
        // What is not moved yet stays in the journal, so that nobody has to wait for it at the end.
        if monitor.withLock({ $0.isStopping }) { throw CancellationError() }
        return try merged(series, head, widthMs: widthMs, nowMs: nowMs, db)
      }
    }
    var first = 0
    while first < heads.count {
      // A series that was sent months of windows has hundreds of blocks, and is still written at once.
      var end = first + 1
      var count = blocks[first].count
      while end < heads.count, count + blocks[end].count <= Compactor.blocksPerTransaction {
        count += blocks[end].count
        end += 1
      }
      let part = first..<end
      try gate.withLock { _ in
        try write { db in
          for block in blocks[part].joined() { try block.write(to: db) }
          for state in states[part] { try write(state, journalID: journalID, db) }
        }
        catalog.dropFrozen(heads[part].map(\.series))
      }
      foldLog()
      first = end
    }
  }

  private func merged(
    _ series: Int, _ head: SeriesHead, widthMs: Int64, nowMs: Int64, _ db: Database
  ) throws -> [EncodedBlock] {
    let kind = catalog.state(series).key.kind
    var parts: [BlockPlace: SeriesHead] = [:]
    for (place, part) in head.split(series: series, widthMs: widthMs) {
      if place.untilMs > nowMs - retention.rawMs || widthMs >= Hour.widthMs {
        parts[place] = part
      } else {
        // So late that its neighbours are hours already.
        for (place, part) in part.widened(to: Hour.widthMs).split(series: series, widthMs: Hour.widthMs) {
          parts[place] = parts[place].map { $0.merging(part) } ?? part
        }
      }
    }
    return try parts.compactMap { place, part in
      let old = try BlockTable.head(at: place, kind: kind, db)
      return EncodedBlock(Compactor.merged(old, part, at: place), kind: kind, at: place)
    }
  }

  static func merged(_ old: SeriesHead?, _ new: SeriesHead, at place: BlockPlace) -> SeriesHead {
    let head = old.map { $0.merging(new) } ?? new
    // Two samples of a gauge in one hour: one of them came late.
    return place.widthMs == Hour.widthMs ? head.widened(to: Hour.widthMs) : head
  }

  private func write(_ state: SeriesState, journalID: Int64, _ db: Database) throws {
    let statement = try db.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO series_state (series_id, journal_id, latest_ms, count, sum, buckets, value)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """)
    try statement.execute(arguments: [
      state.id, journalID, state.latestMs, state.count, state.histogram?.sum ?? 0,
      Data(Histogram.encoded(state.histogram?.nonEmpty ?? [])), state.value,
    ])
  }
}

// What a start does.
extension Compactor {
  /// Brings the journal into memory. Where the width of windows was changed meanwhile, what the journal holds becomes
  /// blocks first, so that memory holds windows of one width.
  func replay() throws {
    defer { catalog.believe(untilMs: Clock.wallMs()) }
    let widths = try pool.read { try Int64.fetchAll($0, sql: "SELECT DISTINCT width_ms FROM journal") }
    guard let width = widths.first else { return }
    guard widths.count == 1 else { throw StoreError.damaged("journal: windows of several widths: \(widths)") }
    try loadJournal()
    guard width != widthMs else { return }
    do {
      try moveHeads(widthMs: width, nowMs: Clock.wallMs())
    } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
      throw StoreError.full("windows of another resolution, \(width / 1000)s, cannot be put away: start with that one, or")
    }
  }

  private func loadJournal() throws {
    try pool.read { db in
      let through = try Row.fetchAll(db, sql: "SELECT series_id, journal_id FROM series_state")
        .reduce(into: [Int: Int64]()) { $0[Int($1["series_id"] as Int64) - 1] = $1["journal_id"] }
      let seriesCount = catalog.count
      let rows = try Row.fetchCursor(db, sql: "SELECT id, data FROM journal ORDER BY id")
      while let row = try rows.next() {
        let id: Int64 = row["id"]
        let bytes = Array(row["data"] as Data)
        // Else a process that ends again and again before its first compaction would let the journal grow for ever.
        journalGrew(by: bytes.count)
        var entries: JournalEntries
        do {
          entries = try JournalEntries(decoding: bytes, seriesCount: seriesCount)
        } catch {
          throw StoreError.damaged("journal row \(id): \(error)")
        }
        // A compaction that was interrupted had put these into their blocks already.
        entries.counts.removeAll { through[$0.series, default: 0] >= id }
        entries.distributions.removeAll { through[$0.series, default: 0] >= id }
        entries.samples.removeAll { through[$0.series, default: 0] >= id }
        catalog.apply(created: [], entries, journalID: id, receivedMs: nil)
      }
    }
  }
}
