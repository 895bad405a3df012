// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB
internal import Synchronization

// Which items of bodies were counted within the dedupe window. On disk a transaction's items are one row, in memory a set:
// as rows of a table of their own, at random places of its tree, they took twenty times as long as counting the event.

/// The items that are remembered. Read and changed by the committer's thread.
final class ItemMemory: Sendable {
  /// An item, by its digest.
  struct Digest: Hashable {
    let high: UInt64
    let low: UInt64

    init(_ bytes: ArraySlice<UInt8>) {
      high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
      low = bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    func hash(into hasher: inout Hasher) { hasher.combine(low) }
  }

  /// What a transaction is about to change.
  struct Change {
    fileprivate(set) var added: Set<Digest> = []
    fileprivate(set) var forgotten: Set<Digest> = []
  }

  private struct State {
    /// Nil until the first body with items: most stores never see one.
    var digests: Set<Digest>?
  }

  /// Most items; beyond, the oldest are forgotten before their time. 40 bytes each in memory.
  let itemsMax: Int
  private let state = Mutex(State())

  init(itemsMax: Int) {
    self.itemsMax = itemsMax
  }

  /// Remembers all items, or none where some were there.
  ///
  /// - Returns: the indexes of those that were there.
  func remember(_ keys: ItemKeys, nowMs: Int64, in change: inout Change, _ db: Database) throws -> [Int] {
    try state.withLock { state in
      let digests = try state.digests ?? ItemMemory.load(db)
      state.digests = digests
      try forgetExpired(nowMs: nowMs, &change, db)
      let items = (0..<keys.count).map { keys.digest($0) }
      let seen = items.indices.filter { index in
        change.added.contains(items[index])
          || digests.contains(items[index]) && !change.forgotten.contains(items[index])
      }
      guard seen.isEmpty, !items.isEmpty else { return seen }
      try db.cachedStatement(
        sql: "INSERT INTO item_delivery (expires_ms, digests) VALUES (?, ?)"
      ).execute(arguments: [keys.expiresMs, Data(keys.digests)])
      change.added.formUnion(items)
      try forgetOldest(digests.count, &change, db)
      return []
    }
  }

  /// Takes over what was committed.
  func apply(_ change: Change) {
    guard !change.added.isEmpty || !change.forgotten.isEmpty else { return }
    state.withLock { state in
      state.digests?.subtract(change.forgotten)
      state.digests?.formUnion(change.added)
    }
  }

  private static func load(_ db: Database) throws -> Set<Digest> {
    var digests: Set<Digest> = []
    for row in try Row.fetchAll(db, sql: "SELECT digests FROM item_delivery") {
      digests.formUnion(ItemMemory.digests(row["digests"]))
    }
    return digests
  }

  private func forgetExpired(nowMs: Int64, _ change: inout Change, _ db: Database) throws {
    // A commit adds one row a body, so this keeps up.
    try forget("SELECT id, digests FROM item_delivery WHERE expires_ms <= ? ORDER BY id LIMIT 64", [nowMs], &change, db)
  }

  private func forgetOldest(_ count: Int, _ change: inout Change, _ db: Database) throws {
    while count + change.added.count - change.forgotten.count > itemsMax {
      let rows = try forget("SELECT id, digests FROM item_delivery ORDER BY id LIMIT ?", [1], &change, db)
      guard rows > 0 else { return }
    }
  }

  @discardableResult
  private func forget(
    _ sql: String, _ arguments: StatementArguments, _ change: inout Change, _ db: Database
  ) throws -> Int {
    let rows = try Row.fetchAll(try db.cachedStatement(sql: sql), arguments: arguments)
    for row in rows {
      try db.cachedStatement(sql: "DELETE FROM item_delivery WHERE id = ?").execute(arguments: [row["id"] as Int64])
      let digests = ItemMemory.digests(row["digests"])
      change.added.subtract(digests)
      change.forgotten.formUnion(digests)
    }
    return rows.count
  }

  private static func digests(_ data: Data) -> [Digest] {
    let bytes = Array(data)
    return stride(from: 0, to: bytes.count - ItemKeys.digestBytes + 1, by: ItemKeys.digestBytes).map {
      Digest(bytes[$0..<$0 + ItemKeys.digestBytes])
    }
  }
}

extension ItemKeys {
  fileprivate func digest(_ index: Int) -> ItemMemory.Digest {
    ItemMemory.Digest(digests[index * ItemKeys.digestBytes..<(index + 1) * ItemKeys.digestBytes])
  }
}
