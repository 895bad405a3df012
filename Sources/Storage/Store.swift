// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB
internal import Platform
internal import Synchronization
internal import TimeSeries

// The SQLite home of everything Rampart keeps: opening, closing, and the way in for telemetry. Reading sums is in
// Store+Totals, flags and their audit in Store+Flags, dead letters in Store+DeadLetters.

/// Bounds and places of a store.
package struct StoreConfiguration: Sendable {
  /// Folder that holds `rampart.sqlite`; created where missing.
  package var folder: String
  /// Most bytes the database file may grow to. At least 1 MiB.
  package var sizeBytesMax: Int64
  /// Most dead letters kept; the oldest go first.
  package var deadLettersMax: Int
  /// Most bytes that the records of dead letters have together; the oldest go first.
  package var deadLetterBytesMax = 64 << 20
  /// Most bytes of events kept as they were received; the oldest go first.
  package var recentEventBytesMax = 64 << 20
  /// Most items of bodies that are remembered; the oldest go first.
  package var itemsMax = 4_000_000
  /// Most caches whose users are told apart at a time.
  package var userPlacesMax = 512
  /// Most exemplars kept; the oldest go first. Each has at most some 500 bytes.
  package var exemplarsMax = 50_000
  package var limits: SeriesLimits
  /// Width of the windows that submissions count in.
  package var widthMs: Int64 = 10_000
  package var retention = Retention()
  package var compaction = Compaction()

  package init(
    folder: String, sizeBytesMax: Int64 = 20 << 30, deadLettersMax: Int = 10_000, limits: SeriesLimits = SeriesLimits()
  ) {
    self.folder = folder
    self.sizeBytesMax = sizeBytesMax
    self.deadLettersMax = deadLettersMax
    self.limits = limits
  }

  /// For how long windows are kept, by their age.
  package struct Retention: Sendable {
    /// As they came; after that as hours.
    package var rawMs: Int64 = 35 * 86_400_000
    /// As hours; after that not at all.
    package var hourMs: Int64 = 730 * 86_400_000

    package init() {}
  }

  /// When the journal is moved into blocks: at the first of the two.
  package struct Compaction: Sendable {
    package var intervalMs: Int64 = 60_000
    package var journalBytesMax: Int64 = 1 << 20

    package init() {}
  }
}

/// Counters of the store's own doing since it was opened.
package struct StoreStatistics: Sendable, Equatable {
  package var commits: Int64
  package var commitFailures: Int64
  /// Submissions refused because the queue was full.
  package var refusals: Int64
  package var waitingSubmissions: Int
  /// The longest that a compaction kept commits waiting, in seconds.
  package var longestCompactionHoldSeconds = 0.0
  package var deadLetters: DeadLetterCounts
  package var recentEvents: RecentEventCounts
}

