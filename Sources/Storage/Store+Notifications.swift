// SPDX-License-Identifier: Apache-2.0

internal import GRDB

// What the receivers of notifications have not taken yet, and what they were told: documents whose meaning is the
// Notification module's.

/// An alert that a receiver has not taken yet.
package struct StoredNotification: Sendable, Equatable {
  package var receiver: String
  /// Ascending; unique for a receiver.
  package var id: Int64
  /// JSON.
  package var document: String

  package init(receiver: String, id: Int64, document: String) {
    self.receiver = receiver
    self.id = id
    self.document = document
  }
}

/// An alert of which a receiver was told that it fires.
package struct StoredTold: Sendable, Equatable {
  package struct Key: Sendable, Hashable {
    package var receiver: String
    package var group: String
    package var alert: String

    package init(receiver: String, group: String, alert: String) {
      self.receiver = receiver
      self.group = group
      self.alert = alert
    }
  }

  package var key: Key
  package var toldMs: Int64
  package var isSilenced: Bool
  /// JSON.
  package var document: String

  package init(key: Key, toldMs: Int64, isSilenced: Bool, document: String) {
    self.key = key
    self.toldMs = toldMs
    self.isSilenced = isSilenced
    self.document = document
  }
}

/// Rows of notifications that come and go in one transaction.
package struct NotificationChange: Sendable {
  package var queued: [StoredNotification] = []
  package var removed: [(receiver: String, id: Int64)] = []
  package var told: [StoredTold] = []
  package var forgotten: [StoredTold.Key] = []

  package init() {}
}

extension Store {
  /// What waits, ascending by receiver, then id.
  package func notifications() throws(StoreError) -> [StoredNotification] {
    try StoreError.wrapping("read notifications") {
      try pool.read { db in
        try Row.fetchAll(db, sql: "SELECT receiver, id, document FROM notification ORDER BY receiver, id").map {
          StoredNotification(receiver: $0["receiver"], id: $0["id"], document: $0["document"])
        }
      }
    }
  }

  package func toldAlerts() throws(StoreError) -> [StoredTold] {
    try StoreError.wrapping("read notifications") {
      try pool.read { db in
        try Row.fetchAll(db, sql: "SELECT * FROM notification_told").map {
          StoredTold(
            key: StoredTold.Key(receiver: $0["receiver"], group: $0["rule_group"], alert: $0["alert"]),
            toldMs: $0["told_ms"], isSilenced: $0["silenced"], document: $0["document"])
        }
      }
    }
  }

  /// Applies a change in one transaction that is on disk when this returns. What is there already is replaced, what is
  /// removed need not be there.
  package func apply(_ change: NotificationChange) throws(StoreError) {
    try StoreError.wrapping("write notifications") {
      try pool.write { db in
        let queue = try db.cachedStatement(sql: "INSERT OR REPLACE INTO notification (receiver, id, document) VALUES (?, ?, ?)")
        for row in change.queued { try queue.execute(arguments: [row.receiver, row.id, row.document]) }
        let tell = try db.cachedStatement(
          sql: """
            INSERT OR REPLACE INTO notification_told (receiver, rule_group, alert, told_ms, silenced, document)
            VALUES (?, ?, ?, ?, ?, ?)
            """)
        for row in change.told {
          try tell.execute(
            arguments: [row.key.receiver, row.key.group, row.key.alert, row.toldMs, row.isSilenced, row.document])
        }
        let remove = try db.cachedStatement(sql: "DELETE FROM notification WHERE receiver = ? AND id = ?")
        for row in change.removed { try remove.execute(arguments: [row.receiver, row.id]) }
        let forget = try db.cachedStatement(
          sql: "DELETE FROM notification_told WHERE receiver = ? AND rule_group = ? AND alert = ?")
        for key in change.forgotten { try forget.execute(arguments: [key.receiver, key.group, key.alert]) }
      }
    }
  }

  /// Deletes what is kept for receivers other than these.
  package func keepReceivers(_ names: [String]) throws(StoreError) {
    try StoreError.wrapping("write notifications") {
      try pool.write { db in
        for table in ["notification", "notification_told"] {
          for name in try String.fetchAll(db, sql: "SELECT DISTINCT receiver FROM \(table)") where !names.contains(name) {
            try db.execute(sql: "DELETE FROM \(table) WHERE receiver = ?", arguments: [name])
          }
        }
      }
    }
  }
}
