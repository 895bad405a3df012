// SPDX-License-Identifier: Apache-2.0

internal import GRDB

// The tables of rampart.sqlite. docs/store.md describes them for people who open the file in sqlite3; a change here is
// a new migration, never an edit of an old one.

enum Schema {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1 series, deliveries, dead letters") { db in
      try db.execute(
        sql: """
          CREATE TABLE series (
            id INTEGER PRIMARY KEY,
            kind INTEGER NOT NULL CHECK (kind IN (1, 2, 3)),
            name TEXT NOT NULL,
            labels TEXT NOT NULL CHECK (json_valid(labels)),
            UNIQUE (name, labels)
          ) STRICT;
          -- What each window adds to a counter.
          CREATE TABLE counter_window (
            series_id INTEGER NOT NULL REFERENCES series (id),
            start_ms INTEGER NOT NULL,
            value INTEGER NOT NULL CHECK (value >= 0),
            PRIMARY KEY (series_id, start_ms)
          ) STRICT, WITHOUT ROWID;
          -- What each window adds to a histogram.
          CREATE TABLE histogram_window (
            series_id INTEGER NOT NULL REFERENCES series (id),
            start_ms INTEGER NOT NULL,
            sum REAL NOT NULL,
            buckets BLOB NOT NULL,
            PRIMARY KEY (series_id, start_ms)
          ) STRICT, WITHOUT ROWID;
          CREATE TABLE gauge_sample (
            series_id INTEGER NOT NULL REFERENCES series (id),
            time_ms INTEGER NOT NULL,
            value REAL NOT NULL,
            PRIMARY KEY (series_id, time_ms)
          ) STRICT, WITHOUT ROWID;
          -- The state of each series over all time, kept in the same transaction as its windows: a start reads one row
          -- a series instead of summing its history.
          CREATE TABLE series_total (
            series_id INTEGER PRIMARY KEY REFERENCES series (id),
            latest_ms INTEGER NOT NULL,
            count INTEGER,
            sum REAL,
            buckets BLOB,
            value REAL
          ) STRICT;
          -- Bodies already counted, so that a repeated one is answered and not counted.
          CREATE TABLE delivery (
            digest BLOB PRIMARY KEY,
            expires_ms INTEGER NOT NULL,
            status INTEGER NOT NULL,
            answer BLOB NOT NULL
          ) STRICT, WITHOUT ROWID;
          CREATE INDEX delivery_expires ON delivery (expires_ms);
          CREATE TABLE dead_letter (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at_ms INTEGER NOT NULL,
            source TEXT NOT NULL,
            line INTEGER NOT NULL,
            reason TEXT NOT NULL,
            body BLOB NOT NULL
          ) STRICT;
          -- One row, written to learn whether the store can commit.
          CREATE TABLE probe (id INTEGER PRIMARY KEY CHECK (id = 1), at_ms INTEGER NOT NULL) STRICT;
          """)
    }
    migrator.registerMigration("2 flags, rollouts, audit") { db in
      try db.execute(
        sql: """
          CREATE TABLE flag (
            environment TEXT NOT NULL,
            key TEXT NOT NULL,
            version INTEGER NOT NULL CHECK (version > 0),
            updated_ms INTEGER NOT NULL,
            document TEXT NOT NULL CHECK (json_valid(document)),
            PRIMARY KEY (environment, key)
          ) STRICT, WITHOUT ROWID;
          CREATE TABLE rollout (
            environment TEXT NOT NULL,
            flag TEXT NOT NULL,
            updated_ms INTEGER NOT NULL,
            document TEXT NOT NULL CHECK (json_valid(document)),
            PRIMARY KEY (environment, flag)
          ) STRICT, WITHOUT ROWID;
          CREATE TABLE audit (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at_ms INTEGER NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            environment TEXT NOT NULL,
            flag TEXT NOT NULL,
            reason TEXT NOT NULL,
            before TEXT CHECK (before IS NULL OR json_valid(before)),
            after TEXT CHECK (after IS NULL OR json_valid(after))
          ) STRICT;
          CREATE INDEX audit_flag ON audit (environment, flag, id);
          CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit
          BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END;
          CREATE TRIGGER audit_keeps_content BEFORE UPDATE ON audit
          BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
          """)
    }
    migrator.registerMigration("3 audit rows are never replaced") { db in
      // INSERT OR REPLACE deletes the old row without its DELETE trigger.
      try db.execute(
        sql: """
          CREATE TRIGGER audit_keeps_ids BEFORE INSERT ON audit
          WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
          BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
          """)
    }
    return migrator
  }
}
