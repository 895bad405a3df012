// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB
internal import Platform
internal import TimeSeries

// One transaction's worth of telemetry: dedupe keys, dead letters, new series, and one journal row with everything that
// the group of bodies adds, so that a commit costs hardly more for a thousand windows than for one.

struct TelemetryWrite {
  private let db: Database
  private let catalog: SeriesCatalog
  private let items: ItemMemory
  private let users: UserMemory
  private let exemplars: ExemplarMemory
  private let widthMs: Int64
  private(set) var staged = StagedSeries()
  private var stagedIndexes: [SeriesKey: Int] = [:]
  private let seriesCount: Int
  private(set) var entries = JournalEntries()
  /// For `ItemMemory.apply` once the transaction is on disk.
  private(set) var itemChange = ItemMemory.Change()
  /// For `UserMemory.apply` once the transaction is on disk.
  private(set) var userChange = UserMemory.Change()
  /// For `ExemplarMemory.apply` once the transaction is on disk.
  private(set) var exemplarChange = ExemplarMemory.Change()
  /// Of dead letters, for the counters.
  private(set) var deadLetters = DeadLetterCounts()
  private var recent: [RecentEventChunk] = []
  /// Of recent events, for the counters.
  private(set) var recentEvents = RecentEventCounts()
  /// Size of the journal row.
  private(set) var journalBytes = 0

  /// - Parameters:
  ///   - seriesCount: how many series the catalog holds.
  ///   - widthMs: width of the windows.
  init(
    db: Database, catalog: SeriesCatalog, items: ItemMemory, users: UserMemory, exemplars: ExemplarMemory,
    seriesCount: Int, widthMs: Int64
  ) {
    self.db = db
    self.catalog = catalog
    self.items = items
    self.users = users
    self.exemplars = exemplars
    self.seriesCount = seriesCount
    self.widthMs = widthMs
  }

  /// Adds a submission, unless it was delivered before.
  mutating func stage(_ submission: Submission) throws -> CommitOutcome {
    if let key = submission.dedupeKey {
      if let answer = try delivered(key, nowMs: submission.receivedMs) { return .duplicate(answer) }
    }
    let gone = try DeadLetterTable.missing(submission.replayed, db)
    guard gone.isEmpty else { return .seen(gone) }
    if let keys = submission.itemKeys {
      let seen = try items.remember(keys, nowMs: submission.receivedMs, in: &itemChange, db)
      guard seen.isEmpty else { return .seen(seen) }
    }
    if let key = submission.dedupeKey { try remember(key, submission.answer) }
    try DeadLetterTable.delete(submission.replayed, db)
    for letter in submission.deadLetters { try DeadLetterTable.insert(letter, atMs: submission.receivedMs, db) }
    deadLetters.replayed += Int64(submission.replayed.count)
    deadLetters.stored += Int64(submission.deadLetters.count)
    try stage(submission.delta, receivedMs: submission.receivedMs)
    for seen in submission.delta.users { try stage(seen, submission.delta.series[seen.series]) }
    stage(submission.recent)
    if let position = submission.position { try remember(position, atMs: submission.receivedMs) }
    return .committed
  }

  /// Writes what was staged and forgets what is too much.
  ///
  /// - Parameter nowMs: when the newest body was received.
  /// - Returns: the id of the journal row; nil where there was nothing to write.
  mutating func finish(
    deadLetterLimits: DeadLetterLimits, recentEventBytesMax: Int, nowMs: Int64
  ) throws -> Int64? {
    try users.write(&userChange, nowMs: nowMs, db)
    try exemplars.write(&exemplarChange, db)
    if deadLetters.stored > 0 { deadLetters.evicted = try DeadLetterTable.evict(deadLetterLimits, db) }
    if !recent.isEmpty {
      recentEvents.evicted = try RecentEventTable.insert(recent, atMs: nowMs, bytesMax: recentEventBytesMax, db)
    }
    guard !entries.isEmpty else { return nil }
    let bytes = entries.encoded()
    journalBytes = bytes.count
    try db.cachedStatement(
      sql: "INSERT INTO journal (width_ms, data) VALUES (?, ?)"
    ).execute(arguments: [widthMs, Data(bytes)])
    return db.lastInsertedRowID
  }

  private mutating func stage(_ chunk: RecentEventChunk) {
    recentEvents.stored += Int64(chunk.events)
    recentEvents.sampledOut += Int64(chunk.passedOver)
    guard chunk.events > 0 else { return }
    recent.append(chunk)
  }

