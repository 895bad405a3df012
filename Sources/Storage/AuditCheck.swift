// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB

// The check of the audit's chain as a value: rows go in, ascending by id, and the first that is not as it was written
// comes out.

struct AuditCheck {
  static let rowsBetweenLooks: Int64 = 4_096

  /// As blobs: a text that somebody gave a NUL or a byte that is no UTF-8 would read as another.
  static let sql = """
    SELECT id, at_ms, CAST(actor AS BLOB), CAST(action AS BLOB), CAST(environment AS BLOB), CAST(flag AS BLOB),
      CAST(reason AS BLOB), CAST(before AS BLOB), CAST(after AS BLOB), CAST(details AS BLOB), hash
    FROM audit ORDER BY id
    """
  private static let texts = 2..<10
  private static let hashColumn = 10

  private(set) var entries: Int64 = 0
  private var firstID: Int64?
  private var lastID: Int64?
  private var hash = AuditChain.start
  private let notedHead: [UInt8]?
  private var isNotedHeadFound: Bool

  init(notedHead: [UInt8]?) {
    self.notedHead = notedHead
    isNotedHeadFound = notedHead == nil
  }

  /// - Parameter row: of `sql`.
  /// - Returns: what is wrong with it; nil where it follows the one before.
  mutating func add(_ row: Row) -> AuditVerification? {
    let id: Int64 = row[0]
    // Ids are given without gaps.
    let expectedID = (lastID ?? 0) + 1
    guard id == expectedID else {
      let through = id - 1
      let missing = id < expectedID ? "id \(id): never given" : through == expectedID ? "missing" : "missing, up to \(through)"
      return .broken(entry: min(id, expectedID), reason: "\(missing): it was deleted, moved or never written by Rampart")
    }
    let texts = AuditCheck.texts.map { row[$0] as Data? }
    hash = AuditChain.hash(id: id, atMs: row[1], texts, after: hash)
    guard (row[AuditCheck.hashColumn] as Data).elementsEqual(hash) else {
      let reason = "its hash is not that of its fields and the row before: one of them was edited, or it took another's place"
      return .broken(entry: id, reason: reason)
    }
    entries += 1
    firstID = firstID ?? id
    lastID = id
    if hash == notedHead { isNotedHeadFound = true }
    return nil
  }

  /// - Parameter head: what the store says was written last.
  func end(_ head: AuditHead) -> AuditVerification {
    if (lastID ?? 0) < head.lastID {
      return .broken(
        entry: (lastID ?? 0) + 1, reason: "missing, up to \(head.lastID): the newest rows were deleted: \(head.entries) were written")
    }
    if entries > head.entries, let lastID {
      return .broken(entry: head.lastID + 1, reason: "not written by Rampart, up to \(lastID): it wrote \(head.entries) rows")
    }
    guard entries == head.entries, hash == head.hash else {
      return .broken(entry: lastID, reason: "the rows end with another hash than the one written last: all of them may be others")
    }
    // An empty chain ends with what stands before the first row, which is the head of no other.
    guard isNotedHeadFound || hash == notedHead else {
      let reason = "the head that was noted is in no row: rows were cut off or written anew since, or it is another store's"
      return .broken(entry: nil, reason: reason)
    }
    return .verified(entries: entries, head: hash, firstID: firstID, lastID: lastID)
  }
}
