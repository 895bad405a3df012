// SPDX-License-Identifier: Apache-2.0

import JSON
import Simulation

// The oracle: counts lines by reading them as text and JSON, knowing nothing of how they were made.

/// Counts by series, `metric{label=value,…}`, of the lines in `bytes`.
struct Recount {
  var series: [String: Int] = [:]
  var sumsUs: [String: Int] = [:]
  var accepted = 0
  var rejected = 0
  var ignored = 0
  var correlationIDs: [String] = []
  var timestamps: [Int64] = []

  init(_ bytes: [UInt8]) {
    for line in bytes.split(separator: 0x0A) { count(line: Array(line)) }
  }

  private mutating func count(line: [UInt8]) {
    guard line.first == UInt8(ascii: "{") else {
      return count(text: String(decoding: line, as: UTF8.self), service: nil)
    }
    guard let record = try? JSONValue(parsing: line) else {
      rejected += 1
      return
    }
    if record["timestamp"]?.integer == 4_102_444_800_000 {
      rejected += 1
    } else if let type = record["event_type"]?.string {
      count(event: record, type: type)
    } else {
      count(text: record["message"]?.string ?? "", service: record["service"]?.string)
    }
    if let timestamp = record["timestamp"]?.integer { timestamps.append(timestamp) }
    if let id = record["correlation_id"]?.string { correlationIDs.append(id) }
  }

  private mutating func count(event: JSONValue, type: String) {
    let (cache, service) = Self.cache(ofKey: event["key"]?.string, service: event["service"]?.string)
    let labels = "cache=\(cache),service=\(service)"
    let tier = event["cache_tier"]?.string.map { ",tier=\($0)" } ?? ""
    let isSuccess = event["success"]?.bool ?? true
    accepted += 1
    if !isSuccess, type == "cache_hit" || type == "cache_miss" || type == "cache_bypass" {
      add("cache_lookup_failures_total", labels)
    }
    switch type {
    case "cache_hit":
      add("cache_hits_total", labels + tier)
      if event["stale"]?.bool == true { add("cache_stale_hits_total", labels + tier) }
      time(event, "cache=\(cache),operation=hit,service=\(service)" + tier)
    case "cache_miss":
      add("cache_misses_total", labels)
      time(event, "cache=\(cache),operation=miss,service=\(service)")
    case "cache_bypass":
      add("cache_bypasses_total", "cache=\(cache),reason=\(event["reason"]!.string!),service=\(service)")
      time(event, "cache=\(cache),operation=bypass,service=\(service)")
    case "cache_set": add("cache_sets_total", labels + tier)
    case "cache_bulk":
      add("cache_hits_total", labels + tier, Int(event["hits"]!.integer!))
      add("cache_misses_total", labels, Int(event["misses"]!.integer!))
      time(event, "cache=\(cache),operation=bulk,service=\(service)" + tier)
    case "cache_invalidation", "invalidation":
      add("cache_invalidations_total", labels)
      if isSuccess {
        add("cache_invalidated_keys_total", labels, Int(event["keys"]!.integer!))
      } else {
        add("cache_invalidation_errors_total", labels)
      }
      time(event, "cache=\(cache),operation=invalidation,service=\(service)")
    case "cache_error":
      add("cache_errors_total", "cache=\(cache),operation=\(event["operation"]!.string!),service=\(service)")
    case "circuit_breaker":
      add("cache_circuit_breaker_transitions_total", labels + ",state=\(event["state"]!.string!)")
    case "consistency_check":
      add("cache_consistency_checks_total", labels)
      if !isSuccess { add("cache_consistency_checks_failed_total", labels) }
    case "cache_stats": break
    default:
      accepted -= 1
      ignored += 1
    }
  }

