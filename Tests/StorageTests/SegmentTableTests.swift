// SPDX-License-Identifier: Apache-2.0

// Segments as documents, and changes of several flags and segments that are made together or not at all.

import Storage
import Testing

private func entry(_ action: String, _ key: String) -> AuditEntry {
  AuditEntry(
    atMs: 5, actor: "ann", action: action, environment: "production", flag: key, reason: "because", before: nil, after: "{}")
}

private func segment(_ key: String, version: Int64, _ document: String = "{}") -> StoredSegment {
  StoredSegment(environment: "production", key: key, version: version, updatedMs: version * 10, document: document)
}

private func put(_ segment: StoredSegment, from expectedVersion: Int64?) -> SegmentChange {
  SegmentChange(
    environment: segment.environment, key: segment.key, expectedVersion: expectedVersion, content: segment,
    audit: entry("segment put", segment.key))
}

private func putFlag(_ key: String, version: Int64, from expectedVersion: Int64?) -> FlagChange {
  FlagChange(
    environment: "production", key: key, expectedVersion: expectedVersion,
    content: .put(StoredFlag(environment: "production", key: key, version: version, updatedMs: 10, document: "{}")), rollout: nil,
    audit: [entry("flag put", key)])
}

@Test func segmentsAreKeptWithTheirAudit() throws {
  let folder = Folder()
  var store = try folder.open()
  #expect(try store.apply([], [put(segment("b", version: 1), from: nil), put(segment("a", version: 1), from: nil)]) == 2)
  #expect(try store.apply([], [put(segment("b", version: 2, #"{"x":1}"#), from: 1)]) == 3)
  store = try folder.reopen(store)
  #expect(try store.segments() == [segment("a", version: 1), segment("b", version: 2, #"{"x":1}"#)])
  let gone = SegmentChange(
    environment: "production", key: "a", expectedVersion: 1, content: nil, audit: entry("segment delete", "a"))
  #expect(try store.apply([], [gone]) == 4)
  #expect(try store.segments().map(\.key) == ["b"])
  #expect(try store.audit(AuditSelection(flag: "a", limit: 10)).map(\.entry.action) == ["segment delete", "segment put"])
}

@Test func severalChangesAreOneTransaction() throws {
  let store = try Folder().open()
  #expect(try store.apply([putFlag("f", version: 1, from: nil)], [put(segment("s", version: 1), from: nil)]) == 2)
  // Each time the last of the changes is refused, for its version or for what it holds.
  #expect(throws: StoreError.conflict(currentVersion: 1)) {
    try store.apply([putFlag("f", version: 2, from: 1), putFlag("g", version: 1, from: nil)], [put(segment("s", version: 2), from: nil)])
  }
  #expect(throws: StoreError.conflict(currentVersion: nil)) {
    try store.apply([putFlag("f", version: 2, from: 1), putFlag("g", version: 5, from: 4)], [])
  }
  #expect(throws: StoreError.self) {
    try store.apply([putFlag("f", version: 2, from: 1)], [put(segment("t", version: 1, "{"), from: nil)])
  }
  #expect(try store.flags().map(\.version) == [1] && store.flags().map(\.key) == ["f"])
  #expect(try store.segments() == [segment("s", version: 1)])
  #expect(try store.revision() == 2)
}
