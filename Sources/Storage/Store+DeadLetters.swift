// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB

// Reading the lines that could not be counted. They are written by the committer, with the body they came in.

/// A dead letter as it is kept.
package struct StoredDeadLetter: Sendable {
  package let id: Int64
  package let atMs: Int64
  package let letter: DeadLetter
}

extension Store {
  /// - Returns: newest first.
  package func deadLetters(limit: Int) throws(StoreError) -> [StoredDeadLetter] {
    try StoreError.wrapping("read dead letters") {
      try pool.read { db in
        try Row.fetchAll(db, sql: "SELECT * FROM dead_letter ORDER BY id DESC LIMIT ?", arguments: [limit]).map { row in
          StoredDeadLetter(
            id: row["id"], atMs: row["at_ms"],
            letter: DeadLetter(
              source: row["source"], line: row["line"], reason: row["reason"], body: Array(row["body"] as Data)))
        }
      }
    }
  }
}