  // MARK: Deliveries

  private func delivered(_ key: DedupeKey, nowMs: Int64) throws -> Answer? {
    // Expired rows go a few at a time, so that no commit pays for many.
    try db.cachedStatement(
      sql: "DELETE FROM delivery WHERE digest IN (SELECT digest FROM delivery WHERE expires_ms <= ? ORDER BY expires_ms LIMIT 16)"
    ).execute(arguments: [nowMs])
    let statement = try db.cachedStatement(sql: "SELECT status, answer FROM delivery WHERE digest = ? AND expires_ms > ?")
    return try Row.fetchOne(statement, arguments: [Data(key.digest), nowMs]).map {
      Answer(status: $0["status"], body: Array($0["answer"] as Data))
    }
  }

  private func remember(_ key: DedupeKey, _ answer: Answer) throws {
    try db.cachedStatement(
      sql: "INSERT OR REPLACE INTO delivery (digest, expires_ms, status, answer) VALUES (?, ?, ?, ?)"
    ).execute(arguments: [Data(key.digest), key.expiresMs, answer.status, Data(answer.body)])
  }

  private func remember(_ position: FilePosition, atMs: Int64) throws {
    try db.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO file_position
          (device, inode, path, offset, lines, fingerprint, fingerprint_bytes, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      Int64(bitPattern: position.identity.device), Int64(bitPattern: position.identity.inode), position.path,
      position.offset, position.lines, Int64(bitPattern: position.fingerprint), position.fingerprintBytes, atMs,
    ])
  }

  // MARK: Series

  private mutating func stage(_ delta: BatchDelta, receivedMs: Int64) throws {
    // Those of users may be too many, and are then not created.
    let ofUsers = Set(delta.users.lazy.map(\.series))
    let indexes = try delta.series.enumerated().map { ofUsers.contains($0) ? -1 : try index(of: $1) }
    for count in delta.counts {
      let window = CounterWindow(startMs: count.windowStartMs, increment: count.increment)
      entries.counts.append(.init(series: indexes[count.series], window: window))
    }
    for distribution in delta.distributions {
      let window = HistogramWindow(
        startMs: distribution.windowStartMs, buckets: distribution.buckets, sum: distribution.sum)
      entries.distributions.append(.init(series: indexes[distribution.series], window: window))
    }
    for gauge in delta.gauges {
      let sample = GaugeSample(timeMs: gauge.timestampMs, value: gauge.value)
      entries.samples.append(.init(series: indexes[gauge.series], sample: sample))
    }
    exemplars.stage(delta, indexes, receivedMs: receivedMs, &exemplarChange)
  }

  /// Users of a cache that is one too many count for `__overflow__`, so that memory stays bounded.
  private mutating func stage(_ seen: BatchDelta.Users, _ key: SeriesKey) throws {
    let known = catalog.index(of: key) ?? stagedIndexes[key]
    if users.hasRoom(for: known, userChange) {
      return users.raise(seen, series: try known ?? index(of: key), &userChange)
    }
    catalog.countOverflow()
    users.raise(seen, series: try index(of: key.overflowing), &userChange)
  }

  /// The index of a series, which is created where it is new.
  private mutating func index(of key: SeriesKey) throws -> Int {
    if let index = catalog.index(of: key) ?? stagedIndexes[key] { return index }
    let bounded = catalog.boundedKey(key, staged: staged)
    if bounded != key {
      let index = try index(of: bounded)
      stagedIndexes[key] = index
      return index
    }
    // Ids have no gaps, so that they are the catalog's indexes.
    let index = seriesCount + staged.states.count
    let state = SeriesState(id: Int64(index + 1), key: key)
    try db.cachedStatement(
      sql: "INSERT INTO series (id, kind, name, labels) VALUES (?, ?, ?, ?)"
    ).execute(arguments: [state.id, key.kind.rawValue, key.labels.metricName, key.labelsDocument])
    staged.append(state)
    stagedIndexes[key] = index
    return index
  }
}

extension BatchDelta {
  /// What the delta costs to hold and to write.
  var entryCount: Int {
    // A register has four bytes, an entry sixty.
    counts.count + distributions.count + gauges.count + users.reduce(0) { $0 + 1 + $1.registers.count / 16 }
  }
}