  private mutating func count(text: String, service: String?) {
    var words = text.split(separator: " ").map(String.init)
    var durationUs: Int?
    if let last = words.last, last.hasPrefix("("), last.hasSuffix("ms)") {
      durationUs = Int((Double(last.dropFirst().dropLast(3))! * 1_000).rounded())
      words.removeLast()
    }
    let start = words.prefix(2).joined(separator: " ")
    let key = words.count > 2 ? words[2] : ""
    accepted += 1
    switch start {
    case "[CACHE] HIT", "Cache hit:": lookUp(key, "hit", durationUs!, service)
    case "[CACHE] MISS", "Cache miss:": lookUp(key, "miss", durationUs!, service)
    case "[CACHE] DELETE", "Cache delete:": invalidate(key, keys: 1, service)
    case "[CACHE] INVALIDATE": invalidate(words[3], keys: Int(words[4].dropFirst())!, service)
    case "Cache set:": add("cache_sets_total", Self.labels(key, service) + ",tier=L2")
    case "[CACHE] GET": add("cache_errors_total", "cache=default,operation=get,service=connect")
    case "Cache get":
      let (cache, service) = Self.cache(ofKey: String(words[5].dropLast()), service: service)
      add("cache_errors_total", "cache=\(cache),operation=get,service=\(service)")
    default:
      if words.first == "Invalidated" { return invalidate(words[5], keys: Int(words[1])!, service) }
      accepted -= 1
      ignored += 1
    }
  }

  private mutating func lookUp(_ key: String, _ operation: String, _ durationUs: Int, _ service: String?) {
    let (cache, service) = Self.cache(ofKey: key, service: service)
    let tier = operation == "hit" ? ",tier=L2" : ""
    add(operation == "hit" ? "cache_hits_total" : "cache_misses_total", "cache=\(cache),service=\(service)" + tier)
    let labels = "cache=\(cache),operation=\(operation),service=\(service)" + tier
    add("cache_operation_duration_seconds_count", labels)
    sumsUs[labels, default: 0] += durationUs
  }

  private mutating func invalidate(_ key: String, keys: Int, _ service: String?) {
    add("cache_invalidations_total", Self.labels(key, service))
    add("cache_invalidated_keys_total", Self.labels(key, service), keys)
  }

  private mutating func time(_ event: JSONValue, _ labels: String) {
    add("cache_operation_duration_seconds_count", labels)
    sumsUs[labels, default: 0] += Int((event["duration_ms"]!.double! * 1_000).rounded())
  }

  private mutating func add(_ metric: String, _ labels: String, _ count: Int = 1) {
    if count > 0 { series["\(metric){\(labels)}", default: 0] += count }
  }

  private static func labels(_ key: String, _ service: String?) -> String {
    let (cache, service) = cache(ofKey: key, service: service)
    return "cache=\(cache),service=\(service)"
  }

  /// The bundled key patterns, the more specific first, as they are documented.
  private static func cache(ofKey key: String?, service: String?) -> (cache: String, service: String) {
    guard let key else { return ("profile", "profile") }
    let patterns: [(String, String, String, String)] = [
      ("match:org:", ":results", "match_results", "connect"), ("org:profile:", "", "org_profile", "connect"),
      ("programs:active:list", "", "programs", "connect"), ("ai:explanation:", "", "ai_explanation", "connect"),
      ("user:id:", "", "user", "auth"), ("user:email:", "", "user", "auth"), ("session:token:", "", "session", "auth"),
      ("session:user:", "", "session", "auth"), ("oauth:", "", "oauth", "auth"),
      ("profile:user:", "", "profile_user", "auth"), ("user:", ":orgs", "user_orgs", "organization"),
      ("org:slug:", "", "org_slug", "organization"), ("org:", ":subscription", "org_subscription", "organization"),
      ("session:data:", "", "session_data", "organization"), ("org:", "", "org_member", "organization"),
      ("user:", "", "web_user", "web"), ("sub:", "", "subscription", "web"), ("dash:", "", "dashboard", "web"),
      ("blog:", "", "blog", "web"),
    ]
    let match = patterns.first { key.hasPrefix($0.0) && key.hasSuffix($0.1) }
    precondition(service == nil || service == match?.3, "\(key) is not of \(service ?? "")")
    return (match?.2 ?? "default", match?.3 ?? "default")
  }
}

extension Ledger {
  /// The ledger's series in the oracle's form; equal series are added up.
  var bySeries: [String: Int] {
    var series: [String: Int] = [:]
    for entry in entries {
      let labels = entry.labels.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
      series["\(entry.metric){\(labels)}", default: 0] += entry.value
    }
    return series
  }
}

/// The keys at which two counts differ, for a failure's text.
func differences(_ left: [String: Int], _ right: [String: Int]) -> [String] {
  Set(left.keys).union(right.keys).sorted().filter { left[$0] != right[$0] }
    .map { "\($0): \(left[$0] ?? 0) != \(right[$0] ?? 0)" }
}

/// FNV-1a, 64 bits: enough to see that bytes changed.
func fingerprint(_ bytes: [UInt8]) -> String {
  var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
  return String(hash, radix: 16)
}
