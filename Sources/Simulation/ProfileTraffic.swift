// SPDX-License-Identifier: Apache-2.0

// The profile service: reads of user profiles through in-process caches (L1) and Redis (L2), behind the flag
// ENABLE_PROFILE_CACHE and a circuit breaker around Redis. Ratios are not written down anywhere: they come out of the
// caches, which start cold. Redis loses what it held when it goes down.

/// The sizes and times of the profile service.
package struct ProfileSettings: Sendable {
  /// Processes of the service, each with an L1 of its own; a request reaches any of them. At least 1.
  package var instancesCount = 3
  package var l1Capacity = 1_000
  package var l1TtlMs: Int64 = 300_000
  package var l2TtlMs: Int64 = 300_000
  /// Of a million requests, how many change the profile and so invalidate it.
  package var updatesPerMillion = 15_000
  /// Of a million reads from the database, how many leave the caller without an answer.
  package var databaseFailuresPerMillion = 400
  package var breakerFailuresMax = 5
  package var breakerOpenMs: Int64 = 30_000
  package var statsIntervalMs: Int64 = 10_000

  package init() {}
}

struct ProfileTraffic: Sendable {
  private static let l1Latency = LatencyDistribution(p1Us: 20, p99Us: 300)
  private static let l2Latency = LatencyDistribution(p1Us: 600, p99Us: 3_000)
  private static let missLatency = LatencyDistribution(p1Us: 20_000, p99Us: 80_000)
  private static let bypassLatency = LatencyDistribution(p1Us: 15_000, p99Us: 70_000)
  private static let invalidationLatency = LatencyDistribution(p1Us: 1_000, p99Us: 6_000)
  // What Redis may hold by its maxmemory, and what a profile takes there; both only for cache_stats.
  private static let l2Capacity = 100_000
  private static let profileBytes = 1_400

  private let settings: ProfileSettings
  private let users: ZipfSampler
  private let userIDs: [String]
  private var random: SeededGenerator
  private var l1s: [RecencyCache]
  private var l2: ExpiringCache
  private var breaker: CircuitBreaker
  private var redisWasDown = false
  private let run: UInt64
  private var requestNumber: UInt64 = 0

  init(seed: UInt64, usersCount: Int, settings: ProfileSettings) {
    self.settings = settings
    run = seed
    // The offset keeps the busiest user near 2 % of the traffic of 2,000: no single user's cohort moves the picture.
    users = ZipfSampler(count: usersCount, exponent: 1.1, offset: 10)
    userIDs = (1...usersCount).map { "user-\($0)" }
    random = .part(1, ofSeed: seed)
    let l1 = RecencyCache(capacity: settings.l1Capacity, keysCount: usersCount, ttlMs: settings.l1TtlMs)
    l1s = [RecencyCache](repeating: l1, count: settings.instancesCount)
    l2 = ExpiringCache(keysCount: usersCount, ttlMs: settings.l2TtlMs)
    breaker = CircuitBreaker(failuresMax: settings.breakerFailuresMax, openMs: settings.breakerOpenMs)
  }

  /// One request and what it logs.
  mutating func request(nowMs: Int64, flag: borrowing some FlagView, redisIsDown: Bool, log: inout EventLog) {
    noteRedis(isDown: redisIsDown)
    let user = users.sample(&random)
    let head = head(nowMs: nowMs, user: user)
    if random.happens(perMillion: settings.updatesPerMillion) {
      // Invalidation does not wait for the flag: an entry from before it was turned off must not come back stale.
      update(head, user: user, redisIsDown: redisIsDown, log: &log)
    } else if flag.isOn(userID: userIDs[user]) {
      read(head, user: user, redisIsDown: redisIsDown, log: &log)
    } else {
      bypass(head, .bypassesFlagOff, log: &log)
    }
  }

  /// The sizes of both tiers, and a comparison of cache and database.
  mutating func report(nowMs: Int64, log: inout EventLog) {
    let head = head(nowMs: nowMs, user: nil)
    let l2Count = redisWasDown ? 0 : l2.count(nowMs: nowMs)
    // A gauge keeps its last value, so one instance speaks for all.
    let l1 = l1s[0]
    log.stats(head, tier: .l1, entries: l1.count, capacity: l1.capacity, bytes: l1.count * Self.profileBytes)
    log.stats(head, tier: .l2, entries: l2Count, capacity: Self.l2Capacity, bytes: l2Count * Self.profileBytes)
    log.consistencyCheck(head, isConsistent: true)
  }

