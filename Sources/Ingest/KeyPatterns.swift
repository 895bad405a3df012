// SPDX-License-Identifier: Apache-2.0

// From a cache key to the cache and the service it belongs to. Patterns are Redis-like with `*` for any run of bytes,
// colons included; nothing else is special.

/// One row of the table.
package struct KeyPattern: Sendable, Equatable {
  package let match: String
  package let cache: String?
  package let service: String?

  /// - Parameter match: not empty; `*` stands for any run of bytes.
  package init(match: String, cache: String?, service: String?) {
    self.match = match
    self.cache = cache
    self.service = service
  }
}

/// Key patterns in the order they are tried: configured before bundled, within each the one with more bytes that are
/// not `*` first, then the one given first.
package struct KeyPatterns: Sendable {
  /// Configured patterns beyond this many are refused by the configuration.
  package static let configuredMax = 10_000

  package static let bundled: [KeyPattern] = [
    KeyPattern(match: "match:org:*:results", cache: "match_results", service: "connect"),
    KeyPattern(match: "org:profile:*", cache: "org_profile", service: "connect"),
    KeyPattern(match: "programs:active:list", cache: "programs", service: "connect"),
    KeyPattern(match: "ai:explanation:*", cache: "ai_explanation", service: "connect"),
    KeyPattern(match: "user:*:orgs", cache: "user_orgs", service: "organization"),
    KeyPattern(match: "org:*:member:*", cache: "org_member", service: "organization"),
    KeyPattern(match: "org:slug:*", cache: "org_slug", service: "organization"),
    KeyPattern(match: "org:*:subscription", cache: "org_subscription", service: "organization"),
    KeyPattern(match: "session:data:*", cache: "session_data", service: "organization"),
    KeyPattern(match: "user:id:*", cache: "user", service: "auth"),
    KeyPattern(match: "user:email:*", cache: "user", service: "auth"),
    KeyPattern(match: "session:token:*", cache: "session", service: "auth"),
    KeyPattern(match: "session:user:*", cache: "session", service: "auth"),
    KeyPattern(match: "oauth:*", cache: "oauth", service: "auth"),
    KeyPattern(match: "profile:user:*", cache: "profile_user", service: "auth"),
    KeyPattern(match: "user:*", cache: "web_user", service: "web"),
    KeyPattern(match: "sub:*", cache: "subscription", service: "web"),
    KeyPattern(match: "dash:*", cache: "dashboard", service: "web"),
    KeyPattern(match: "blog:*", cache: "blog", service: "web"),
    KeyPattern(match: "profile:*", cache: "profile", service: "profile"),
  ]

  /// In the order they are tried.
  package let patterns: [KeyPattern]
  private let texts: [[UInt8]]
  /// For each first byte of a key the patterns that may match it, in order.
  private let candidates: [[Int]]

  /// - Parameters:
  ///   - configured: tried before the bundled ones.
  ///   - service: leaves out the patterns of other services, where two systems share a Redis.
  package init(configured: [KeyPattern] = [], service: String? = nil) {
    let all = KeyPatterns.ordered(configured) + KeyPatterns.ordered(KeyPatterns.bundled)
    let patterns = all.filter { service == nil || $0.service == nil || $0.service == service }
    let texts = patterns.map { Array($0.match.utf8) }
    self.patterns = patterns
    self.texts = texts
    candidates = (0..<256).map { byte in
      texts.indices.filter { texts[$0].first == UInt8(ascii: "*") || texts[$0].first == UInt8(byte) }
    }
  }

  /// The cache and service of the first pattern that matches, nil for none.
  package func match(_ key: String) -> KeyPattern? {
    let bytes = Array(key.utf8)
    return index(bytes.span, 0, bytes.count).map { patterns[$0] }
  }

  /// The index into `patterns` of the first one that matches the key at `start..<end`.
  func index(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
    guard start < end else { return nil }
    let indices = candidates[Int(bytes[start])]
    for index in indices where KeyPatterns.matches(texts[index], bytes, start, end) { return index }
    return nil
  }

  private static func ordered(_ patterns: [KeyPattern]) -> [KeyPattern] {
    // The standard library's sort is stable.
    patterns.sorted { specificity($0) > specificity($1) }
  }

  private static func specificity(_ pattern: KeyPattern) -> Int {
    pattern.match.utf8.count { $0 != UInt8(ascii: "*") }
  }

  /// Greedy matching that returns to the last `*` only, so at worst pattern times key.
  private static func matches(_ pattern: [UInt8], _ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    var index = start
    var place = 0
    var star = -1
    var resume = 0
    while index < end {
      if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
        star = place
        resume = index
        place += 1
        if place == pattern.count { return true }
      } else if place < pattern.count, pattern[place] == bytes[index] {
        place += 1
        index += 1
      } else if star >= 0 {
        resume += 1
        index = resume
        place = star + 1
      } else {
        return false
      }
    }
    while place < pattern.count, pattern[place] == UInt8(ascii: "*") { place += 1 }
    return place == pattern.count
  }
}
