// SPDX-License-Identifier: Apache-2.0

// The shared tier: a Redis with room for every key, where an entry lives for its time to live, and which is empty
// again after an outage. Keys are dense numbers.

/// A cache of the keys 0 ..< keysCount with expiry and without eviction; it holds no values.
package struct ExpiringCache: Sendable {
  package enum Freshness: Equatable, Sendable {
    case fresh
    /// Past its time to live, within the time it may be served while it is fetched anew.
    case stale
    case absent
  }

  package let ttlMs: Int64
  package let staleMs: Int64
  private var expiresAtMs: [Int64]

  /// - Parameter staleMs: how long after its expiry an entry may still be served; 0 never.
  package init(keysCount: Int, ttlMs: Int64, staleMs: Int64 = 0) {
    precondition(keysCount >= 1 && ttlMs > 0 && staleMs >= 0, "a cache holds something for some time")
    self.ttlMs = ttlMs
    self.staleMs = staleMs
    expiresAtMs = [Int64](repeating: .min, count: keysCount)
  }

  package func lookUp(_ key: Int, nowMs: Int64) -> Freshness {
    let expiry = expiresAtMs[key]
    if nowMs < expiry { return .fresh }
    return expiry != .min && nowMs - staleMs < expiry ? .stale : .absent
  }

  package mutating func store(_ key: Int, nowMs: Int64) {
    expiresAtMs[key] = nowMs + ttlMs
  }

  /// Drops the key; true when it was held and had not expired.
  @discardableResult
  package mutating func remove(_ key: Int, nowMs: Int64) -> Bool {
    defer { expiresAtMs[key] = .min }
    return lookUp(key, nowMs: nowMs) != .absent
  }

  package mutating func removeAll() {
    for key in expiresAtMs.indices { expiresAtMs[key] = .min }
  }

  /// How many keys are held at that time. O(keysCount).
  package func count(nowMs: Int64) -> Int {
    expiresAtMs.count { $0 != .min && nowMs - staleMs < $0 }
  }
}
