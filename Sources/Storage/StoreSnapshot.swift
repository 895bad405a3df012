// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries
internal import GRDB
internal import Synchronization

// Blocks on disk and heads in memory as of one moment. Whoever reads windows reads them here.

/// What a store holds at one moment; valid within the call that hands it out.
package struct StoreSnapshot {
  let db: Database
  let heads: HeadTable
  /// All series with their state, in the order they were created.
  package let series: [SeriesState]
  /// Of these series; younger ones may be among them.
  let postings: SeriesPostings
  /// Whether any block holds hours.
  let hasHours: Bool

  /// Calls `body` with every piece of a series that may hold entries with `fromMs <= time < untilMs`, blocks first.
  func forEachPiece(
    ofSeries index: Int, fromMs: Int64, untilMs: Int64, _ body: (_ head: SeriesHead) throws -> Void
  ) throws {
    let kind = series[index].key.kind
    try forEachBlock(
      ofSeries: index, fromMs: fromMs, untilMs: untilMs, dataFromMs: fromMs, dataUntilMs: untilMs
    ) { block in
      if let data = block.data { try body(BlockTable.decode(data, kind: kind, at: block.place)) }
    }
    if let head = heads.head(index) { try body(head) }
  }

  /// The samples of a gauge with `fromMs <= time <= throughMs`, some around them, and the last before them if it may
  /// still hold.
  func gauge(_ index: Int, fromMs: Int64, throughMs: Int64) throws -> [GaugeSample] {
    var timeline = Timeline<GaugeSample>()
    var before: FoundBlock?
    try forEachBlock(
      // The end of a series is said up to a window after its day is over.
      ofSeries: index, fromMs: fromMs - WindowSamples.lifeMs - Hour.widthMs, untilMs: throughMs + 1, dataFromMs: fromMs,
      dataUntilMs: throughMs + 1
    ) { block in
      if let data = block.data {
        timeline = timeline.merging(try BlockTable.gauge(data, at: block.place))
      } else if block.lastMs > before?.lastMs ?? .min {
        // By its end: of blocks of several widths the one that starts last may end before another.
        before = block
      }
    }
    if let before, let head = try BlockTable.head(at: before.place, kind: .gauge, db) { timeline = head.gauge.merging(timeline) }
    return heads.head(index).map { timeline.merging($0.gauge) }?.entries ?? timeline.entries
  }

  /// `BlockTable.forEachBlock` of this snapshot.
  func forEachBlock(
    ofSeries index: Int, fromMs: Int64, untilMs: Int64, dataFromMs: Int64, dataUntilMs: Int64,
    _ body: (FoundBlock) throws -> Void
  ) throws {
    try BlockTable.forEachBlock(
      ofSeries: index, fromMs: fromMs, untilMs: untilMs, hours: hasHours, dataFromMs: dataFromMs,
      dataUntilMs: dataUntilMs, db, body)
  }
}

extension Store {
  /// Runs `body` with a snapshot. A connection is in use meanwhile, so long work belongs on a thread with a bound.
  package func reading<Value>(_ operation: String, _ body: (StoreSnapshot) throws -> Value) throws(StoreError) -> Value {
    try StoreError.wrapping(operation) {
      // DatabasePool.read asks for the schema's version first, and with it the snapshot would begin outside the gate.
      try pool.unsafeRead { db in
        var value: Value?
        try db.inTransaction(.deferred) {
          let (hasHours, series, heads) = try compactor.gate.withLock { _ in
            // The transaction's snapshot begins with its first read.
            let hasHours = try BlockTable.hasHours(db)
            let (series, heads) = catalog.snapshot()
            return (hasHours, series, heads)
          }
          let postings = catalog.postings(of: series)
          value = try body(StoreSnapshot(db: db, heads: heads, series: series, postings: postings, hasHours: hasHours))
          return .commit
        }
        guard let value else { preconditionFailure("a transaction that ran gave no value") }
        return value
      }
    }
  }
}
