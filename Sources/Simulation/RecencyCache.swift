// SPDX-License-Identifier: Apache-2.0

// The in-process tier as it really behaves: at most `capacity` entries, the least recently used leaves first, and an
// entry older than its time to live is a miss. Keys are dense numbers, so there is no hashing.

/// A least-recently-used cache of the keys 0 ..< keysCount; it holds no values.
package struct RecencyCache: Sendable {
  private struct Slot {
    var key: Int32 = -1
    var newer: Int32 = -1
    var older: Int32 = -1
    var expiresAtMs: Int64 = 0
  }

  package let capacity: Int
  package let ttlMs: Int64
  /// Entries held, expired ones that nobody asked for included, as in a real process.
  package private(set) var count = 0

  private var slotOfKey: [Int32]
  private var slots: [Slot]
  private var free: [Int32]
  private var newest: Int32 = -1
  private var oldest: Int32 = -1

  /// - Parameter capacity: at least 1.
  package init(capacity: Int, keysCount: Int, ttlMs: Int64) {
    precondition(capacity >= 1 && keysCount >= 1 && ttlMs > 0, "a cache holds something for some time")
    self.capacity = capacity
    self.ttlMs = ttlMs
    slotOfKey = [Int32](repeating: -1, count: keysCount)
    slots = [Slot](repeating: Slot(), count: capacity)
    free = (0..<Int32(capacity)).reversed()
  }

  /// Whether the key is held and not expired; a hit makes it the newest, an expired entry is dropped. O(1).
  package mutating func lookUp(_ key: Int, nowMs: Int64) -> Bool {
    let slot = slotOfKey[key]
    guard slot >= 0 else { return false }
    guard nowMs < slots[Int(slot)].expiresAtMs else {
      remove(key)
      return false
    }
    unlink(slot)
    linkAsNewest(slot)
    return true
  }

  /// Stores the key as the newest; a full cache drops its oldest. O(1).
  package mutating func store(_ key: Int, nowMs: Int64) {
    remove(key)
    if free.isEmpty { remove(Int(slots[Int(oldest)].key)) }
    let slot = free.removeLast()
    slots[Int(slot)].key = Int32(key)
    slots[Int(slot)].expiresAtMs = nowMs + ttlMs
    slotOfKey[key] = slot
    linkAsNewest(slot)
    count += 1
  }

  /// Drops the key; true when it was held.
  @discardableResult
  package mutating func remove(_ key: Int) -> Bool {
    let slot = slotOfKey[key]
    guard slot >= 0 else { return false }
    unlink(slot)
    slotOfKey[key] = -1
    free.append(slot)
    count -= 1
    return true
  }

  private mutating func unlink(_ slot: Int32) {
    let newer = slots[Int(slot)].newer
    let older = slots[Int(slot)].older
    if newer >= 0 { slots[Int(newer)].older = older } else { newest = older }
    if older >= 0 { slots[Int(older)].newer = newer } else { oldest = newer }
  }

  private mutating func linkAsNewest(_ slot: Int32) {
    slots[Int(slot)].newer = -1
    slots[Int(slot)].older = newest
    if newest >= 0 { slots[Int(newest)].newer = slot } else { oldest = slot }
    newest = slot
  }
}
