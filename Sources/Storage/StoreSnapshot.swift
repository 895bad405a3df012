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

  /// Calls `body` with every piece of a series that may hold entries with `fromMs <= time < untilMs`, blocks first.
  func forEachPiece(
    ofSeries index: Int, fromMs: Int64, untilMs: Int64, _ body: (_ head: SeriesHead, _ widthMs: Int64?) throws -> Void
  ) throws {
    let kind = series[index].key.kind
    let blocks = try BlockTable.blocks(ofSeries: index, kind: kind, fromMs: fromMs, untilMs: untilMs, db)
    for block in blocks { try body(block.head, block.place.widthMs) }
    if let head = heads.head(index) { try body(head, nil) }
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
          let (series, heads) = try compactor.gate.withLock { _ in
            // The transaction's snapshot begins with its first read.
            _ = try Int.fetchOne(db, sql: "SELECT 1 FROM series LIMIT 1")
            return catalog.snapshot()
          }
          value = try body(StoreSnapshot(db: db, heads: heads, series: series))
          return .commit
        }
        guard let value else { preconditionFailure("a transaction that ran gave no value") }
        return value
      }
    }
  }
}
