// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB

// Rows of `audit` and the end of their chain, `audit_head`, within a transaction.

/// The newest row as it was written, kept apart from the rows, so that cutting off the newest is found.
struct AuditHead {
  /// Rows that were ever written.
  var entries: Int64
  /// Of the newest row; 0 before the first.
  var lastID: Int64
  var hash: [UInt8]

  /// Nil where somebody removed it, which no Rampart does.
  static func read(_ db: Database) throws -> AuditHead? {
    try Row.fetchOne(db, sql: "SELECT entries, last_id, hash FROM audit_head").map {
      AuditHead(entries: $0["entries"], lastID: $0["last_id"], hash: Array($0["hash"] as Data))
    }
  }
}

enum AuditTable {
  static func insert(_ entry: AuditEntry, _ db: Database) throws {
    let entry = entry.storable
    // A head that is gone must not keep a flag from being killed; that the row follows nothing is found as any other break.
    let head = try AuditHead.read(db) ?? AuditHead(entries: 0, lastID: 0, hash: AuditChain.start)
    // Of the two: a row that somebody inserted must not keep others from being written either.
    let id = max(head.lastID, try Int64.fetchOne(db, sql: "SELECT max(id) FROM audit") ?? 0) + 1
    let hash = AuditChain.hash(id: id, entry, after: head.hash)
    try insert(entry, id: id, hash: hash, db)
    try db.execute(
      sql: """
        INSERT INTO audit_head (id, entries, last_id, hash) VALUES (1, ?1, ?2, ?3)
        ON CONFLICT (id) DO UPDATE SET entries = ?1, last_id = ?2, hash = ?3
        """, arguments: [head.entries + 1, id, Data(hash)])
  }

  private static func insert(_ entry: AuditEntry, id: Int64, hash: [UInt8], _ db: Database) throws {
    try db.execute(
      sql: """
        INSERT INTO audit (id, at_ms, actor, action, environment, flag, reason, before, after, details, hash)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        id, entry.atMs, entry.actor, entry.action, entry.environment, entry.flag, entry.reason, entry.before, entry.after,
        entry.details, Data(hash),
      ])
  }

  static func entry(_ row: Row) -> AuditEntry {
    AuditEntry(
      atMs: row["at_ms"], actor: row["actor"], action: row["action"], environment: row["environment"], flag: row["flag"],
      reason: row["reason"], before: row["before"], after: row["after"], details: row["details"])
  }
}

extension AuditTable {
  /// Gives rows of the time before the chain their hashes; `audit` is new and empty, `audit_before` the table as it was.
  static func chainOlderRows(_ db: Database) throws {
    var head = AuditHead(entries: 0, lastID: 0, hash: AuditChain.start)
    let rows = try Row.fetchCursor(db, sql: "SELECT *, NULL AS details FROM audit_before ORDER BY id")
    while let row = try rows.next() {
      let id: Int64 = row["id"]
      let entry = entry(row).storable
      head = AuditHead(entries: head.entries + 1, lastID: id, hash: AuditChain.hash(id: id, entry, after: head.hash))
      try insert(entry, id: id, hash: head.hash, db)
    }
    try db.execute(
      sql: "INSERT INTO audit_head (id, entries, last_id, hash) VALUES (1, ?, ?, ?)",
      arguments: [head.entries, head.lastID, Data(head.hash)])
  }
}

extension AuditEntry {
  /// SQLite's texts end at a NUL when they are bound, and the hash must be of what is stored.
  fileprivate var storable: AuditEntry {
    guard [actor, action, environment, flag, reason].contains(where: { $0.utf8.contains(0) }) else { return self }
    var entry = self
    for field in [\AuditEntry.actor, \.action, \.environment, \.flag, \.reason] {
      entry[keyPath: field] = String(String.UnicodeScalarView(entry[keyPath: field].unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 }))
    }
    return entry
  }
}
