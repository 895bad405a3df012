// SPDX-License-Identifier: Apache-2.0

internal import GRDB

// Flags, rollouts and their audit: documents with a version, whose meaning is the Flags module's. A change and its
// audit row are one transaction, so neither exists without the other.

/// A flag's document as it is kept.
package struct StoredFlag: Sendable, Equatable {
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

/// A rollout's document as it is kept.
package struct StoredRollout: Sendable, Equatable {
  package var environment: String
  package var flag: String
  package var updatedMs: Int64
  /// JSON.
  package var document: String

  package init(environment: String, flag: String, updatedMs: Int64, document: String) {
    self.environment = environment
    self.flag = flag
    self.updatedMs = updatedMs
    self.document = document
  }
}

/// One change of one flag, all of it or nothing.
package struct FlagChange: Sendable {
  package enum Content: Sendable {
    /// The flag stays as it is; its rollout changes.
    case keep
    case put(StoredFlag)
    case delete
  }

  package var environment: String
  package var key: String
  /// The version the change was made from; nil where the flag must not exist yet.
  package var expectedVersion: Int64?
  package var content: Content
  /// The rollout's new document; nil leaves it as it is.
  package var rollout: StoredRollout?
  package var audit: [AuditEntry]
  /// Whom the flag treats from now on; nil where that does not change.
  package var exposure: StoredExposure?

  package init(
    environment: String, key: String, expectedVersion: Int64?, content: Content, rollout: StoredRollout?, audit: [AuditEntry]
  ) {
    self.environment = environment
    self.key = key
    self.expectedVersion = expectedVersion
    self.content = content
    self.rollout = rollout
    self.audit = audit
  }
}

extension Store {
  /// All flags, ascending by environment, then key.
  package func flags() throws(StoreError) -> [StoredFlag] {
    try StoreError.wrapping("read flags") {
      try pool.read { db in
        try Row.fetchAll(db, sql: "SELECT * FROM flag ORDER BY environment, key").map {
          StoredFlag(
            environment: $0["environment"], key: $0["key"], version: $0["version"], updatedMs: $0["updated_ms"],
            document: $0["document"])
        }
      }
    }
  }

  /// All rollouts, ascending by environment, then flag.
  package func rollouts() throws(StoreError) -> [StoredRollout] {
    try StoreError.wrapping("read rollouts") {
      try pool.read { db in
        try Row.fetchAll(db, sql: "SELECT * FROM rollout ORDER BY environment, flag").map {
          StoredRollout(
            environment: $0["environment"], flag: $0["flag"], updatedMs: $0["updated_ms"], document: $0["document"])
        }
      }
    }
  }

  /// The id of the newest audit row; 0 where there is none. It grows with every change of any flag.
  package func revision() throws(StoreError) -> Int64 {
    try StoreError.wrapping("read revision") {
      try pool.read { try Int64.fetchOne($0, sql: "SELECT max(id) FROM audit") ?? 0 }
    }
  }

  /// Keeps a rollout's document where nothing else changed, such as the progress of its soak clock.
  package func save(_ rollout: StoredRollout) throws(StoreError) {
    try StoreError.wrapping("save rollout \(rollout.flag)") {
      try pool.write { try insert(rollout, $0) }
    }
  }

  func requireVersion(_ change: FlagChange, _ db: Database) throws {
    let current = try Int64.fetchOne(
      db, sql: "SELECT version FROM flag WHERE environment = ? AND key = ?", arguments: [change.environment, change.key])
    guard current == change.expectedVersion else { throw StoreError.conflict(currentVersion: current) }
  }

  func write(_ change: FlagChange, _ db: Database) throws {
    switch change.content {
    case .keep: break
    case .put(let flag):
      try db.execute(
        sql: "INSERT OR REPLACE INTO flag (environment, key, version, updated_ms, document) VALUES (?, ?, ?, ?, ?)",
        arguments: [flag.environment, flag.key, flag.version, flag.updatedMs, flag.document])
    case .delete:
      try db.execute(sql: "DELETE FROM flag WHERE environment = ? AND key = ?", arguments: [change.environment, change.key])
      try db.execute(sql: "DELETE FROM rollout WHERE environment = ? AND flag = ?", arguments: [change.environment, change.key])
    }
    if let rollout = change.rollout { try insert(rollout, db) }
  }

  private func insert(_ rollout: StoredRollout, _ db: Database) throws {
    try db.execute(
      sql: "INSERT OR REPLACE INTO rollout (environment, flag, updated_ms, document) VALUES (?, ?, ?, ?)",
      arguments: [rollout.environment, rollout.flag, rollout.updatedMs, rollout.document])
  }
}
