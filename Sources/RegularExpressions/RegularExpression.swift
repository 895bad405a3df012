// SPDX-License-Identifier: Apache-2.0

// Regular expressions as Prometheus 3 has them: RE2's syntax, and `.` matches a line feed.

/// A compiled regular expression. Matching is linear in the text, and any number of threads may match at once.
package final class RegularExpression: Sendable {
  private let compiled: CompiledExpression
  private let isAnchored: Bool
  private let shape: LiteralShape?
  private let groupNames: [String?]

  /// - Parameters:
  ///   - pattern: in RE2's syntax.
  ///   - isAnchored: whether all of a text has to match, as in a label matcher.
  package init(_ pattern: String, anchored isAnchored: Bool) throws(RegularExpressionError) {
    compiled = try CompiledExpression(pattern)
    self.isAnchored = isAnchored
    shape = isAnchored ? LiteralShape(pattern) : nil
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
