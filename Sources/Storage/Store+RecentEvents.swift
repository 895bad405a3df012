// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB

// Reading the log of recent events, some rows at a time, so that no reading keeps the write-ahead log from being folded
// into the file. The committer writes it with the bodies that the events came in.

/// A row of the log.
package struct RecentEventRow: Sendable {
  package let id: Int64
  /// Of chunks, in the order they were committed.
  package let bytes: [UInt8]
}

extension Store {
  /// The next rows, newest first: one, and more while they have together at most `bytesMax`.
  ///
  /// - Parameter through: the highest id that is meant.
  package func recentEvents(through id: Int64, bytesMax: Int) throws(StoreError) -> [RecentEventRow] {
    try StoreError.wrapping("read recent events") {
      try pool.read { db in
        let statement = try db.cachedStatement(sql: "SELECT id, data FROM recent_event WHERE id <= ? ORDER BY id DESC")
        let cursor = try Row.fetchCursor(statement, arguments: [id])
        var rows: [RecentEventRow] = []
        var bytes = 0
        while bytes < bytesMax, let row = try cursor.next() {
          rows.append(RecentEventRow(id: row["id"], bytes: Array(row["data"] as Data)))
          bytes += rows[rows.count - 1].bytes.count
        }
        return rows
      }
    }
  }

  /// What the log holds.
  package func recentEventTotal() throws(StoreError) -> RecentEventTotal {
    try StoreError.wrapping("count recent events") { try pool.read { try RecentEventTable.total($0) } }
  }

  /// When its oldest events were received; nil where there are none.
  package func oldestRecentEventMs() throws(StoreError) -> Int64? {
    try StoreError.wrapping("read recent events") {
      try pool.read { try Int64.fetchOne($0, sql: "SELECT at_ms FROM recent_event ORDER BY id LIMIT 1") }
    }
  }
}
