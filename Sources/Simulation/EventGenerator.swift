// SPDX-License-Identifier: Apache-2.0

// Bodies of events for tests of exactness and for measuring: every kind of event and line, in any order, at random
// times within a span, each event with an id of its own, broken and foreign lines among them, and the exact ledger. It
// simulates no caches: TrafficModel does.

/// Bodies for `POST /api/v1/events` with what they must count to; the same for the same seed on every machine.
package struct EventGenerator: Sendable {
  /// A body and its ledger.
  package struct Body: Sendable {
    package let bytes: [UInt8]
    package let linesCount: Int
    package let ledger: Ledger
  }

  private static let hitLatency = LatencyDistribution(p1Us: 20, p99Us: 3_000)
  private static let fetchLatency = LatencyDistribution(p1Us: 15_000, p99Us: 80_000)
  private static let matchKey = KeyTemplate(prefix: "match:org:", suffix: ":results")
  private static let sessionKey = KeyTemplate(prefix: "session:token:")

  private let fromMs: Int64
  private let spanMs: Int
  private let run: UInt64
  private let users: ZipfSampler
  private var random: SeededGenerator
  private var eventNumber: UInt64 = 0

  /// - Parameters:
  ///   - fromMs: epoch milliseconds of the earliest event.
  ///   - spanMs: the events lie in `fromMs ..< fromMs + spanMs`; 1 ... 2^32.
  ///   - usersCount: 1 ... `ZipfSampler.countMax`.
  package init(seed: UInt64, fromMs: Int64, spanMs: Int, usersCount: Int = 10_000) {
    precondition((1...(1 << 32)).contains(spanMs), "the span of generated events is 1 ms to 49 days")
    self.fromMs = fromMs
    self.spanMs = spanMs
    run = seed
    users = ZipfSampler(count: usersCount, exponent: 1, offset: 10)
    random = .part(100, ofSeed: seed)
  }

  /// `count` bodies of `eventsPerBody` lines each; `brokenPerMillion` of the lines are no cache events, half of them
  /// broken and to be rejected, half foreign and to be ignored.
  package mutating func bodies(count: Int, eventsPerBody: Int, brokenPerMillion: Int) -> [Body] {
    (0..<count).map { _ in body(eventsCount: eventsPerBody, brokenPerMillion: brokenPerMillion) }
  }

  /// The next body.
  package mutating func body(eventsCount: Int, brokenPerMillion: Int = 0) -> Body {
    var log = EventLog(capacity: eventsCount * 180)
    append(eventsCount: eventsCount, brokenPerMillion: brokenPerMillion, to: &log)
    return Body(bytes: log.bytes, linesCount: log.linesCount, ledger: log.ledger)
  }

  /// Appends lines to a log that the caller empties as it likes; its ledger goes on counting.
  package mutating func append(eventsCount: Int, brokenPerMillion: Int = 0, to log: inout EventLog) {
    for _ in 0..<eventsCount {
      guard brokenPerMillion > 0, random.happens(perMillion: brokenPerMillion) else {
        appendEvent(to: &log)
        continue
      }
      let head = nextHead()
      if random.below(2) == 0 {
        log.appendBroken(head, kind: random.below(EventLog.brokenKindsCount))
      } else {
        log.appendForeign(head, kind: random.below(EventLog.foreignKindsCount))
      }
    }
  }

  private mutating func nextHead() -> EventHead {
    eventNumber &+= 1
    let timestampMs = fromMs + Int64(random.below(spanMs))
    var head = EventHead(timestampMs: timestampMs, correlation: (run, eventNumber), user: users.sample(&random))
    let form = random.below(20)
    if form == 0 { head.timeForm = .seconds }
    if form == 1 { head.timeForm = .rfc3339 }
    head.hasForeignFields = form == 2
    return head
  }

  // Parts of a thousand, near what a warm cache under a ramp logs.
  private mutating func appendEvent(to log: inout EventLog) {
    let head = nextHead()
    switch random.below(1_000) {
    case ..<400: log.hit(head, tier: .l1, durationUs: hitUs(), isAnswered: isAnswered())
    case ..<590: log.hit(head, tier: .l2, durationUs: hitUs(), isAnswered: isAnswered())
    case ..<600: log.hit(head, tier: .l2, durationUs: hitUs(), isStale: true)
    case ..<720: log.miss(head, durationUs: fetchUs(), isAnswered: isAnswered())
    case ..<800: log.set(head, tier: random.below(2) == 0 ? .l1 : .l2, ttlMs: 300_000)
    case ..<840: appendInvalidation(head, to: &log)
    case ..<860: appendError(head, to: &log)
    case ..<910: appendBypass(head, to: &log)
    case ..<930: log.bulk(head, hits: random.below(40), misses: 1 + random.below(10), durationUs: fetchUs())
    case ..<935: appendBreaker(head, to: &log)
    case ..<945: log.consistencyCheck(head, isConsistent: random.below(10) > 0)
    case ..<950: log.stats(head, tier: .l1, entries: random.below(1_001), capacity: 1_000, bytes: 1_400_000)
    default: appendText(head, to: &log)
    }
  }

  private mutating func appendInvalidation(_ head: EventHead, to log: inout EventLog) {
    let error = random.below(10) == 0 ? "ECONNREFUSED" : nil
    let type = random.below(4) == 0 ? "invalidation" : "cache_invalidation"
    log.invalidation(head, keys: 1 + random.below(3), durationUs: hitUs(), error: error, type: type)
  }

  private mutating func appendError(_ head: EventHead, to log: inout EventLog) {
    let operations: [Ledger.Counter] = [.errorsGet, .errorsSet, .errorsDelete]
    log.error(head, operation: operations[random.below(3)], "ETIMEDOUT")
  }

  private mutating func appendBypass(_ head: EventHead, to log: inout EventLog) {
    let reasons: [Ledger.Counter] = [.bypassesFlagOff, .bypassesSkipHeader, .bypassesBreakerOpen]
    log.bypass(head, reason: reasons[random.below(3)], durationUs: fetchUs(), isAnswered: isAnswered())
  }

  private mutating func appendBreaker(_ head: EventHead, to log: inout EventLog) {
    let states: [CircuitBreaker.State] = [.closed, .open, .halfOpen]
    log.circuitBreaker(head, states[random.below(3)])
  }

  private mutating func appendText(_ head: EventHead, to log: inout EventLog) {
    let isConnect = random.below(2) == 0
    let frame = TextFrame.record(timestampMs: head.timestampMs, system: isConnect ? .connect : .auth)
    let number = random.below(100_000)
    let key =
      isConnect
      ? NamedKey(cache: .matchResults, template: Self.matchKey, number: number)
      : NamedKey(cache: .session, template: Self.sessionKey, number: number)
    let dialect: TextDialect = isConnect ? .connect : .auth
    switch random.below(10) {
    case ..<5: log.textHit(key, dialect, frame, durationUs: hitUs())
    case ..<7: log.textMiss(key, dialect, frame, durationUs: hitUs())
    case 7: log.textDelete(key, dialect, frame)
    case 8 where isConnect:
      log.textInvalidate(key.cache, pattern: "match:org:*:results", keys: random.below(400), dialect, frame)
    case 8: log.textSet(key, ttlMs: 300_000, frame)
    default:
      // The error lines of connect name no key; auth's do, so theirs can be counted under their cache.
      let key = NamedKey(cache: .session, template: Self.sessionKey, number: number)
      log.textGetError(key, .auth, .record(timestampMs: head.timestampMs, system: .auth))
    }
  }

  private mutating func hitUs() -> Int { Self.hitLatency.sampleUs(&random) }

  private mutating func fetchUs() -> Int { Self.fetchLatency.sampleUs(&random) }

  private mutating func isAnswered() -> Bool { !random.happens(perMillion: 5_000) }
}