  private mutating func noteRedis(isDown: Bool) {
    if isDown && !redisWasDown { l2.removeAll() }
    redisWasDown = isDown
  }

  private mutating func head(nowMs: Int64, user: Int?) -> EventHead {
    requestNumber &+= 1
    return EventHead(timestampMs: nowMs, correlation: (run, requestNumber), user: user)
  }

  private mutating func read(_ head: EventHead, user: Int, redisIsDown: Bool, log: inout EventLog) {
    let instance = random.below(l1s.count)
    if l1s[instance].lookUp(user, nowMs: head.timestampMs) {
      return log.hit(head, tier: .l1, durationUs: Self.l1Latency.sampleUs(&random))
    }
    guard mayAskRedis(head, log: &log) else { return bypass(head, .bypassesBreakerOpen, log: &log) }
    if redisIsDown {
      fail(head, .errorsGet, log: &log)
      return readThrough(head, instance, user: user, mayStoreInRedis: false, log: &log)
    }
    succeed(head, log: &log)
    guard l2.lookUp(user, nowMs: head.timestampMs) == .fresh else {
      return readThrough(head, instance, user: user, mayStoreInRedis: true, log: &log)
    }
    log.hit(head, tier: .l2, durationUs: Self.l2Latency.sampleUs(&random))
    l1s[instance].store(user, nowMs: head.timestampMs)
    log.set(head, tier: .l1, ttlMs: settings.l1TtlMs)
  }

  private mutating func readThrough(
    _ head: EventHead, _ instance: Int, user: Int, mayStoreInRedis: Bool, log: inout EventLog
  ) {
    let isAnswered = databaseAnswers()
    log.miss(head, durationUs: Self.missLatency.sampleUs(&random), isAnswered: isAnswered)
    guard isAnswered else { return }
    if mayStoreInRedis {
      l2.store(user, nowMs: head.timestampMs)
      log.set(head, tier: .l2, ttlMs: settings.l2TtlMs)
    }
    l1s[instance].store(user, nowMs: head.timestampMs)
    log.set(head, tier: .l1, ttlMs: settings.l1TtlMs)
  }

  private mutating func bypass(_ head: EventHead, _ reason: Ledger.Counter, log: inout EventLog) {
    let isAnswered = databaseAnswers()
    log.bypass(head, reason: reason, durationUs: Self.bypassLatency.sampleUs(&random), isAnswered: isAnswered)
  }

  private mutating func update(_ head: EventHead, user: Int, redisIsDown: Bool, log: inout EventLog) {
    let durationUs = Self.invalidationLatency.sampleUs(&random)
    // The instances tell one another, so that no L1 serves the old profile.
    var removed = 0
    for instance in l1s.indices where l1s[instance].remove(user) { removed += 1 }
    guard mayAskRedis(head, log: &log) else {
      return log.invalidation(head, keys: 0, durationUs: durationUs, error: "circuit breaker open")
    }
    if redisIsDown {
      log.invalidation(head, keys: 0, durationUs: durationUs, error: "ECONNREFUSED")
      return fail(head, .errorsDelete, log: &log)
    }
    succeed(head, log: &log)
    let wasInL2 = l2.remove(user, nowMs: head.timestampMs)
    log.invalidation(head, keys: removed + (wasInL2 ? 1 : 0), durationUs: durationUs)
  }

  private mutating func databaseAnswers() -> Bool {
    !random.happens(perMillion: settings.databaseFailuresPerMillion)
  }

  private mutating func mayAskRedis(_ head: EventHead, log: inout EventLog) -> Bool {
    if let state = breaker.advance(nowMs: head.timestampMs) { log.circuitBreaker(head, state) }
    return breaker.state != .open
  }

  private mutating func succeed(_ head: EventHead, log: inout EventLog) {
    if let state = breaker.succeed() { log.circuitBreaker(head, state) }
  }

  private mutating func fail(_ head: EventHead, _ operation: Ledger.Counter, log: inout EventLog) {
    log.error(head, operation: operation, "ECONNREFUSED")
    if let state = breaker.fail(nowMs: head.timestampMs) { log.circuitBreaker(head, state) }
  }
}
