// SPDX-License-Identifier: Apache-2.0

// Structured JSON events, one function a kind.

/// What all events of one request share.
struct EventHead {
  let timestampMs: Int64
  /// Two halves, so that runs of different seeds do not share ids.
  let correlation: (run: UInt64, number: UInt64)
  /// 0-based; written as `user-N` with N from 1. Nil for events of no user.
  let user: Int?
  var cache = SimulatedCache.profile
  var keyTemplate: KeyTemplate?
  var key = 0
  var timeForm = TimeForm.milliseconds
  /// Whether fields stand in it that no reader knows.
  var hasForeignFields = false
}

/// How an event writes its time.
enum TimeForm { case milliseconds, seconds, rfc3339 }

extension EventLog {
  mutating func hit(_ head: EventHead, tier: Tier, durationUs: Int, isStale: Bool = false, isAnswered: Bool = true) {
    begin("cache_hit", head)
    append(tier)
    if isStale { append(",\"stale\":true") }
    appendOutcome(isAnswered, head)
    append(durationUs: durationUs)
    end()
    ledger[head.cache, tier == .l1 ? .hitsL1 : .hitsL2] += 1
    if isStale { ledger[head.cache, tier == .l1 ? .staleHitsL1 : .staleHitsL2] += 1 }
    ledger.record(tier == .l1 ? .hitL1 : .hitL2, of: head.cache, durationUs: durationUs)
  }

  mutating func miss(_ head: EventHead, durationUs: Int, isAnswered: Bool = true) {
    begin("cache_miss", head)
    appendOutcome(isAnswered, head)
    append(durationUs: durationUs)
    end()
    ledger[head.cache, .misses] += 1
    ledger.record(.miss, of: head.cache, durationUs: durationUs)
  }

  mutating func bypass(_ head: EventHead, reason: Ledger.Counter, durationUs: Int, isAnswered: Bool = true) {
    begin("cache_bypass", head)
    switch reason {
    case .bypassesFlagOff: append(",\"reason\":\"flag_off\"")
    case .bypassesSkipHeader: append(",\"reason\":\"skip_header\"")
    case .bypassesBreakerOpen: append(",\"reason\":\"breaker_open\"")
    default: preconditionFailure("a bypass has one of three reasons")
    }
    appendOutcome(isAnswered, head)
    append(durationUs: durationUs)
    end()
    ledger[head.cache, reason] += 1
    ledger.record(.bypass, of: head.cache, durationUs: durationUs)
  }

  mutating func set(_ head: EventHead, tier: Tier, ttlMs: Int64) {
    begin("cache_set", head)
    append(tier)
    append(",\"ttl_s\":")
    append(number: Int(ttlMs / 1_000))
    end()
    ledger[head.cache, tier == .l1 ? .setsL1 : .setsL2] += 1
  }

  mutating func bulk(_ head: EventHead, hits: Int, misses: Int, durationUs: Int) {
    begin("cache_bulk", head)
    append(.l2)
    append(",\"requested\":")
    append(number: hits + misses)
    append(",\"hits\":")
    append(number: hits)
    append(",\"misses\":")
    append(number: misses)
    append(durationUs: durationUs)
    end()
    ledger[head.cache, .hitsL2] += hits
    ledger[head.cache, .misses] += misses
    ledger.record(.bulkL2, of: head.cache, durationUs: durationUs)
  }

  /// - Parameters:
  ///   - keys: how many keys were removed; not written for a failed one.
  ///   - error: nil when it succeeded.
  ///   - type: `cache_invalidation` or its other name, `invalidation`.
  mutating func invalidation(
    _ head: EventHead, keys: Int, durationUs: Int, error: String? = nil, type: String = "cache_invalidation"
  ) {
    begin(type, head)
    if let error {
      append(",\"success\":false,\"error\":\"")
      append(error)
      append("\"")
      ledger[head.cache, .invalidationErrors] += 1
    } else {
      append(",\"success\":true,\"keys\":")
      append(number: keys)
      ledger[head.cache, .invalidatedKeys] += keys
    }
    append(durationUs: durationUs)
    end()
    ledger[head.cache, .invalidations] += 1
    ledger.record(.invalidation, of: head.cache, durationUs: durationUs)
  }

