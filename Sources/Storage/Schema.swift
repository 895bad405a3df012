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
          -- What was committed and is in no block yet: one row a transaction. AUTOINCREMENT, because series_state says
          -- up to which id a series is in its blocks, and an id must not come twice.
          CREATE TABLE journal (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            width_ms INTEGER NOT NULL,
            data BLOB NOT NULL
          ) STRICT;
          -- Windows of one width, or samples of a gauge, of one series.
          CREATE TABLE block (
            id INTEGER PRIMARY KEY,
            series_id INTEGER NOT NULL REFERENCES series (id),
            start_ms INTEGER NOT NULL,
            width_ms INTEGER NOT NULL,
            last_ms INTEGER NOT NULL,
            entries INTEGER NOT NULL,
            count INTEGER NOT NULL,
            data BLOB NOT NULL,
            UNIQUE (series_id, start_ms, width_ms)
          ) STRICT;
          -- Retention goes by age; raw windows and hours age apart.
          CREATE INDEX block_raw ON block (start_ms) WHERE width_ms < 3600000;
          CREATE INDEX block_hour ON block (start_ms) WHERE width_ms >= 3600000;
          -- The state of each series over all time, without what the journal holds beyond journal_id: a start reads one
          -- row a series instead of all blocks.
          CREATE TABLE series_state (
            series_id INTEGER PRIMARY KEY REFERENCES series (id),
            journal_id INTEGER NOT NULL,
            latest_ms INTEGER NOT NULL,
            count INTEGER NOT NULL,
            sum REAL NOT NULL,
            buckets BLOB NOT NULL,
            value REAL NOT NULL
          ) STRICT;
          -- What people ask in SQL, kept in the commit of the events themselves.
          CREATE TABLE cache_hour (
            hour_ms INTEGER NOT NULL,
            service TEXT NOT NULL,
            cache TEXT NOT NULL,
            tier TEXT NOT NULL,
            hits INTEGER NOT NULL,
            misses INTEGER NOT NULL,
            bypasses INTEGER NOT NULL,
            errors INTEGER NOT NULL,
            duration_count INTEGER NOT NULL,
            duration_sum_ms REAL NOT NULL,
            duration_avg_ms REAL,
            duration_p95_ms REAL,
            durations BLOB NOT NULL,
            PRIMARY KEY (hour_ms, service, cache, tier)
          ) STRICT, WITHOUT ROWID;
          CREATE VIEW cache_hourly AS
            SELECT datetime(hour_ms / 1000, 'unixepoch') AS hour, service, cache, tier, hits, misses, bypasses, errors,
              round(duration_avg_ms, 3) AS duration_avg_ms, round(duration_p95_ms, 3) AS duration_p95_ms
            FROM cache_hour ORDER BY hour_ms, service, cache, tier;
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
    migrator.registerMigration("4 items of bodies") { db in
      // One row for the items of a body: they come and go together. AUTOINCREMENT, because the order of ids is their age.
      try db.execute(
        sql: """
          CREATE TABLE item_delivery (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            expires_ms INTEGER NOT NULL,
            digests BLOB NOT NULL
          ) STRICT;
          """)
    }
    migrator.registerMigration("5 positions in files") { db in
      try db.execute(
        sql: """
          CREATE TABLE file_position (
            device INTEGER NOT NULL,
            inode INTEGER NOT NULL,
            path TEXT NOT NULL,
            offset INTEGER NOT NULL,
            lines INTEGER NOT NULL,
            fingerprint INTEGER NOT NULL,
            fingerprint_bytes INTEGER NOT NULL,
            updated_ms INTEGER NOT NULL,
            PRIMARY KEY (device, inode)
          ) STRICT, WITHOUT ROWID;
          """)
    }
    migrator.registerMigration("6 dead letters can be replayed") { db in
      // A record of 4,096 bytes may have been cut there. Triggers keep the totals, so that neither a commit nor a page of
      // metrics goes through the table.
      try db.execute(
        sql: """
          ALTER TABLE dead_letter ADD COLUMN is_whole INTEGER NOT NULL DEFAULT 1;
          ALTER TABLE dead_letter ADD COLUMN time_ms INTEGER;
          ALTER TABLE dead_letter ADD COLUMN service TEXT NOT NULL DEFAULT '';
          ALTER TABLE dead_letter ADD COLUMN cache TEXT NOT NULL DEFAULT '';
          UPDATE dead_letter SET is_whole = length(body) < 4096;
          CREATE TABLE dead_letter_total (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            letters INTEGER NOT NULL,
            bytes INTEGER NOT NULL
          ) STRICT;
          INSERT INTO dead_letter_total SELECT 1, count(*), coalesce(sum(length(body)), 0) FROM dead_letter;
          CREATE TRIGGER dead_letter_added AFTER INSERT ON dead_letter
          BEGIN UPDATE dead_letter_total SET letters = letters + 1, bytes = bytes + length(NEW.body); END;
          CREATE TRIGGER dead_letter_removed AFTER DELETE ON dead_letter
          BEGIN UPDATE dead_letter_total SET letters = letters - 1, bytes = bytes - length(OLD.body); END;
          """)
    }
    migrator.registerMigration("7 a secret") { db in
      try db.execute(
        sql: """
          CREATE TABLE secret (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            bytes BLOB NOT NULL
          ) STRICT;
          INSERT INTO secret VALUES (1, randomblob(40));
          """)
    }
    migrator.registerMigration("8 users of caches") { db in
      try db.execute(
        sql: """
          CREATE TABLE user_slice (
            id INTEGER PRIMARY KEY,
            start_ms INTEGER NOT NULL,
            series_id INTEGER NOT NULL REFERENCES series (id),
            data BLOB NOT NULL
          ) STRICT;
          CREATE INDEX user_slice_place ON user_slice (start_ms, series_id);
          """)
    }
    migrator.registerMigration("9 exemplars") { db in
      // Ascending by age: the newest row is never deleted, so no id comes twice.
      try db.execute(
        sql: """
          CREATE TABLE exemplar (
            id INTEGER PRIMARY KEY,
            series_id INTEGER NOT NULL REFERENCES series (id),
            bucket INTEGER NOT NULL,
            time_ms INTEGER NOT NULL,
            value REAL NOT NULL,
            correlation_id TEXT NOT NULL
          ) STRICT;
          CREATE INDEX exemplar_series ON exemplar (series_id, time_ms);
          """)
    }
    migrator.registerMigration("10 recent events") { db in
      // A row for the events of a commit, so that a commit costs hardly more for many. Each row has the sums of all before
      // it, so that totals are read off the first and the last one: a row of totals, and the ids that AUTOINCREMENT keeps,
      // would be two more pages to write with every commit. Only the oldest rows ever go, so ids ascend without it.
      try db.execute(
        sql: """
          CREATE TABLE recent_event (
            id INTEGER PRIMARY KEY,
            at_ms INTEGER NOT NULL,
            events INTEGER NOT NULL,
            sampled INTEGER NOT NULL,
            sampled_of INTEGER NOT NULL,
            events_before INTEGER NOT NULL,
            sampled_before INTEGER NOT NULL,
            sampled_of_before INTEGER NOT NULL,
            bytes_before INTEGER NOT NULL,
            data BLOB NOT NULL
          ) STRICT;
          """)
    }
    migrator.registerMigration("11 notifications and silences") { db in
      try db.execute(
        sql: """
          -- Alerts that a receiver has not taken yet.
          CREATE TABLE notification (
            receiver TEXT NOT NULL,
            id INTEGER NOT NULL,
            document TEXT NOT NULL CHECK (json_valid(document)),
            PRIMARY KEY (receiver, id)
          ) STRICT, WITHOUT ROWID;
          -- Alerts of which a receiver was told, or is about to be, that they fire.
          CREATE TABLE notification_told (
            receiver TEXT NOT NULL,
            rule_group TEXT NOT NULL,
            alert TEXT NOT NULL,
            told_ms INTEGER NOT NULL,
            silenced INTEGER NOT NULL,
            document TEXT NOT NULL CHECK (json_valid(document)),
            PRIMARY KEY (receiver, rule_group, alert)
          ) STRICT, WITHOUT ROWID;
          CREATE TABLE silence (
            id TEXT PRIMARY KEY,
            ends_ms INTEGER NOT NULL,
            document TEXT NOT NULL CHECK (json_valid(document))
          ) STRICT, WITHOUT ROWID;
          """)
    }
    migrator.registerMigration("12 alerts") { db in
      try db.execute(
        sql: """
          CREATE TABLE alert (
            group_name TEXT NOT NULL,
            labels TEXT NOT NULL CHECK (json_valid(labels)),
            annotations TEXT NOT NULL CHECK (json_valid(annotations)),
            value REAL,
            active_ms INTEGER NOT NULL,
            fired_ms INTEGER,
            kept_since_ms INTEGER,
            resolved_ms INTEGER,
            PRIMARY KEY (group_name, labels)
          ) STRICT, WITHOUT ROWID;
          """)
    }
    migrator.registerMigration("13 segments") { db in
      try db.execute(
        sql: """
          CREATE TABLE segment (
            environment TEXT NOT NULL,
            key TEXT NOT NULL,
            version INTEGER NOT NULL,
            updated_ms INTEGER NOT NULL,
            document TEXT NOT NULL CHECK (json_valid(document)),
            PRIMARY KEY (environment, key)
          ) STRICT, WITHOUT ROWID;
          """)
    }
    registerAuditChain(&migrator)
    migrator.registerMigration("15 exposures") { db in
      // What the flags of an older store do is known from their newest change on.
      try db.execute(
        sql: """
          CREATE TABLE exposure (
            id INTEGER PRIMARY KEY,
            environment TEXT NOT NULL,
            flag TEXT NOT NULL,
            at_ms INTEGER NOT NULL,
            hundredths INTEGER NOT NULL CHECK (hundredths BETWEEN 0 AND 10000),
            salt TEXT NOT NULL,
            bucketing TEXT NOT NULL,
            enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
            caches TEXT NOT NULL CHECK (json_valid(caches))
          ) STRICT;
          CREATE INDEX exposure_flag ON exposure (environment, flag, id);
          INSERT INTO exposure (environment, flag, at_ms, hundredths, salt, bucketing, enabled, caches)
          SELECT flag.environment, flag.key, flag.updated_ms,
            CAST(round(coalesce(json_extract(flag.document, '$.rollout.percent'), 0) * 100) AS INTEGER),
            coalesce(json_extract(flag.document, '$.salt'), flag.key),
            coalesce(json_extract(flag.document, '$.bucketing'), 'murmur3-v2'),
            coalesce(json_extract(flag.document, '$.enabled'), 1)
              AND coalesce(json_extract(rollout.document, '$.state'), '') != 'killed',
            coalesce(json_extract(flag.document, '$.caches'), '[]')
          FROM flag LEFT JOIN rollout ON rollout.environment = flag.environment AND rollout.flag = flag.key
          ORDER BY flag.updated_ms;
          """)
    }
    return migrator
  }
}
