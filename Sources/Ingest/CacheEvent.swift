// SPDX-License-Identifier: Apache-2.0

// One cache event as numbers and as ranges of the bytes it was read from. It owns no text: what a range means can only
// be asked while those bytes are at hand.

import JSON

/// A cache event. Ranges (`JSONString`) refer to the bytes that it was read from; an empty one means absent.
struct CacheEvent: Sendable {
  enum Kind: UInt8, Sendable, CaseIterable {
    case hit, miss, set, invalidation, error, bypass, bulk, breaker, stats, consistencyCheck
  }

  enum Tier: UInt8, Sendable {
    case unknown, l1, l2
  }

  enum Cohort: UInt8, Sendable {
    case none, treatment, control
  }

  enum BreakerState: UInt8, Sendable, CaseIterable {
    case closed, open, halfOpen
  }

  static let absent = JSONString(start: 0, end: 0, hasEscapes: false)

  var kind = Kind.hit
  var tier = Tier.unknown
  var cohort = Cohort.none
  var breakerState = BreakerState.closed
  var isStale = false
  var isSuccess = true
  /// Whether it carries a non-empty `correlation_id` or `id`.
  var hasIdentity = false
  /// Whether it came from one of the plain text lines.
  var isTextLine = false
  /// Whether the line stands for the list of active programs, whose key it does not spell out.
  var isProgramsLine = false

  /// Since 1970; nil means now.
  var timestampMs: Int64?
  /// 0...86,400,000; nil when absent.
  var durationMs: Double?
  /// Keys of an invalidation.
  var keys: Int64 = 0
  /// Hits and misses of a bulk lookup.
  var hits: Int64 = 0
  var misses: Int64 = 0
  /// Entries, capacity and bytes of a `cache_stats` event; nil where it does not say.
  var entries: Double?
  var capacity: Double?
  var memoryBytes: Double?

  var key = CacheEvent.absent
  var cache = CacheEvent.absent
  var service = CacheEvent.absent
  /// The `reason` of a bypass, the `operation` of an error.
  var detail = CacheEvent.absent

  init() {}
}

/// Whose event it is. Apart from `CacheEvent`, which the compiler copies by calling memmove as soon as it is any larger.
struct EventOwner {
  /// Nil where it names no user.
  var userHash: UInt64?
  /// Its `correlation_id`; refers to the event's bytes.
  var correlation = CacheEvent.absent
}