/// An open store. One process at a time; every method may be called from any thread.
package final class Store: Sendable {
  package static let fileName = "rampart.sqlite"
  /// What the write-ahead log may take on disk for long.
  private static let logBytesMax: Int64 = 64 << 20

  let pool: DatabasePool
  let catalog: SeriesCatalog
  let committer: Committer
  let compactor: Compactor
  /// 32 random bytes that nobody outside knows, made with the store, for digests that nobody shall be able to foresee.
  package let secret: [UInt8]
  /// The seed for hashes of users (`BatchDelta.Users`), as random and as secret: nobody can choose ids that count for
  /// more, and only sketches of one seed can be merged.
  package let userSeed: UInt64
  private let path: String
  private let sizeBytesMax: Int64
  private let lock: FileLock
  /// When a probe last succeeded, monotonic.
  private let probedMs = Mutex<Int64?>(nil)

  /// Opens the store, creates or migrates its tables, and starts its committer.
  ///
  /// - Throws: `StoreError.inUse` when another process has it, `.damaged` when the file is not a store.
  package init(_ configuration: StoreConfiguration) throws(StoreError) {
    let folder = configuration.folder
    path = folder + "/" + Store.fileName
    sizeBytesMax = configuration.sizeBytesMax
    let path = path
    do throws(FileError) {
      try Files.createFolder(folder)
      lock = try FileLock(folder + "/lock")
    } catch {
      throw error.operation == "lock" ? .inUse(folder) : .failed(operation: error.operation, reason: "\(error.path): \(error.reason)")
    }
    let pool = try StoreError.wrapping("open \(path)") { try Store.openPool(path, configuration) }
    self.pool = pool
    let random = try StoreError.wrapping("read secret of \(path)") {
      try pool.read { try Data.fetchOne($0, sql: "SELECT bytes FROM secret").map { Array($0) } ?? [] }
    }
    guard random.count == 40 else { throw .damaged("\(path): its secret has \(random.count) bytes, not 40") }
    secret = Array(random[..<32])
    userSeed = random[32...].reduce(0) { $0 << 8 | UInt64($1) }
    let catalog = try StoreError.wrapping("read series of \(path)") {
      try pool.read { try SeriesCatalog(limits: configuration.limits, from: $0) }
    }
    self.catalog = catalog
    let checkpointer = try StoreError.wrapping("open \(path) for checkpoints") { try Checkpointer(path) }
    let compactor = Compactor(pool: pool, catalog: catalog, checkpointer, configuration)
    self.compactor = compactor
    try StoreError.wrapping("read journal of \(path)") { try compactor.replay() }
    let users = try StoreError.wrapping("read users of \(path)") {
      try pool.read { try UserMemory(placesMax: configuration.userPlacesMax, from: $0, nowMs: Clock.wallMs()) }
    }
    let exemplars = try StoreError.wrapping("read exemplars of \(path)") {
      try pool.read { try ExemplarMemory(exemplarsMax: configuration.exemplarsMax, from: $0) }
    }
    committer = Committer(pool: pool, catalog: catalog, users: users, exemplars: exemplars, configuration) { compactor.journalGrew(by: $0) }
    compactor.start()
    committer.start()
  }

  /// Stores a body in the next transaction. `completion` runs once, on the committer's thread, after the transaction
  /// is on disk or has failed; it must not block.
  ///
  /// - Throws: `.busy` when too much waits already, `.closed` after `close()`; `completion` then does not run.
  package func submit(
    _ submission: Submission, completion: @escaping @Sendable (Result<CommitOutcome, StoreError>) -> Void
  ) throws(StoreError) {
    try submit([WaitingSubmission(submission, completion: completion)])
  }

  /// The same for several, which are in one commit where nothing of them fails. An error here is one for all.
  package func submit(_ submissions: [WaitingSubmission]) throws(StoreError) {
    try committer.submit(submissions)
  }

  /// Pages that must be free for the store to count as able to commit: a body may touch more than the one that a
  /// probe rewrites.
  private static let pagesReserve: Int64 = 16

  /// Beyond the configured size, for what must not wait until there is room.
  private static let urgentBytes: Int64 = 16 << 20

  /// For how long a probe's success is believed, so that asking often costs the disk nothing.
  private static let probeValidMs: Int64 = 1_000

  /// Learns whether the store can commit, by committing; at most once a second.
  ///
  /// - Throws: `.full` also when hardly any page is left.
  package func probe(nowMs: Int64) throws(StoreError) {
    let monotonicMs = Clock.monotonicMs()
    if let probedMs = probedMs.withLock({ $0 }), monotonicMs - probedMs < Store.probeValidMs { return }
    try StoreError.wrapping("probe") {
      try pool.write { db in
        try db.execute(sql: "INSERT OR REPLACE INTO probe (id, at_ms) VALUES (1, ?)", arguments: [nowMs])
        func pragma(_ name: String) throws -> Int64 { try Int64.fetchOne(db, sql: "PRAGMA \(name)") ?? 0 }
        let freePages = try pragma("max_page_count") - pragma("page_count") + pragma("freelist_count")
        guard freePages >= Store.pagesReserve else {
          throw StoreError.full("\(freePages) of at least \(Store.pagesReserve) pages are free")
        }
      }
    }
    probedMs.withLock { $0 = monotonicMs }
  }

  /// All series with their state after the last commit, in the order they were created.
  package var series: [SeriesState] { catalog.all }

  /// How often label values were folded into `__overflow__` since the start.
  package var labelOverflows: Int64 { catalog.overflows }

  /// How many different users were seen during the last hour, by id of the series that tells it; those of which nobody
  /// was seen are missing. Estimated within 2 %. Some 0.5 ms for each of many users.
  package func activeUsers(nowMs: Int64) -> [Int64: Double] { committer.users.estimates(nowMs: nowMs) }

  package var statistics: StoreStatistics {
    var statistics = committer.statistics
    statistics.longestCompactionHoldSeconds = compactor.longestHoldSeconds
    return statistics
  }

  /// Moves everything committed so far into blocks, and applies retention. It happens by itself; tests and backups may
  /// not want to wait.
  package func compact(nowMs: Int64) throws(StoreError) {
    try StoreError.wrapping("compact") { try compactor.compact(nowMs: nowMs) }
  }

  /// Bytes the database takes on disk, its write-ahead log not included.
  package func sizeBytes() throws(StoreError) -> Int64 {
    try StoreError.wrapping("size of \(path)") {
      try pool.read { db in
        let pages = try Int64.fetchOne(db, sql: "PRAGMA page_count") ?? 0
        let pageBytes = try Int64.fetchOne(db, sql: "PRAGMA page_size") ?? 0
        return pages * pageBytes
      }
    }
  }

  /// Writes what has been submitted and closes the file. Call it once, when no other call is under way.
  package func close() throws(StoreError) {
    committer.stop()
    compactor.stop()
    try StoreError.wrapping("close \(path)") {
      try compactor.checkpointer.close()
      // Whoever copies the file after a clean stop has all of it.
      _ = try pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
      try pool.close()
    }
    lock.release()
  }

  private static func openPool(_ path: String, _ configuration: StoreConfiguration) throws -> DatabasePool {
    var settings = Configuration()
    settings.label = "rampart"
    // Two queries and an export may last; readings and the driver of ramps must still find one.
    settings.maximumReaderCount = 5
    settings.busyMode = .timeout(5)
    settings.foreignKeysEnabled = true
    // A full block of a calm series has some 1,100 bytes: of 4 KiB pages a fifth would stay empty. A file that exists
    // keeps its page size.
    settings.prepareDatabase { try $0.execute(sql: "PRAGMA page_size = 8192") }
    let pool = try DatabasePool(path: path, configuration: settings)
    // DatabasePool itself sets synchronous=NORMAL after its preparation hook, under which an acknowledged commit could
    // vanish with the power. It is set here, on the only connection that writes.
    try pool.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA synchronous = FULL")
      let pageBytes = try Int64.fetchOne(db, sql: "PRAGMA page_size") ?? 4096
      try limit(configuration.sizeBytesMax, pageBytes: pageBytes, db)
      // Cutting the log when it begins anew takes the commit that does so 30 ms: only after a very large one.
      try db.execute(sql: "PRAGMA journal_size_limit = \(Store.logBytesMax)")
      // The compactor folds the log into the file; a commit does so only where it has not come round to it for long.
      try db.execute(sql: "PRAGMA wal_autocheckpoint = \(Store.logBytesMax / pageBytes)")
    }
    try pool.read { db in
      guard try !Schema.migrator.hasBeenSuperseded(db) else {
        throw StoreError.damaged("\(path): written by a newer Rampart: start that version")
      }
    }
    try Schema.migrator.migrate(pool)
    if configuration.recentEventBytesMax == 0 {
      try pool.write { try $0.execute(sql: "DELETE FROM recent_event") }
    }
    return pool
  }

  private static func limit(_ sizeBytes: Int64, pageBytes: Int64, _ db: Database) throws {
    try db.execute(sql: "PRAGMA max_page_count = \(max(sizeBytes, 1 << 20) / pageBytes)")
  }

  /// Writes in one transaction that may go beyond the configured size: somebody who takes a flag back must be able to
  /// while the store is full.
  func writeBeyondLimit<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try pool.writeWithoutTransaction { db in
      let pageBytes = try Int64.fetchOne(db, sql: "PRAGMA page_size") ?? 4096
      try Store.limit(sizeBytesMax + Store.urgentBytes, pageBytes: pageBytes, db)
      defer {
        // The limit stays where it is should this fail, and the next urgent write tries again.
        try? Store.limit(sizeBytesMax, pageBytes: pageBytes, db)
      }
      var value: Value?
      try db.inTransaction {
        value = try body(db)
        return .commit
      }
      guard let value else { preconditionFailure("a transaction that was committed has a value") }
      return value
    }
  }

  /// For tests: the `synchronous` level of the writing connection; 2 is FULL.
  package func synchronousLevel() throws(StoreError) -> Int {
    try StoreError.wrapping("read settings") {
      try pool.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") ?? -1 }
    }
  }
}
