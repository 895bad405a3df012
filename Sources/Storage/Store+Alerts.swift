// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB
internal import JSON
package import TimeSeries

// States of alerts, so that a start goes on where the last evaluation ended. What they mean is the Alerting module's.

/// An alert as it is kept. Times in milliseconds since 1970.
package struct StoredAlert: Sendable, Equatable {
  /// Of the rule group.
  package var group: String
  /// `alertname` among them.
  package var labels: Labels
  /// Names and values, ascending by name.
  package var annotations: [Label]
  package var value: Double
  package var activeMs: Int64
  /// Nil while it is pending.
  package var firedMs: Int64?
  /// Since when it fires only because of `keep_firing_for`.
  package var keptSinceMs: Int64?
  /// Nil while it is active.
  package var resolvedMs: Int64?

  package init(group: String, labels: Labels, annotations: [Label], value: Double, activeMs: Int64) {
    self.group = group
    self.labels = labels
    self.annotations = annotations
    self.value = value
    self.activeMs = activeMs
  }
}

/// Which alert.
package struct StoredAlertKey: Sendable, Hashable {
  package let group: String
  package let labels: Labels

  package init(group: String, labels: Labels) {
    self.group = group
    self.labels = labels
  }
}

extension Store {
  /// All alerts that are kept, ascending by group.
  package func alerts() throws(StoreError) -> [StoredAlert] {
    try StoreError.wrapping("read alerts") {
      try pool.read { db in
        try Row.fetchAll(db, sql: "SELECT * FROM alert ORDER BY group_name, labels").map { row in
          // SQLite has no NaN; it keeps null instead.
          var alert = StoredAlert(
            group: row["group_name"], labels: Labels(try Store.pairs(row["labels"])),
            annotations: try Store.pairs(row["annotations"]), value: row["value"] ?? .nan, activeMs: row["active_ms"])
          alert.firedMs = row["fired_ms"]
          alert.keptSinceMs = row["kept_since_ms"]
          alert.resolvedMs = row["resolved_ms"]
          return alert
        }
      }
    }
  }

  /// Keeps and forgets alerts, in one transaction that is on disk when this returns.
  ///
  /// - Parameter changes: nil forgets the alert; one that is not kept may be forgotten.
  package func save(_ changes: [StoredAlertKey: StoredAlert?]) throws(StoreError) {
    try StoreError.wrapping("save alerts") {
      try pool.write { db in
        let put = try db.cachedStatement(
          sql: """
            INSERT OR REPLACE INTO alert
              (group_name, labels, annotations, value, active_ms, fired_ms, kept_since_ms, resolved_ms)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """)
        let remove = try db.cachedStatement(sql: "DELETE FROM alert WHERE group_name = ? AND labels = ?")
        for (key, alert) in changes {
          let labels = Store.document(key.labels.all)
          guard let alert else {
            try remove.execute(arguments: [key.group, labels])
            continue
          }
          try put.execute(arguments: [
            key.group, labels, Store.document(alert.annotations), alert.value.isNaN ? nil : alert.value, alert.activeMs,
            alert.firedMs, alert.keptSinceMs, alert.resolvedMs,
          ])
        }
      }
    }
  }

  private static func document(_ pairs: [Label]) -> String {
    JSONValue.object(pairs.map { JSONMember(name: $0.name, value: .string($0.value)) }).text
  }

  private static func pairs(_ document: String) throws -> [Label] {
    try JSONValue(parsing: document).members?.map { Label($0.name, $0.value.string ?? "") } ?? []
  }
}
