// SPDX-License-Identifier: Apache-2.0

internal import GRDB

// Silences as documents with an end. A change and its audit row are one transaction.

/// A silence or acknowledgement as it is kept.
package struct StoredSilence: Sendable, Equatable {
  package var id: String
  package var endsMs: Int64
  /// JSON.
  package var document: String

  package init(id: String, endsMs: Int64, document: String) {
    self.id = id
    self.endsMs = endsMs
    self.document = document
  }
}

extension Store {
  /// All that are kept, the one that ends last first.
  package func silences() throws(StoreError) -> [StoredSilence] {
    try StoreError.wrapping("read silences") {
      try pool.read { db in
        try Row.fetchAll(db, sql: "SELECT id, ends_ms, document FROM silence ORDER BY ends_ms DESC, id").map {
          StoredSilence(id: $0["id"], endsMs: $0["ends_ms"], document: $0["document"])
        }
      }
    }
  }

  /// Keeps silences, in place of those with the same ids, with the audit rows, and forgets those that ended long ago.
  ///
  /// - Parameter endedBeforeMs: those that ended before are forgotten.
  package func save(_ silences: [StoredSilence], audit: [AuditEntry], forgetting endedBeforeMs: Int64) throws(StoreError) {
    try StoreError.wrapping("save silence") {
      try pool.write { db in
        try db.execute(sql: "DELETE FROM silence WHERE ends_ms < ?", arguments: [endedBeforeMs])
        for silence in silences {
          try db.execute(
            sql: "INSERT OR REPLACE INTO silence (id, ends_ms, document) VALUES (?, ?, ?)",
            arguments: [silence.id, silence.endsMs, silence.document])
        }
        for entry in audit { try AuditTable.insert(entry, db) }
      }
    }
  }
}
