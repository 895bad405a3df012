// SPDX-License-Identifier: Apache-2.0

internal import GRDB
package import Platform

// How far files have been read. It is written with what was counted of them (`Submission.position`), so that a line is
// counted once whatever happens.

extension Store {
  /// Positions that are kept; those that were not written for longest go first. A following run of a machine's logs has
  /// some hundred.
  package static let filePositionsMax = 100_000

  /// All positions, after those beyond the bound were forgotten. For the start.
  package func filePositions() throws(StoreError) -> [FilePosition] {
    try StoreError.wrapping("read positions in files") {
      try pool.write { db in
        try db.execute(
          sql: """
            DELETE FROM file_position WHERE (device, inode) IN
              (SELECT device, inode FROM file_position ORDER BY updated_ms DESC LIMIT -1 OFFSET ?)
            """, arguments: [Store.filePositionsMax])
        return try Row.fetchAll(db, sql: "SELECT * FROM file_position").map { FilePosition($0) }
      }
    }
  }
}

extension FilePosition {
  fileprivate init(_ row: Row) {
    self.init(
      identity: FileIdentity(
        device: UInt64(bitPattern: row["device"] as Int64), inode: UInt64(bitPattern: row["inode"] as Int64)),
      path: row["path"], offset: row["offset"], lines: row["lines"],
      fingerprint: UInt64(bitPattern: row["fingerprint"] as Int64), fingerprintBytes: row["fingerprint_bytes"])
  }
}
