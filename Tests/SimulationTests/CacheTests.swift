// SPDX-License-Identifier: Apache-2.0

import Simulation
import Testing

// The simulated tiers and the breaker, against slow models.

@Test func theLeastRecentlyUsedEntryLeavesFirst() {
  var cache = RecencyCache(capacity: 2, keysCount: 4, ttlMs: 1_000)
  cache.store(0, nowMs: 0)
  cache.store(1, nowMs: 0)
  let first = cache.lookUp(0, nowMs: 1)
  cache.store(2, nowMs: 2)
  let later = [1, 0, 2].map { cache.lookUp($0, nowMs: 3) }
  #expect(first && later == [false, true, true])
  #expect(cache.count == 2)
}

@Test func anEntryExpiresAtItsTimeToLive() {
  var near = RecencyCache(capacity: 2, keysCount: 1, ttlMs: 1_000)
  near.store(0, nowMs: 500)
  let isHeld = [1_499, 1_500].map { near.lookUp(0, nowMs: $0) }
  #expect(isHeld == [true, false])
  #expect(near.count == 0)

  var far = ExpiringCache(keysCount: 2, ttlMs: 1_000, staleMs: 500)
  far.store(0, nowMs: 0)
  #expect(far.lookUp(0, nowMs: 999) == .fresh)
  #expect(far.lookUp(0, nowMs: 1_000) == .stale)
  #expect(far.lookUp(0, nowMs: 1_499) == .stale)
  #expect(far.lookUp(0, nowMs: 1_500) == .absent)
  #expect(far.lookUp(1, nowMs: 0) == .absent)
  #expect(far.count(nowMs: 10) == 1)
  let wasRemoved = [far.remove(0, nowMs: 10), far.remove(0, nowMs: 10)]
  #expect(wasRemoved == [true, false])
}

@Test(arguments: [1, 2, 3] as [UInt64])
func theRecencyCacheEqualsAListKeptInOrder(seed: UInt64) {
  var random = SeededGenerator(seed: seed)
  var cache = RecencyCache(capacity: 8, keysCount: 20, ttlMs: 50)
  var list: [(key: Int, expiresAtMs: Int64)] = []
  for nowMs in Int64(0)..<20_000 {
    let key = random.below(20)
    let held = list.firstIndex { $0.key == key }
    switch random.below(4) {
    case 0:
      cache.store(key, nowMs: nowMs)
      if let held { list.remove(at: held) } else if list.count == 8 { list.removeLast() }
      list.insert((key, nowMs + 50), at: 0)
    case 1:
      let wasHeld = cache.remove(key)
      #expect(wasHeld == (held != nil), "seed \(seed) at \(nowMs)")
      if let held { list.remove(at: held) }
    default:
      let isFresh = held.map { nowMs < list[$0].expiresAtMs } ?? false
      let isHit = cache.lookUp(key, nowMs: nowMs)
      #expect(isHit == isFresh, "seed \(seed) at \(nowMs)")
      if let held {
        let entry = list.remove(at: held)
        if isFresh { list.insert(entry, at: 0) }
      }
    }
    #expect(cache.count == list.count)
  }
}

@Test func theBreakerOpensAfterFailuresInARowAndClosesOnSuccess() {
  var breaker = CircuitBreaker(failuresMax: 3, openMs: 100)
  let notInARow = [breaker.fail(nowMs: 0), breaker.fail(nowMs: 0), breaker.succeed()]
  #expect(notInARow == [nil, nil, nil])
  let inARow = [breaker.fail(nowMs: 1), breaker.fail(nowMs: 2), breaker.fail(nowMs: 3)]
  #expect(inARow == [nil, nil, .open])
  let failedProbe = [breaker.advance(nowMs: 102), breaker.advance(nowMs: 103), breaker.fail(nowMs: 104)]
  #expect(failedProbe == [nil, .halfOpen, .open])
  let recovery = [breaker.advance(nowMs: 204), breaker.succeed(), breaker.advance(nowMs: 1_000)]
  #expect(recovery == [.halfOpen, .closed, nil])
}
