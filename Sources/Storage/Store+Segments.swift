// SPDX-License-Identifier: Apache-2.0

internal import GRDB

// Segments, kept like flags, and changes of several flags and segments at once: an import is one transaction.

/// A segment's document as it is kept.
package struct StoredSegment: Sendable, Equatable {
  package var environment: String
  package var key: String
  /// From 1, one more with every change.
  package var version: Int64
  package var updatedMs: Int64
  /// JSON.
  package var document: String

  package init(environment: String, key: String, version: Int64, updatedMs: Int64, document: String) {
    self.environment = environment
    self.key = key
    self.version = version
    self.updatedMs = updatedMs
    self.document = document
  }
}

/// One change of one segment.
package struct SegmentChange: Sendable {
  package var environment: String
  package var key: String
  /// The version the change was made from; nil where the segment must not exist yet.
  package var expectedVersion: Int64?
  /// Nil deletes it.
  package var content: StoredSegment?
  package var audit: AuditEntry

  package init(environment: String, key: String, expectedVersion: Int64?, content: StoredSegment?, audit: AuditEntry) {
    self.environment = environment
    self.key = key
    self.expectedVersion = expectedVersion
    self.content = content
    self.audit = audit
  }
}

extension Store {
  /// All segments, ascending by environment, then key.
  package func segments() throws(StoreError) -> [StoredSegment] {
    try StoreError.wrapping("read segments") {
      try pool.read { db in
        try Row.fetchAll(db, sql: "SELECT * FROM segment ORDER BY environment, key").map {
          StoredSegment(
            environment: $0["environment"], key: $0["key"], version: $0["version"], updatedMs: $0["updated_ms"],
            document: $0["document"])
        }
      }
    }
  }

  /// Applies changes with their audit rows, flags before segments, in one transaction that is on disk when this returns.
  ///
  /// - Parameter isUrgent: whether it may use the room that is kept for what must not wait.
  /// - Returns: the store's revision after the changes.
  /// - Throws: `.conflict` when a flag or a segment is not at its `expectedVersion`; nothing has changed then.
  package func apply(
    _ flags: [FlagChange], _ segments: [SegmentChange] = [], isUrgent: Bool = false
  ) throws(StoreError) -> Int64 {
    try StoreError.wrapping("change \(flags.count) flags and \(segments.count) segments") {
      if isUrgent { return try writeBeyondLimit { try apply(flags, segments, $0) } }
      return try pool.write { try apply(flags, segments, $0) }
    }
  }

  private func apply(_ flags: [FlagChange], _ segments: [SegmentChange], _ db: Database) throws -> Int64 {
    for change in flags {
      try requireVersion(change, db)
      try write(change, db)
      for entry in change.audit { try AuditTable.insert(entry, db) }
      if let exposure = change.exposure { try ExposureTable.insert(exposure, db) }
    }
    for change in segments {
      try requireVersion(change, db)
      try write(change, db)
      try AuditTable.insert(change.audit, db)
    }
    return try Int64.fetchOne(db, sql: "SELECT max(id) FROM audit") ?? 0
  }

  private func requireVersion(_ change: SegmentChange, _ db: Database) throws {
    let current = try Int64.fetchOne(
      db, sql: "SELECT version FROM segment WHERE environment = ? AND key = ?", arguments: [change.environment, change.key])
    guard current == change.expectedVersion else { throw StoreError.conflict(currentVersion: current) }
  }

  private func write(_ change: SegmentChange, _ db: Database) throws {
    guard let segment = change.content else {
      return try db.execute(
        sql: "DELETE FROM segment WHERE environment = ? AND key = ?", arguments: [change.environment, change.key])
    }
    try db.execute(
      sql: "INSERT OR REPLACE INTO segment (environment, key, version, updated_ms, document) VALUES (?, ?, ?, ?, ?)",
      arguments: [segment.environment, segment.key, segment.version, segment.updatedMs, segment.document])
  }
}