  /// - Parameter operation: one of `errorsGet`, `errorsSet`, `errorsDelete`.
  mutating func error(_ head: EventHead, operation: Ledger.Counter, _ text: String) {
    begin("cache_error", head)
    switch operation {
    case .errorsGet: append(",\"operation\":\"get\"")
    case .errorsSet: append(",\"operation\":\"set\"")
    case .errorsDelete: append(",\"operation\":\"delete\"")
    default: preconditionFailure("an error belongs to a get, a set or a delete")
    }
    append(",\"error\":\"")
    append(text)
    append("\"")
    end()
    ledger[head.cache, operation] += 1
  }

  mutating func circuitBreaker(_ head: EventHead, _ state: CircuitBreaker.State) {
    begin("circuit_breaker", head)
    switch state {
    case .closed: append(",\"state\":\"closed\"")
    case .open: append(",\"state\":\"open\"")
    case .halfOpen: append(",\"state\":\"half_open\"")
    }
    end()
    switch state {
    case .closed: ledger[head.cache, .breakerClosed] += 1
    case .open: ledger[head.cache, .breakerOpen] += 1
    case .halfOpen: ledger[head.cache, .breakerHalfOpen] += 1
    }
  }

  mutating func stats(_ head: EventHead, tier: Tier, entries: Int, capacity: Int, bytes: Int) {
    begin("cache_stats", head)
    append(tier)
    append(",\"entries\":")
    append(number: entries)
    append(",\"capacity\":")
    append(number: capacity)
    append(",\"bytes\":")
    append(number: bytes)
    end()
  }

  mutating func consistencyCheck(_ head: EventHead, isConsistent: Bool) {
    begin("consistency_check", head)
    append(isConsistent ? ",\"success\":true" : ",\"success\":false")
    end()
    ledger[head.cache, .consistencyChecks] += 1
    if !isConsistent { ledger[head.cache, .consistencyChecksFailed] += 1 }
  }

  // Escapes, a multi-byte character, nesting, and a field's name within a string: all to be skipped.
  private static let foreignFields =
    #","host":"pod-\u00e9\"3\\","note":"été \"duration_ms\":9""#
    + #","tags":{"a":[1,-2.5e3,null,{"b":true}]}"#

  private mutating func begin(_ type: String, _ head: EventHead) {
    append("{\"event_type\":\"")
    append(type)
    append("\",\"timestamp\":")
    append(timestampMs: head.timestampMs, head.timeForm)
    append(",\"correlation_id\":\"")
    append(hex: head.correlation.run, digits: 8)
    append("-")
    append(hex: head.correlation.number, digits: 10)
    append("\"")
    if let user = head.user {
      append(",\"user_id\":\"user-")
      append(number: user &+ 1)
      append("\"")
    }
    if head.hasForeignFields { append(Self.foreignFields) }
    guard let template = head.keyTemplate else { return }
    append(",\"service\":\"")
    append(head.cache.system.rawValue)
    append("\",\"key\":\"")
    append(template, key: head.key)
    append("\"")
  }

  private mutating func append(_ tier: Tier) {
    append(tier == .l1 ? ",\"cache_tier\":\"L1\"" : ",\"cache_tier\":\"L2\"")
  }

  // Whether the caller got its answer in the end; true is the default and is not written.
  private mutating func appendOutcome(_ isAnswered: Bool, _ head: EventHead) {
    guard !isAnswered else { return }
    append(",\"success\":false")
    ledger[head.cache, .lookupFailures] += 1
  }

  private mutating func append(durationUs: Int) {
    append(",\"duration_ms\":")
    append(millisecondsOfUs: durationUs)
  }

  private mutating func end() {
    append("}")
    endLine()
    ledger.accepted += 1
  }
}
