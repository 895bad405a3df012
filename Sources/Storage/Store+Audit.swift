// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB

// Reading the audit: a page of it by what is asked for, and the check of its chain. Rows are written by whoever changes
// something, in the transaction of the change (`AuditTable`).

/// Who changed what, when and why.
package struct AuditEntry: Sendable, Equatable {
  package var atMs: Int64
  package var actor: String
  package var action: String
  package var environment: String
  package var flag: String
  package var reason: String
  /// JSON, nil for what did not exist.
  package var before: String?
  /// JSON, nil for what no longer exists.
  package var after: String?
  /// JSON: of a change of a ramp what its guard saw last, whoever decided; nil where it had not looked yet, and elsewhere.
  package var details: String?

  package init(
    atMs: Int64, actor: String, action: String, environment: String, flag: String, reason: String, before: String?, after: String?,
    details: String? = nil
  ) {
    self.atMs = atMs
    self.actor = actor
    self.action = action
    self.environment = environment
    self.flag = flag
    self.reason = reason
    self.before = before
    self.after = after
    self.details = details
  }
}

/// An audit row with its id; ids ascend with time and are never used twice.
package struct StoredAuditEntry: Sendable, Equatable {
  package let id: Int64
  package let entry: AuditEntry
  /// SHA-256 over the row before and this one, 32 bytes.
  package let hash: [UInt8]
}

/// Which audit rows are asked for; nil is any.
package struct AuditSelection: Sendable {
  package var flag: String?
  package var environment: String?
  package var actor: String?
  /// A whole action such as `rollout kill`, or its first word.
  package var action: String?
  /// Rows of this time and later.
  package var fromMs: Int64?
  /// Rows before this time.
  package var untilMs: Int64?
  /// Rows with smaller ids: what comes after a page.
  package var beforeID: Int64?
  package var limit: Int

  package init(
    flag: String? = nil, environment: String? = nil, actor: String? = nil, action: String? = nil, fromMs: Int64? = nil,
    untilMs: Int64? = nil, beforeID: Int64? = nil, limit: Int
  ) {
    self.flag = flag
    self.environment = environment
    self.actor = actor
    self.action = action
    self.fromMs = fromMs
    self.untilMs = untilMs
    self.beforeID = beforeID
    self.limit = limit
  }

  // Only what is asked for is in the text, so that SQLite takes the index of flags where it helps.
  fileprivate var query: (sql: String, arguments: StatementArguments) {
    let conditions: [(String, (any DatabaseValueConvertible)?)] = [
      ("flag = ?", flag), ("environment = ?", environment), ("actor = ?", actor), ("at_ms >= ?", fromMs), ("at_ms < ?", untilMs),
      ("id < ?", beforeID), ("(action || ' ') LIKE ? ESCAPE '\\'", action.map { AuditSelection.escaped($0) + " %" }),
    ]
    let asked = conditions.filter { $0.1 != nil }
    let condition = asked.isEmpty ? "" : "WHERE " + asked.map(\.0).joined(separator: " AND ")
    return ("SELECT * FROM audit \(condition) ORDER BY id DESC LIMIT ?", StatementArguments(asked.map(\.1) + [limit]))
  }

  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { $0 += "\\%_".contains($1) ? "\\\($1)" : String($1) }
  }
}

/// What a check of the audit's chain found.
package enum AuditVerification: Sendable, Equatable {
  /// Every row is as it was written. The ids are nil of an empty audit.
  case verified(entries: Int64, head: [UInt8], firstID: Int64?, lastID: Int64?)
  /// - Parameter entry: the first row that is not as it was written, or is missing; nil where no row can be named.
  case broken(entry: Int64?, reason: String)
}

extension Store {
  /// - Returns: newest first.
  package func audit(_ selection: AuditSelection) throws(StoreError) -> [StoredAuditEntry] {
    let (sql, arguments) = selection.query
    return try StoreError.wrapping("read audit") {
      try pool.read { db in
        try Row.fetchAll(db, sql: sql, arguments: arguments).map {
          StoredAuditEntry(id: $0["id"], entry: AuditTable.entry($0), hash: Array($0["hash"] as Data))
        }
      }
    }
  }

  /// Checks the chain of the audit, row by row, with a few hundred bytes of memory however many there are.
  ///
  /// - Parameters:
  ///   - notedHead: a head that was noted earlier and must be in the chain; it finds also what a rewritten end hides.
  ///   - isWanted: asked every `AuditCheck.rowsBetweenLooks` rows.
  /// - Returns: nil where it was not wanted any more.
  package func verifyAudit(notedHead: [UInt8]? = nil, while isWanted: () -> Bool = { true }) throws(StoreError) -> AuditVerification? {
    try StoreError.wrapping("verify audit") {
      try pool.read { db in
        guard let head = try AuditHead.read(db) else {
          return .broken(entry: nil, reason: "audit_head is empty: it was deleted, so nothing says which row is the newest")
        }
        var check = AuditCheck(notedHead: notedHead)
        let rows = try Row.fetchCursor(db, sql: AuditCheck.sql)
        while let row = try rows.next() {
          if let broken = check.add(row) { return broken }
          if check.entries % AuditCheck.rowsBetweenLooks == 0, !isWanted() { return nil }
        }
        return check.end(head)
      }
    }
  }
}
