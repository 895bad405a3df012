// SPDX-License-Identifier: Apache-2.0

// A service that caches by key in Redis: connect, organization, web or auth, each in the words of its own log.
// Their flags, where they have one, are taken as on; they have no breaker, so an outage shows as errors for as long as
// it lasts.

struct KeyedTraffic: Sendable {
  private enum Words {
    case events
    case text(TextDialect)
  }

  private struct Family: Sendable {
    let table: KeyFamily
    let keys: ZipfSampler
    var cache: ExpiringCache
  }

  private static let hitLatency = LatencyDistribution(p1Us: 500, p99Us: 4_000)
  private static let missLatency = LatencyDistribution(p1Us: 600, p99Us: 5_000)
  private static let fetchLatency = LatencyDistribution(p1Us: 12_000, p99Us: 120_000)
  private static let invalidationLatency = LatencyDistribution(p1Us: 800, p99Us: 5_000)

  private let system: TrafficSystem
  private let words: Words
  /// Of a million lines of text, how many are written without a time.
  private let bareLinesPerMillion: Int
  private var families: [Family]
  private let weightsTotal: Int
  private var random: SeededGenerator
  private var redisWasDown = false
  private let run: UInt64
  private var requestNumber: UInt64 = 0

  init(system: TrafficSystem, part: UInt64, seed: UInt64, usersCount: Int, bareLinesPerMillion: Int) {
    self.system = system
    self.bareLinesPerMillion = bareLinesPerMillion
    words =
      switch system {
      case .connect: .text(.connect)
      case .auth: .text(.auth)
      case .profile, .organization, .web: .events
      }
    families = KeyFamily.families(of: system, usersCount: usersCount).map { table in
      Family(
        table: table, keys: ZipfSampler(count: table.keysCount, exponent: 1, offset: 4),
        cache: ExpiringCache(
          keysCount: table.keysCount, ttlMs: table.ttlSeconds * 1_000, staleMs: table.staleSeconds * 1_000))
    }
    weightsTotal = families.reduce(0) { $0 + $1.table.weight }
    random = .part(part, ofSeed: seed)
    // Correlation ids of two services in one run must differ.
    run = seed &+ part &* 0x9E37_79B9
  }

  /// One request and what it logs.
  mutating func request(nowMs: Int64, redisIsDown: Bool, log: inout EventLog) {
    noteRedis(isDown: redisIsDown)
    requestNumber &+= 1
    let index = pickFamily()
    let key = families[index].keys.sample(&random)
    if redisIsDown {
      fail(index, key, nowMs: nowMs, log: &log)
    } else if random.happens(perMillion: families[index].table.sweepsPerMillion) {
      sweep(index, nowMs: nowMs, log: &log)
    } else if random.happens(perMillion: families[index].table.updatesPerMillion) {
      delete(index, key, nowMs: nowMs, log: &log)
    } else {
      read(index, key, nowMs: nowMs, log: &log)
    }
  }

  private mutating func noteRedis(isDown: Bool) {
    if isDown && !redisWasDown { for index in families.indices { families[index].cache.removeAll() } }
    redisWasDown = isDown
  }

  private mutating func pickFamily() -> Int {
    var rest = random.below(weightsTotal)
    for index in families.indices {
      rest -= families[index].table.weight
      if rest < 0 { return index }
    }
    return families.count - 1
  }

  private mutating func read(_ index: Int, _ key: Int, nowMs: Int64, log: inout EventLog) {
    let freshness = families[index].cache.lookUp(key, nowMs: nowMs)
    let named = named(index, key)
    let head = head(index, key, nowMs: nowMs)
    switch (freshness, words) {
    case (.absent, .events):
      log.miss(head, durationUs: Self.fetchLatency.sampleUs(&random))
    case (.absent, .text(let dialect)):
      log.textMiss(named, dialect, frame(nowMs), durationUs: Self.missLatency.sampleUs(&random))
    case (_, .events):
      log.hit(head, tier: .l2, durationUs: Self.hitLatency.sampleUs(&random), isStale: freshness == .stale)
    case (_, .text(let dialect)):
      log.textHit(named, dialect, frame(nowMs), durationUs: Self.hitLatency.sampleUs(&random))
    }
    if freshness != .fresh { store(index, key, nowMs: nowMs, log: &log) }
  }

  private mutating func store(_ index: Int, _ key: Int, nowMs: Int64, log: inout EventLog) {
    families[index].cache.store(key, nowMs: nowMs)
    switch words {
    case .events:
      log.set(head(index, key, nowMs: nowMs), tier: .l2, ttlMs: families[index].cache.ttlMs)
    case .text(.auth):
      log.textSet(named(index, key), ttlMs: families[index].cache.ttlMs, frame(nowMs))
    case .text(.connect):
      // connect logs no sets.
      break
    }
  }

  private mutating func delete(_ index: Int, _ key: Int, nowMs: Int64, log: inout EventLog) {
    let wasHeld = families[index].cache.remove(key, nowMs: nowMs)
    switch words {
    case .events:
      let durationUs = Self.invalidationLatency.sampleUs(&random)
      log.invalidation(head(index, key, nowMs: nowMs), keys: wasHeld ? 1 : 0, durationUs: durationUs)
    case .text(let dialect):
      log.textDelete(named(index, key), dialect, frame(nowMs))
    }
  }

  private mutating func sweep(_ index: Int, nowMs: Int64, log: inout EventLog) {
    guard case .text(let dialect) = words else { preconditionFailure("only services with text logs sweep by pattern") }
    let table = families[index].table
    let keys = families[index].cache.count(nowMs: nowMs)
    families[index].cache.removeAll()
    log.textInvalidate(table.cache, pattern: table.sweepPattern, keys: keys, dialect, frame(nowMs))
  }

  private mutating func fail(_ index: Int, _ key: Int, nowMs: Int64, log: inout EventLog) {
    switch words {
    case .events: log.error(head(index, key, nowMs: nowMs), operation: .errorsGet, "ECONNREFUSED")
    case .text(let dialect): log.textGetError(named(index, key), dialect, frame(nowMs))
    }
  }

  private func head(_ index: Int, _ key: Int, nowMs: Int64) -> EventHead {
    let table = families[index].table
    return EventHead(
      timestampMs: nowMs, correlation: (run, requestNumber), user: table.isByUser ? key : nil, cache: table.cache,
      keyTemplate: table.template, key: key)
  }

  private func named(_ index: Int, _ key: Int) -> NamedKey {
    NamedKey(cache: families[index].table.cache, template: families[index].table.template, number: key)
  }

  private mutating func frame(_ nowMs: Int64) -> TextFrame {
    random.happens(perMillion: bareLinesPerMillion) ? .bare : .record(timestampMs: nowMs, system: system)
  }
}
