// SPDX-License-Identifier: Apache-2.0

internal import GRDB
internal import Synchronization
internal import TimeSeries

// Exemplars on their way to the disk: one a second for each series and bucket, in the transaction of its event. The
// newest of each stays in memory for `/metrics`. Finding them again is Store+Exemplars.

/// The newest exemplars. Changed by the committer's thread.
final class ExemplarMemory: Sendable {
  /// For how long a bucket takes no other.
  private static let pauseMs: Int64 = 1_000

  fileprivate struct Place: Hashable {
    let series: Int32
    let bucket: Int32

    func hash(into hasher: inout Hasher) { hasher.combine(UInt64(UInt32(series)) << 32 | UInt64(UInt32(bucket))) }
  }

  fileprivate struct Kept {
    var exemplar: Exemplar
    /// When it came.
    let receivedMs: Int64
    var rowID: Int64 = 0
  }

  /// What a transaction is about to change.
  struct Change {
    fileprivate var added: [Place: Kept] = [:]
    fileprivate var lastRowID: Int64 = 0
  }

  fileprivate struct State {
    var newest: [Place: Kept] = [:]
  }

  private let exemplarsMax: Int
  private let state: Mutex<State>

  init(exemplarsMax: Int, from db: Database) throws {
    self.exemplarsMax = exemplarsMax
    var loaded = State()
    let rows = try Row.fetchCursor(
      db, sql: "SELECT id, series_id, bucket, time_ms, value, correlation_id FROM exemplar ORDER BY id")
    while let row = try rows.next() {
      let place = Place(series: Int32(row["series_id"] as Int64 - 1), bucket: row["bucket"])
      loaded.add(Kept(exemplar: Exemplar(row), receivedMs: .min, rowID: row["id"]), at: place)
    }
    state = Mutex(loaded)
  }

  // MARK: Within a transaction

  /// Takes the exemplars of a body whose buckets have had none for a second.
  ///
  /// - Parameter indexes: of the catalog, for the series of the delta.
  func stage(_ delta: BatchDelta, _ indexes: [Int], receivedMs: Int64, _ change: inout Change) {
    guard !delta.exemplars.isEmpty else { return }
    state.withLock { state in
      for exemplar in delta.exemplars {
        let place = Place(series: Int32(indexes[exemplar.series]), bucket: exemplar.bucket)
        // A clock that was set back must not silence a bucket.
        if let last = change.added[place]?.receivedMs ?? state.newest[place]?.receivedMs, last <= receivedMs,
          last > receivedMs - ExemplarMemory.pauseMs
        {
          continue
        }
        let id = String(decoding: delta.exemplarText[exemplar.text], as: UTF8.self)
        change.added[place] = Kept(
          exemplar: Exemplar(id: id, seconds: exemplar.seconds, timeMs: exemplar.timeMs), receivedMs: receivedMs)
      }
    }
  }

  /// Writes what was taken, and deletes the oldest that are too many.
  func write(_ change: inout Change, _ db: Database) throws {
    guard !change.added.isEmpty else { return }
    let statement = try db.cachedStatement(
      sql: "INSERT INTO exemplar (series_id, bucket, time_ms, value, correlation_id) VALUES (?, ?, ?, ?, ?)")
    for place in change.added.keys {
      let exemplar = change.added[place]!.exemplar
      try statement.execute(
        arguments: [Int64(place.series) + 1, place.bucket, exemplar.timeMs, exemplar.seconds, exemplar.id])
      change.added[place]!.rowID = db.lastInsertedRowID
      change.lastRowID = db.lastInsertedRowID
    }
    try db.cachedStatement(
      sql: "DELETE FROM exemplar WHERE id <= ?"
    ).execute(arguments: [change.lastRowID - Int64(exemplarsMax)])
  }

  // MARK: After it

  /// Takes over what was committed.
  func apply(_ change: Change) {
    guard !change.added.isEmpty else { return }
    state.withLock { state in
      for (place, kept) in change.added { state.add(kept, at: place) }
      // What is gone from the disk goes from memory where there would be more than on disk.
      guard state.newest.count > exemplarsMax else { return }
      state.newest = state.newest.filter { $0.value.rowID > change.lastRowID - Int64(exemplarsMax) }
    }
  }

  // MARK: Reading

  /// The newest by id of the series and index of the bucket.
  func newest() -> [Int64: [Int: Exemplar]] {
    state.withLock { $0.newest }.reduce(into: [:]) { $0[Int64($1.key.series) + 1, default: [:]][Int($1.key.bucket)] = $1.value.exemplar }
  }
}

extension ExemplarMemory.State {
  /// A late event does not become the newest one, but keeps others away for as long.
  fileprivate mutating func add(_ kept: ExemplarMemory.Kept, at place: ExemplarMemory.Place) {
    var kept = kept
    if let known = newest[place]?.exemplar, known.timeMs > kept.exemplar.timeMs { kept.exemplar = known }
    newest[place] = kept
  }
}

extension Exemplar {
  init(_ row: Row) {
    self.init(id: row["correlation_id"], seconds: row["value"], timeMs: row["time_ms"])
  }
}
