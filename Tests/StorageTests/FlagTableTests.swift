// SPDX-License-Identifier: Apache-2.0

// Flags and rollouts as documents, and the audit that nobody rewrites.

import GRDB
import Storage
import Testing

private func flag(_ key: String, version: Int64, _ document: String = "{}", environment: String = "production") -> StoredFlag {
  StoredFlag(environment: environment, key: key, version: version, updatedMs: version * 10, document: document)
}

private func entry(_ action: String, flag: String, environment: String = "production") -> AuditEntry {
  AuditEntry(
    atMs: 5, actor: "ann", action: action, environment: environment, flag: flag, reason: "because", before: nil, after: "{}")
}

private func put(_ flag: StoredFlag, from expectedVersion: Int64?, _ actions: [String] = ["flag.put"]) -> FlagChange {
  FlagChange(
    environment: flag.environment, key: flag.key, expectedVersion: expectedVersion, content: .put(flag), rollout: nil,
    audit: actions.map { entry($0, flag: flag.key, environment: flag.environment) })
}

@Test func aFlagIsKeptWithItsAudit() throws {
  let folder = Folder()
  var store = try folder.open()
  #expect(try store.revision() == 0)
  #expect(try store.apply([put(flag("b", version: 1), from: nil)]) == 1)
  #expect(try store.apply([put(flag("a", version: 1), from: nil)]) == 2)
  #expect(try store.apply([put(flag("b", version: 2, #"{"on":true}"#), from: 1, ["flag.put", "rollout.start"])]) == 4)
  #expect(try store.apply([put(flag("b", version: 1, environment: "development"), from: nil)]) == 5)
  store = try folder.reopen(store)
  #expect(
    try store.flags() == [
      flag("b", version: 1, environment: "development"), flag("a", version: 1), flag("b", version: 2, #"{"on":true}"#),
    ])
  #expect(try store.revision() == 5)
  let audit = try store.audit(AuditSelection(limit: 100))
  #expect(audit.map(\.id) == [5, 4, 3, 2, 1], "newest first")
  #expect(audit.map(\.entry.action) == ["flag.put", "rollout.start", "flag.put", "flag.put", "flag.put"])
  #expect(audit.last?.entry == entry("flag.put", flag: "b"))
  #expect(try store.audit(AuditSelection(flag: "b", environment: "production", limit: 100)).map(\.id) == [4, 3, 1])
  #expect(try store.audit(AuditSelection(flag: "b", limit: 2)).map(\.id) == [5, 4])
  #expect(try store.audit(AuditSelection(environment: "development", limit: 100)).map(\.id) == [5])
}

@Test func aChangeFromAnOldVersionChangesNothing() throws {
  let store = try Folder().open()
  _ = try store.apply([put(flag("f", version: 1), from: nil)])
  _ = try store.apply([put(flag("f", version: 2), from: 1)])
  #expect(throws: StoreError.conflict(currentVersion: 2)) { try store.apply([put(flag("f", version: 2, #"{"x":1}"#), from: 1)]) }
  #expect(throws: StoreError.conflict(currentVersion: 2)) { try store.apply([put(flag("f", version: 1), from: nil)]) }
  #expect(throws: StoreError.conflict(currentVersion: nil)) { try store.apply([put(flag("g", version: 2), from: 1)]) }
  #expect(try store.flags() == [flag("f", version: 2)])
  #expect(try store.revision() == 2)
}

@Test func aDocumentThatIsNoJSONIsRefusedWithItsAudit() throws {
  let store = try Folder().open()
  #expect(throws: StoreError.self) { try store.apply([put(flag("f", version: 1, "{"), from: nil)]) }
  var change = put(flag("f", version: 1), from: nil)
  change.audit[0].after = "no JSON"
  #expect(throws: StoreError.self) { try store.apply([change]) }
  #expect(try store.flags().isEmpty)
  #expect(try store.revision() == 0)
}

@Test func deletingAFlagTakesItsRolloutAndKeepsItsAudit() throws {
  let store = try Folder().open()
  let rollout = StoredRollout(environment: "production", flag: "f", updatedMs: 3, document: #"{"stage":1}"#)
  var change = put(flag("f", version: 1), from: nil)
  change.rollout = rollout
  _ = try store.apply([change])
  #expect(try store.rollouts() == [rollout])

  var moved = rollout
  moved.document = #"{"stage":2}"#
  let keep = FlagChange(
    environment: "production", key: "f", expectedVersion: 1, content: .keep, rollout: moved,
    audit: [entry("rollout.advance", flag: "f")])
  #expect(try store.apply([keep]) == 2)
  #expect(try store.rollouts() == [moved])
  #expect(try store.flags() == [flag("f", version: 1)])
  try store.save(rollout)
  #expect(try store.rollouts() == [rollout])
  #expect(try store.revision() == 2, "saving progress is no change")

  let delete = FlagChange(
    environment: "production", key: "f", expectedVersion: 1, content: .delete, rollout: nil,
    audit: [entry("flag.delete", flag: "f")])
  #expect(try store.apply([delete]) == 3)
  #expect(try store.flags().isEmpty)
  #expect(try store.rollouts().isEmpty)
  #expect(throws: StoreError.conflict(currentVersion: nil)) { try store.apply([delete]) }
  #expect(try store.audit(AuditSelection(flag: "f", limit: 10)).map(\.entry.action) == ["flag.delete", "rollout.advance", "flag.put"])
  #expect(try store.apply([put(flag("f", version: 1), from: nil)]) == 4, "a deleted flag may be made again")
}

@Test(arguments: ["UPDATE audit SET actor = 'eve'", "DELETE FROM audit", "UPDATE audit SET id = 9", "DELETE FROM audit WHERE id = 1"])
func auditRowsAreNeitherChangedNorDeleted(sql: String) throws {
  let folder = Folder()
  let store = try folder.open()
  _ = try store.apply([put(flag("f", version: 1), from: nil)])
  let sqlite = try folder.sqlite()
  do {
    try sqlite.write { try $0.execute(sql: sql) }
    Issue.record("\(sql) was allowed")
  } catch let error as DatabaseError {
    #expect(error.message?.contains("audit rows are never") == true, "\(error)")
  }
  #expect(try store.audit(AuditSelection(limit: 10)).map(\.entry) == [entry("flag.put", flag: "f")])
}

@Test func auditRowsAreNotReplacedEither() throws {
  // SQLite fires delete triggers for REPLACE only with recursive_triggers, which a connection may leave off.
  let folder = Folder()
  let store = try folder.open()
  _ = try store.apply([put(flag("f", version: 1), from: nil)])
  let sql = """
    INSERT OR REPLACE INTO audit (id, at_ms, actor, action, environment, flag, reason) VALUES (1, 0, 'eve', 'x', 'x', 'x', 'x')
    """
  let sqlite = try folder.sqlite()
  #expect(throws: DatabaseError.self) { try sqlite.write { try $0.execute(sql: sql) } }
  #expect(try store.audit(AuditSelection(limit: 10)).map(\.entry) == [entry("flag.put", flag: "f")])
}
