// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB

// Whom flags treated and when, for the cohorts of late events. A row is written with the change that it comes from, in
// one transaction, so that neither exists without the other.

/// Whom a flag treats from a moment on, as it is kept.
package struct StoredExposure: Sendable, Equatable {
  /// Of one flag; the oldest go.
  package static let perFlagMax = 1_000
  /// Of all flags; the oldest go, but the newest of each flag that exists.
  package static let totalMax = 20_000

  package var environment: String
  package var flag: String
  package var atMs: Int64
  /// 0...10000, in hundredths of a percent.
  package var hundredths: Int
  package var salt: String
  package var bucketing: String
  /// False where everybody gets the default, whatever the percentage says.
  package var isEnabled: Bool
  /// None once the flag is deleted.
  package var caches: [String]

  package init(
    environment: String, flag: String, atMs: Int64, hundredths: Int, salt: String, bucketing: String, isEnabled: Bool,
    caches: [String]
  ) {
    self.environment = environment
    self.flag = flag
    self.atMs = atMs
    self.hundredths = hundredths
    self.salt = salt
    self.bucketing = bucketing
    self.isEnabled = isEnabled
    self.caches = caches
  }
}

/// The newest change of a flag.
package struct FlagRevision: Sendable, Equatable {
  /// The id of its newest audit row.
  package let revision: Int64
  package let atMs: Int64

  package init(revision: Int64, atMs: Int64) {
    self.revision = revision
    self.atMs = atMs
  }
}

extension Store {
  /// In the order in which they came.
  package func exposures(environment: String) throws(StoreError) -> [StoredExposure] {
    try StoreError.wrapping("read exposures") {
      try pool.read { db in
        try Row.fetchAll(db, sql: "SELECT * FROM exposure WHERE environment = ? ORDER BY id", arguments: [environment])
          .map(ExposureTable.exposure)
      }
    }
  }

  /// Each flag's newest change, of flags that no longer exist as well; in no order.
  package func flagRevisions() throws(StoreError) -> [(environment: String, flag: String, change: FlagRevision)] {
    // With a lone max() the other columns are those of its row (SQLite, lang_select, "bare columns").
    let sql = "SELECT environment, flag, max(id) AS id, at_ms FROM audit GROUP BY environment, flag"
    return try StoreError.wrapping("read revisions of flags") {
      try pool.read { db in
        try Row.fetchAll(db, sql: sql).map { ($0["environment"], $0["flag"], FlagRevision(revision: $0["id"], atMs: $0["at_ms"])) }
      }
    }
  }
}

/// Rows of `exposure` within a transaction.
enum ExposureTable {
  static func insert(_ exposure: StoredExposure, _ db: Database) throws {
    try db.execute(
      sql: """
        INSERT INTO exposure (environment, flag, at_ms, hundredths, salt, bucketing, enabled, caches)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        exposure.environment, exposure.flag, exposure.atMs, exposure.hundredths, exposure.salt, exposure.bucketing,
        exposure.isEnabled, String(decoding: try JSONEncoder().encode(exposure.caches), as: UTF8.self),
      ])
    try prune(exposure, db)
  }

  static func exposure(_ row: Row) throws -> StoredExposure {
    let caches: String = row["caches"]
    return StoredExposure(
      environment: row["environment"], flag: row["flag"], atMs: row["at_ms"], hundredths: row["hundredths"], salt: row["salt"],
      bucketing: row["bucketing"], isEnabled: row["enabled"],
      caches: try JSONDecoder().decode([String].self, from: Data(caches.utf8)))
  }

  private static func prune(_ exposure: StoredExposure, _ db: Database) throws {
    try db.execute(
      sql: """
        DELETE FROM exposure WHERE environment = ?1 AND flag = ?2 AND id <= (
          SELECT id FROM exposure WHERE environment = ?1 AND flag = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)
        """,
      arguments: [exposure.environment, exposure.flag, StoredExposure.perFlagMax])
    let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM exposure") ?? 0
    guard count > StoredExposure.totalMax else { return }
    try db.execute(
      sql: """
        DELETE FROM exposure WHERE id IN (
          SELECT id FROM exposure AS old
          WHERE NOT EXISTS (SELECT 1 FROM flag WHERE environment = old.environment AND key = old.flag)
            OR EXISTS (SELECT 1 FROM exposure WHERE environment = old.environment AND flag = old.flag AND id > old.id)
          ORDER BY id LIMIT ?)
        """,
      arguments: [count - StoredExposure.totalMax])
  }
}
