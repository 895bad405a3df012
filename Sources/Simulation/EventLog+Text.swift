// SPDX-License-Identifier: Apache-2.0

// Lines of text, as services write them that know nothing of events: bare, or as the message of a JSON log record. A
// bare line has no time; whoever reads it takes its own.

/// Where a line of text stands.
enum TextFrame {
  case bare
  case record(timestampMs: Int64, system: TrafficSystem)
}

/// Who writes the line, and so its words.
enum TextDialect { case connect, auth }

/// A key of a cache, as the lines name it.
struct NamedKey {
  let cache: SimulatedCache
  let template: KeyTemplate
  let number: Int
}

extension EventLog {
  mutating func textHit(_ key: NamedKey, _ dialect: TextDialect, _ frame: TextFrame, durationUs: Int) {
    begin(frame)
    append(dialect == .connect ? "[CACHE] HIT " : "Cache hit: ")
    append(key.template, key: key.number)
    append(durationUs: durationUs)
    end(frame)
    ledger[key.cache, .hitsL2] += 1
    ledger.record(.hitL2, of: key.cache, durationUs: durationUs)
  }

  mutating func textMiss(_ key: NamedKey, _ dialect: TextDialect, _ frame: TextFrame, durationUs: Int) {
    begin(frame)
    append(dialect == .connect ? "[CACHE] MISS " : "Cache miss: ")
    append(key.template, key: key.number)
    append(durationUs: durationUs)
    end(frame)
    ledger[key.cache, .misses] += 1
    ledger.record(.miss, of: key.cache, durationUs: durationUs)
  }

  mutating func textSet(_ key: NamedKey, ttlMs: Int64, _ frame: TextFrame) {
    begin(frame)
    append("Cache set: ")
    append(key.template, key: key.number)
    append(" (TTL: ")
    append(number: Int(ttlMs / 1_000))
    append("s)")
    end(frame)
    ledger[key.cache, .setsL2] += 1
  }

  mutating func textDelete(_ key: NamedKey, _ dialect: TextDialect, _ frame: TextFrame) {
    begin(frame)
    append(dialect == .connect ? "[CACHE] DELETE " : "Cache delete: ")
    append(key.template, key: key.number)
    end(frame)
    ledger[key.cache, .invalidations] += 1
    ledger[key.cache, .invalidatedKeys] += 1
  }

  mutating func textInvalidate(
    _ cache: SimulatedCache, pattern: String, keys: Int, _ dialect: TextDialect, _ frame: TextFrame
  ) {
    begin(frame)
    switch dialect {
    case .connect:
      append("[CACHE] INVALIDATE pattern ")
      append(pattern)
      append(" (")
      append(number: keys)
      append(" keys)")
    case .auth:
      append("Invalidated ")
      append(number: keys)
      append(" cache keys matching ")
      append(pattern)
    }
    end(frame)
    ledger[cache, .invalidations] += 1
    ledger[cache, .invalidatedKeys] += keys
  }

  mutating func textGetError(_ key: NamedKey, _ dialect: TextDialect, _ frame: TextFrame) {
    begin(frame)
    switch dialect {
    case .connect:
      append("[CACHE] GET error: connect ECONNREFUSED 127.0.0.1:6379")
      ledger[.connectUnnamed, .errorsGet] += 1
    case .auth:
      append("Cache get error for key ")
      append(key.template, key: key.number)
      append(": connect ECONNREFUSED 127.0.0.1:6379")
      ledger[key.cache, .errorsGet] += 1
    }
    end(frame)
  }

  private mutating func append(durationUs: Int) {
    append(" (")
    append(millisecondsOfUs: durationUs)
    append("ms)")
  }

  // No text written here holds a character that JSON would want escaped.
  private mutating func begin(_ frame: TextFrame) {
    guard case .record(let timestampMs, let system) = frame else { return }
    append("{\"timestamp\":")
    append(number: Int(timestampMs))
    append(",\"level\":\"info\",\"service\":\"")
    append(system.rawValue)
    append("\",\"message\":\"")
  }

  private mutating func end(_ frame: TextFrame) {
    if case .record = frame { append("\"}") }
    endLine()
    ledger.accepted += 1
  }
}
