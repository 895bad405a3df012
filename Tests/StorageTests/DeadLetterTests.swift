// SPDX-License-Identifier: Apache-2.0

// Dead letters: their bounds, and leaving with what is counted of them.

import GRDB
import Storage
import Testing
import TimeSeries

private func letter(_ line: Int, bytes: Int = 2, source: String = "events") -> DeadLetter {
  DeadLetter(source: source, line: line, reason: "r", body: Array(repeating: 7, count: bytes))
}

private func replaying(_ ids: [Int64]) -> Submission {
  var submission = Submission(nothing.counting("hits_total", at: 0, Int64(ids.count)))
  submission.replayed = ids
  return submission
}

private let purge = AuditEntry(
  atMs: 5, actor: "local user", action: "deadletters purge", environment: "", flag: "", reason: "", before: nil, after: nil)

extension Store {
  fileprivate var letterIDs: [Int64] {
    get throws { try deadLetters(.all, before: nil, limit: 1_000).map(\.id) }
  }

  /// Letters, and bytes of their records.
  fileprivate var total: [Int] {
    get throws {
      let total = try deadLetterTotal()
      return [total.letters, total.bytes]
    }
  }
}

@Test func aReplayedLetterLeavesWithWhatItCounts() throws {
  let folder = Folder()
  var store = try folder.open()
  try store.commit(Submission(nothing, letters: [letter(1), letter(2), letter(3)]))
  #expect(try store.commit(replaying([1, 3])) == .committed)
  #expect(try store.letterIDs == [2])
  // Whoever was late counts nothing, not even of the letter that is still there.
  #expect(try store.commit(replaying([1, 2, 3])) == .seen([0, 2]))
  #expect(try store.commit(replaying([2])) == .committed)
  store = try folder.reopen(store)
  #expect(try store.listing() == ["hits_total @0 3"])
  #expect(try store.total == [0, 0])
}

@Test func lettersAreBoundedInBytes() throws {
  let store = try Folder().open { $0.deadLetterBytesMax = 100 }
  try store.commit(Submission(nothing, letters: [letter(1, bytes: 40), letter(2, bytes: 30), letter(3, bytes: 30)]))
  #expect(try store.letterIDs == [3, 2, 1])
  try store.commit(Submission(nothing, letters: [letter(4, bytes: 1)]))
  #expect(try store.letterIDs == [4, 3, 2])
  try store.commit(Submission(nothing, letters: [letter(5, bytes: 200)]))
  #expect(try store.total == [0, 0])
  let counts = store.statistics.deadLetters
  #expect([counts.stored, counts.evicted, counts.replayed, counts.purged] == [5, 5, 0, 0])
}

@Test func anEmptyRecordIsReadBack() throws {
  let store = try Folder().open()
  try store.commit(Submission(nothing, letters: [letter(1, bytes: 0)]))
  #expect(try store.deadLetters(.all, before: nil, limit: 1).map(\.letter) == [letter(1, bytes: 0)])
}

@Test func lettersAreSelectedBySourceAndID() throws {
  let store = try Folder().open()
  try store.commit(Submission(nothing, letters: (1...10).map { letter($0, bytes: $0, source: $0 % 2 == 0 ? "loki" : "events") }))
  func ids(_ source: String?, _ ranges: [ClosedRange<Int64>], before: Int64? = nil, limit: Int = 100) throws -> [Int64] {
    try store.deadLetters(DeadLetterSelection(source: source, ids: ranges), before: before, limit: limit).map(\.id)
  }
  #expect(try ids("loki", []) == [10, 8, 6, 4, 2])
  #expect(try ids(nil, [2...3, 9...20]) == [10, 9, 3, 2])
  #expect(try ids("loki", [2...3, 9...20]) == [10, 2])
  #expect(try ids("otlp", []) == [])
  #expect(try ids(nil, [], before: 4, limit: 2) == [3, 2])
  #expect(try store.deadLetters(.all, before: nil, limit: 1, excerptBytesMax: 3).map { [$0.letter.body.count, $0.sizeBytes] } == [[3, 10]])
  let some = try store.deadLetters(.all, within: 2...9, limit: 3, bytesMax: 5)
  #expect(some.map(\.id) == [2, 3])
  #expect(some.map(\.sizeBytes) == [2, 3])
}

