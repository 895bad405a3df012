// SPDX-License-Identifier: Apache-2.0

// The audit's chain: whoever has the file can change it, and a check finds that he did.

import GRDB
import Storage
import Testing

private func entry(_ number: Int, details: String? = nil, reason: String = "because") -> AuditEntry {
  AuditEntry(
    atMs: Int64(number) * 1000, actor: number % 2 == 0 ? "ann" : "guard", action: number % 3 == 0 ? "rollout kill" : "flag update",
    environment: "production", flag: "f\(number % 2)", reason: reason, before: number % 2 == 0 ? nil : #"{"percent":10}"#, after: "{}",
    details: details)
}

/// A closed store with so many rows.
private func folder(entries: Int) throws -> Folder {
  let folder = Folder()
  let store = try folder.open()
  let rows = (1...entries).map { entry($0, details: $0 % 4 == 0 ? #"{"hit_ratio":0.4}"# : nil) }
  try store.save([], audit: rows, forgetting: 0)
  try store.close()
  try folder.removeLock()
  return folder
}

extension Store {
  fileprivate func write(_ entry: AuditEntry) throws { try save([], audit: [entry], forgetting: 0) }

  fileprivate func verified() throws -> (entries: Int64, head: [UInt8])? {
    guard case .verified(let entries, let head, _, _) = try verifyAudit() else { return nil }
    return (entries, head)
  }

  fileprivate func broken(notedHead: [UInt8]? = nil) throws -> (entry: Int64?, reason: String)? {
    guard case .broken(let entry, let reason) = try verifyAudit(notedHead: notedHead) else { return nil }
    return (entry, reason)
  }
}

extension Folder {
  /// What somebody with sqlite3 does who does not want to be stopped by triggers.
  fileprivate func forge(_ sql: String) throws {
    try sqlite().write { db in
      for trigger in ["audit_keeps_rows", "audit_keeps_content", "audit_keeps_ids", "audit_head_stays", "audit_head_goes_on"] {
        try db.execute(sql: "DROP TRIGGER IF EXISTS \(trigger)")
      }
      try db.execute(sql: sql)
    }
  }
}

@Test func aChainIsVerifiedAndGoesOnAfterARestart() throws {
  let folder = Folder()
  var store = try folder.open()
  #expect(try store.verifyAudit() == .verified(entries: 0, head: [UInt8](repeating: 0, count: 32), firstID: nil, lastID: nil))
  try store.write(entry(1, details: #"{"hit_ratio":0.4}"#))
  let first = try #require(try store.verified())
  store = try folder.reopen(store)
  try store.write(entry(2))
  let second = try #require(try store.verified())
  #expect(second.entries == 2 && second.head != first.head)
  #expect(try store.verifyAudit(notedHead: first.head) == store.verifyAudit(), "a head noted earlier stays in the chain")
  #expect(try store.broken(notedHead: [UInt8](repeating: 7, count: 32))?.entry == .some(nil))
  let rows = try store.audit(AuditSelection(limit: 10))
  #expect(rows.map(\.entry) == [entry(2), entry(1, details: #"{"hit_ratio":0.4}"#)])
  #expect(rows.map(\.hash) == [second.head, first.head])
}

@Test(arguments: [
  ("UPDATE audit SET at_ms = at_ms + 1 WHERE id = 4", 4), ("UPDATE audit SET actor = 'eve' WHERE id = 5", 5),
  ("UPDATE audit SET action = 'x' WHERE id = 1", 1), ("UPDATE audit SET environment = 'staging' WHERE id = 8", 8),
  ("UPDATE audit SET flag = 'g' WHERE id = 2", 2), ("UPDATE audit SET reason = '' WHERE id = 3", 3),
  ("UPDATE audit SET reason = reason || char(0) || 'hidden' WHERE id = 3", 3),
  ("UPDATE audit SET before = NULL WHERE id = 3", 3), ("UPDATE audit SET before = '{}' WHERE id = 2", 2),
  ("UPDATE audit SET after = '{ }' WHERE id = 6", 6), ("UPDATE audit SET details = NULL WHERE id = 4", 4),
  ("UPDATE audit SET details = '{}' WHERE id = 7", 7), ("UPDATE audit SET hash = zeroblob(32) WHERE id = 6", 6),
  // What one field loses the next one gets.
  ("UPDATE audit SET actor = 'an', action = 'nflag update' WHERE id = 2", 2),
  ("DELETE FROM audit WHERE id = 1", 1), ("DELETE FROM audit WHERE id = 4", 4), ("DELETE FROM audit WHERE id IN (4, 5, 6)", 4),
  ("DELETE FROM audit WHERE id = 8", 8), ("DELETE FROM audit WHERE id > 5", 6), ("DELETE FROM audit", 1),
  // Deleted, and the others moved up.
  ("DELETE FROM audit WHERE id = 4; UPDATE audit SET id = id - 1 WHERE id > 4", 4),
  // Two in each other's place.
  ("UPDATE audit SET id = 100 WHERE id = 3; UPDATE audit SET id = 3 WHERE id = 4; UPDATE audit SET id = 4 WHERE id = 100", 3),
  ("INSERT INTO audit SELECT 9, at_ms, actor, action, environment, flag, reason, before, after, details, hash FROM audit WHERE id = 8", 9),
  ("INSERT INTO audit SELECT 0, at_ms, actor, action, environment, flag, reason, before, after, details, hash FROM audit WHERE id = 8", 0),
  ("UPDATE audit SET id = id + 1000 WHERE id > 5", 6),
  ("UPDATE audit SET id = -id WHERE id = 5", -5),
])
func whatSomebodyChangedIsFound(sql: String, id: Int64) throws {
  let folder = try folder(entries: 8)
  try folder.forge(sql)
  let store = try folder.open()
  let broken = try #require(try store.broken(), "\(sql) was not found")
  #expect(broken.entry == id, "\(sql): \(broken.reason)")
  // Nothing is written over: the break is still there after the next change, and the change is made.
  try store.write(entry(9))
  #expect(try store.audit(AuditSelection(limit: 1)).first?.entry == entry(9))
  #expect(try store.broken()?.entry == id)
}

@Test func aHeadThatWasChangedIsFound() throws {
  for sql in ["DELETE FROM audit_head", "UPDATE audit_head SET entries = 7", "UPDATE audit_head SET hash = zeroblob(32)"] {
    let folder = try folder(entries: 8)
    try folder.forge(sql)
    let store = try folder.open()
    #expect(try store.broken() != nil, "\(sql)")
    try store.write(entry(9))
    #expect(try store.broken() != nil, "\(sql), and a row later")
  }
}

@Test func aTailCutWithItsHeadIsFoundByAHeadNotedEarlier() throws {
  let folder = try folder(entries: 8)
  var store = try folder.open()
  let noted = try #require(try store.verified())
  try store.close()
  try folder.removeLock()
  try folder.forge(
    "DELETE FROM audit WHERE id > 6; UPDATE audit_head SET entries = 6, last_id = 6, hash = (SELECT hash FROM audit WHERE id = 6)")
  store = try folder.open()
  #expect(try store.verified()?.entries == 6, "the file alone cannot tell")
  #expect(try store.broken(notedHead: noted.head)?.reason.contains("noted") == true)
}

@Test func theHeadOfAnEmptyAuditIsNoHeadOfOneWithRows() throws {
  let start = [UInt8](repeating: 0, count: 32)
  let store = try Folder().open()
  #expect(try store.verifyAudit(notedHead: start) == .verified(entries: 0, head: start, firstID: nil, lastID: nil))
  try store.write(entry(1))
  #expect(try store.broken(notedHead: start)?.reason.contains("in no row") == true)
  #expect(try store.verifyAudit(notedHead: try #require(try store.verified()).head) == store.verifyAudit())
}

@Test func theHeadIsKeptByTriggers() throws {
  let folder = try folder(entries: 3)
  for sql in ["DELETE FROM audit_head", "UPDATE audit_head SET entries = 2", "UPDATE audit_head SET hash = zeroblob(32)"] {
    #expect(throws: DatabaseError.self, "\(sql)") { try folder.sqlite().write { try $0.execute(sql: sql) } }
  }
}

@Test func rowsOfAnOlderStoreAreChained() throws {
  let folder = try folder(entries: 5)
  // As version 12 left it.
  try folder.forge(
    """
    ALTER TABLE audit RENAME TO chained;
    CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
      environment TEXT NOT NULL, flag TEXT NOT NULL, reason TEXT NOT NULL, before TEXT, after TEXT) STRICT;
    INSERT INTO audit SELECT id, at_ms, actor, action, environment, flag, reason, before, after FROM chained;
    DROP TABLE chained;
    DROP TABLE audit_head;
    CREATE INDEX audit_flag ON audit (environment, flag, id);
    CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END;
    CREATE TRIGGER audit_keeps_content BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
    CREATE TRIGGER audit_keeps_ids BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
    DELETE FROM grdb_migrations WHERE identifier LIKE '14 %';
    """)
  let store = try folder.open()
  #expect(try store.verified()?.entries == 5)
  try store.write(entry(6))
  #expect(try store.verified()?.entries == 6)
  #expect(try store.audit(AuditSelection(limit: 10)).map(\.entry) == (1...6).reversed().map { entry($0) })
  #expect(throws: DatabaseError.self) { try folder.sqlite().write { try $0.execute(sql: "UPDATE audit SET actor = 'eve'") } }
}

@Test func aTextThatSQLiteWouldCutIsVerifiedAllTheSame() throws {
  let store = try Folder().open()
  try store.write(entry(1, reason: "one\0two"))
  #expect(try store.verified()?.entries == 1)
  #expect(try store.audit(AuditSelection(limit: 1)).first?.entry.reason == "one\u{FFFD}two")
}

@Test func aCheckThatNobodyWantsEnds() throws {
  let store = try folder(entries: 4_100).open()
  #expect(try store.verifyAudit { false } == nil)
  #expect(try store.verified()?.entries == 4_100)
}

@Test func aPageIsWhatIsAskedFor() throws {
  let store = try folder(entries: 12).open()
  func ids(_ selection: AuditSelection) throws -> [Int64] { try store.audit(selection).map(\.id) }
  #expect(try ids(AuditSelection(actor: "ann", limit: 3)) == [12, 10, 8])
  #expect(try ids(AuditSelection(actor: "ann", beforeID: 8, limit: 100)) == [6, 4, 2])
  #expect(try ids(AuditSelection(action: "rollout kill", limit: 100)) == [12, 9, 6, 3])
  #expect(try ids(AuditSelection(action: "rollout", limit: 100)) == [12, 9, 6, 3])
  #expect(try ids(AuditSelection(action: "roll", limit: 100)) == [])
  #expect(try ids(AuditSelection(action: "rollout%", limit: 100)) == [])
  #expect(try ids(AuditSelection(fromMs: 3_000, untilMs: 6_000, limit: 100)) == [5, 4, 3])
  #expect(try ids(AuditSelection(flag: "f0", environment: "production", action: "flag update", limit: 100)) == [10, 8, 4, 2])
  #expect(try ids(AuditSelection(environment: "staging", limit: 100)) == [])
}

@Test func anyOneChangeIsFound() throws {
  var random = SeededRandom(state: SeededRandom.seed(for: "audit"))
  let columns = ["at_ms", "actor", "action", "environment", "flag", "reason", "before", "after", "details", "hash", "id"]
  for _ in 0..<60 {
    let count = Int.random(in: 2...12, using: &random)
    let folder = try folder(entries: count)
    let id = Int.random(in: 1...count, using: &random)
    let column = columns.randomElement(using: &random) ?? ""
    let value =
      switch column {
      case "at_ms": "at_ms + \(Int.random(in: 1...9, using: &random))"
      case "id": "id + \(Int.random(in: count...count * 3, using: &random))"
      case "before", "after", "details": "'[\(Int.random(in: 0...99, using: &random))]'"
      case "hash": "randomblob(32)"
      default: "\(column) || char(\(Int.random(in: 0...255, using: &random)))"
      }
    let sql = Bool.random(using: &random) ? "UPDATE audit SET \(column) = \(value) WHERE id = \(id)" : "DELETE FROM audit WHERE id = \(id)"
    try folder.forge(sql)
    let broken = try folder.open().broken()
    // A row that went to the end is missed where it was.
    #expect(broken?.entry == Int64(id), "\(sql), of \(count)")
  }
}
