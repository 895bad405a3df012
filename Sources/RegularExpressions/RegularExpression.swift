// SPDX-License-Identifier: Apache-2.0

// Regular expressions as Prometheus 3 has them: RE2's syntax, and `.` matches a line feed.

/// A compiled regular expression. Matching is linear in the text, and any number of threads may match at once.
package final class RegularExpression: Sendable {
  /// Longest pattern in UTF-8; lists of words may be longer, up to what RE2 has memory for.
  ///
  /// RE2 unrolls repetitions before it looks at its bound of memory: 64 KiB of `[a-z]{900}` take it a second.
  package static let patternBytesMax = 64 << 10

  private let compiled: CompiledExpression
  private let isAnchored: Bool
  private let shape: LiteralShape?
  private let groupNames: [String?]

  /// - Parameters:
  ///   - pattern: in RE2's syntax.
  ///   - isAnchored: whether all of a text has to match, as in a label matcher.
  package init(_ pattern: String, anchored isAnchored: Bool) throws(RegularExpressionError) {
    shape = isAnchored ? LiteralShape(pattern) : nil
    guard shape != nil || pattern.utf8.count <= Self.patternBytesMax else {
      throw RegularExpressionError(.tooLarge, part: "\(pattern.prefix(40))…")
    }
    compiled = try CompiledExpression(pattern)
    self.isAnchored = isAnchored
    groupNames = compiled.groupNames
  }

  /// Whether the text matches: all of it if anchored, else some part.
  package func matches(_ text: String) -> Bool {
    if let shape { return shape.matches(text) }
    return compiled.matches(text, isAnchored: isAnchored)
  }

  /// What the groups of the first match took; nil without a match.
  package func captures(in text: String) -> Captures? {
    guard let ranges = compiled.groupRanges(in: text, isAnchored: isAnchored) else { return nil }
    return Captures(text: Array(text.utf8), ranges: ranges, names: groupNames)
  }
}