@Test func aPurgeIsAudited() throws {
  let folder = Folder()
  let store = try folder.open()
  try store.commit(Submission(nothing, letters: (1...4).map { letter($0) }))
  #expect(try store.purgeDeadLetters(DeadLetterSelection(source: nil, ids: [2...3])) { _ in purge } == 2)
  #expect(try store.letterIDs == [4, 1])
  #expect(try store.purgeDeadLetters(DeadLetterSelection(source: "loki", ids: [])) { _ in purge } == 0)
  #expect(try store.purgeDeadLetters(.all) { _ in purge } == 2)
  #expect(try store.audit(AuditSelection(limit: 10)).map(\.entry.action) == ["deadletters purge", "deadletters purge"])
  #expect(store.statistics.deadLetters.purged == 4)
  // An id is never used twice, so no page and no replay can mean another letter.
  try store.commit(Submission(nothing, letters: [letter(9)]))
  #expect(try store.letterIDs == [5])
}

@Test func lettersOfAnOlderFileAreKept() throws {
  let folder = Folder()
  try folder.open().close()
  let file = try folder.sqlite()
  try file.write { db in
    // As the migration before left them.
    try db.execute(
      sql: """
        DROP TABLE dead_letter; DROP TABLE dead_letter_total;
        CREATE TABLE dead_letter (id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, source TEXT NOT NULL,
          line INTEGER NOT NULL, reason TEXT NOT NULL, body BLOB NOT NULL) STRICT;
        INSERT INTO dead_letter VALUES (7, 1, 'events', 1, 'r', x'0102'), (8, 1, 'events', 2, 'r', zeroblob(4096));
        DELETE FROM grdb_migrations WHERE identifier LIKE '6 %';
        """)
  }
  try file.close()
  try folder.removeLock()
  let store = try folder.open()
  #expect(try store.deadLetters(.all, before: nil, limit: 9).map { "\($0.id) \($0.letter.isWhole)" } == ["8 false", "7 true"])
  #expect(try store.total == [2, 4_098])
}

/// Letters come, are replayed, purged and evicted; an array tells which are there.
@Test func anyCourseOfLettersAgreesWithAList() throws {
  let seed = SeededRandom.seed(for: "anyCourseOfLettersAgreesWithAList")
  var random = SeededRandom(state: seed)
  let folder = Folder()
  let store = try folder.open(deadLettersMax: 30) { $0.deadLetterBytesMax = 1_000 }
  var model: [(id: Int64, bytes: Int)] = []
  var nextID: Int64 = 1
  var counted: Int64 = 0
  for _ in 0..<300 {
    switch Int.random(in: 0..<4, using: &random) {
    case 0, 1:
      let sizes = (0..<Int.random(in: 1...8, using: &random)).map { _ in Int.random(in: 0...120, using: &random) }
      try store.commit(Submission(nothing, letters: sizes.map { letter(1, bytes: $0) }))
      for size in sizes {
        model.append((nextID, size))
        nextID += 1
      }
      while model.count > 30 || model.map(\.bytes).reduce(0, +) > 1_000 { model.removeFirst() }
    case 2:
      let ids = Set((0..<3).map { _ in Int64.random(in: 1...nextID, using: &random) }).sorted()
      let gone = ids.indices.filter { index in !model.contains { $0.id == ids[index] } }
      let outcome = try store.commit(replaying(ids))
      #expect(outcome == (gone.isEmpty ? .committed : .seen(gone)))
      if gone.isEmpty {
        counted += Int64(ids.count)
        model.removeAll { ids.contains($0.id) }
      }
    default:
      let first = Int64.random(in: 1...nextID, using: &random)
      let last = first + Int64.random(in: 0...5, using: &random)
      let expected = model.count { (first...last).contains($0.id) }
      #expect(try store.purgeDeadLetters(DeadLetterSelection(source: nil, ids: [first...last])) { _ in purge } == expected)
      model.removeAll { (first...last).contains($0.id) }
    }
    #expect(try store.letterIDs == model.map(\.id).reversed())
    #expect(try store.total == [model.count, model.map(\.bytes).reduce(0, +)])
  }
  #expect(try store.listing() == (counted > 0 ? ["hits_total @0 \(counted)"] : []))
}
