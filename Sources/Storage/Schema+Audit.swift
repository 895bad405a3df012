// SPDX-License-Identifier: Apache-2.0

internal import GRDB

// The audit as a chain: rows with hashes, and its end apart from them.

extension Schema {
  static func registerAuditChain(_ migrator: inout DatabaseMigrator) {
    migrator.registerMigration("14 audit rows are chained") { db in
      // Anew, because no row may be changed and none may lack a hash.
      try db.execute(
        sql: """
          ALTER TABLE audit RENAME TO audit_before;
          CREATE TABLE audit (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at_ms INTEGER NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            environment TEXT NOT NULL,
            flag TEXT NOT NULL,
            reason TEXT NOT NULL,
            before TEXT CHECK (before IS NULL OR json_valid(before)),
            after TEXT CHECK (after IS NULL OR json_valid(after)),
            details TEXT CHECK (details IS NULL OR json_valid(details)),
            hash BLOB NOT NULL CHECK (length(hash) = 32)
          ) STRICT;
          -- The end of the chain, so that rows cut off from it are found.
          CREATE TABLE audit_head (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            entries INTEGER NOT NULL,
            last_id INTEGER NOT NULL,
            hash BLOB NOT NULL CHECK (length(hash) = 32)
          ) STRICT;
          """)
      try AuditTable.chainOlderRows(db)
      // INSERT OR REPLACE deletes the old row without its DELETE trigger.
      try db.execute(
        sql: """
          DROP TABLE audit_before;
          CREATE INDEX audit_flag ON audit (environment, flag, id);
          CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit
          BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END;
          CREATE TRIGGER audit_keeps_content BEFORE UPDATE ON audit
          BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
          CREATE TRIGGER audit_keeps_ids BEFORE INSERT ON audit
          WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
          BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
          CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head
          BEGIN SELECT RAISE(ABORT, 'the head of the audit is never deleted'); END;
          CREATE TRIGGER audit_head_goes_on BEFORE UPDATE ON audit_head
          WHEN NEW.entries <> OLD.entries + 1 OR NEW.last_id <= OLD.last_id
          BEGIN SELECT RAISE(ABORT, 'the head of the audit only goes on'); END;
          """)
    }
  }
}
