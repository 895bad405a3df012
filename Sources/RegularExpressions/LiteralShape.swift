// SPDX-License-Identifier: Apache-2.0

// Most expressions in matchers are no more than lists of words (`a|b|c`, what a dashboard writes for a choice) or a
// beginning (`api_.*`). Comparing bytes answers those without RE2. Prometheus does the same (model/labels/regexp.go).

/// An anchored expression that comparing strings decides.
struct LiteralShape: Equatable {
  enum Kind: Equatable {
    /// `.*`
    case everything
    /// `.+`
    case nonEmpty
    case literal(String)
    /// `a|b|c`. ASCII alone, so that no two of them are equal as Swift's strings and different as bytes.
    case oneOf(Set<String>)
    /// `abc.*`, or `abc.+` where something must follow.
    case prefix(String, andMore: Bool)
  }

  let kind: Kind
  /// Whether there is one group, around everything.
  let isGroup: Bool

  /// Nil where it takes RE2 to say what matches.
  init?(_ pattern: String) {
    let inner = Self.insideParentheses(pattern)
    isGroup = inner.utf8.count < pattern.utf8.count
    guard let kind = Self.kind(inner) else { return nil }
    self.kind = kind
  }

  private static func kind(_ pattern: Substring) -> Kind? {
    if pattern == ".*" { return .everything }
    if pattern == ".+" { return .nonEmpty }
    let words = pattern.split(separator: "|", omittingEmptySubsequences: false)
    if words.count > 1 { return literals(words).map { .oneOf($0) } }
    if let literal = literal(pattern) { return .literal(literal) }
    guard pattern.hasSuffix(".*") || pattern.hasSuffix(".+") else { return nil }
    return literal(pattern.dropLast(2)).map { .prefix($0, andMore: pattern.hasSuffix("+")) }
  }

  func matches(_ text: String) -> Bool {
    switch kind {
    case .everything: true
    case .nonEmpty: !text.isEmpty
    case .literal(let literal): Self.isSame(text, literal)
    case .oneOf(let literals): literals.firstIndex(of: text).map { Self.isSame(literals[$0], text) } ?? false
    case .prefix(let prefix, let andMore):
      text.utf8.starts(with: prefix.utf8) && (!andMore || text.utf8.count > prefix.utf8.count)
    }
  }

  // Strings that look alike are equal in Swift ("é" in one scalar or two), labels are not.
  private static func isSame(_ left: String, _ right: String) -> Bool {
    left == right && left.utf8.elementsEqual(right.utf8)
  }

  private static func literals(_ words: [Substring]) -> Set<String>? {
    var literals: Set<String> = []
    for word in words {
      guard let literal = literal(word), literal.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
      literals.insert(literal)
    }
    return literals
  }

  /// What is in the parentheses when there is one pair and it encloses everything.
  private static func insideParentheses(_ pattern: String) -> Substring {
    guard pattern.utf8.first == UInt8(ascii: "("), pattern.utf8.last == UInt8(ascii: ")") else { return pattern[...] }
    // A backslash before the last parenthesis leaves one at the end, which no literal has.
    return pattern.dropFirst().dropLast()
  }

  /// The text that a pattern without operators stands for.
  private static func literal(_ pattern: Substring) -> String? {
    var text: [UInt8] = []
    var isEscaped = false
    for byte in pattern.utf8 {
      if isEscaped {
        // Escaped letters and digits have a meaning of their own; escaped non-ASCII is an error.
        guard byte < 0x80, !isWord(byte) else { return nil }
        text.append(byte)
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else {
        guard !operators.contains(byte) else { return nil }
        text.append(byte)
      }
    }
    return isEscaped ? nil : String(decoding: text, as: UTF8.self)
  }

  private static let operators = Array("\\.+*?()|[]{}^$".utf8)

  private static func isWord(_ byte: UInt8) -> Bool {
    byte | 0x20 &- 0x61 < 26 || byte &- 0x30 < 10 || byte == UInt8(ascii: "_")
  }
}
