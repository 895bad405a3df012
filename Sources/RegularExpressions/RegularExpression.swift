// SPDX-License-Identifier: Apache-2.0

// Regular expressions as Prometheus 3 has them: RE2's syntax, and `.` matches a line feed.

/// A regular expression. Matching is linear in the text, and any number of threads may match at once.
package final class RegularExpression: Sendable {
  /// Longest pattern in UTF-8; one that is plain may be of any length.
  ///
  /// RE2 unrolls repetitions before it looks at its bound of memory: 64 KiB of `[a-z]{900}` take it half a second.
  package static let patternBytesMax = 64 << 10

  private enum Means {
    case comparison(LiteralShape)
    case compiled(CompiledExpression, groupNames: [String?])
  }

  private let means: Means
  private let isAnchored: Bool

  /// - Parameters:
  ///   - pattern: in RE2's syntax.
  ///   - isAnchored: whether all of a text has to match, as in a label matcher.
  package init(_ pattern: String, anchored isAnchored: Bool) throws(RegularExpressionError) {
    self.isAnchored = isAnchored
    if isAnchored, let shape = LiteralShape(pattern) {
      means = .comparison(shape)
      return
    }
    guard pattern.utf8.count <= Self.patternBytesMax else {
      throw RegularExpressionError(.tooLarge, part: "\(pattern.prefix(40))…")
    }
    let compiled = try CompiledExpression(pattern)
    means = .compiled(compiled, groupNames: compiled.groupNames)
  }

  /// Whether an anchored pattern is a list of words (`a|b`) or a beginning (`a.*`), for which nothing is compiled.
  package static func isPlain(_ pattern: String) -> Bool { LiteralShape(pattern) != nil }

  /// Whether the text matches: all of it if anchored, else some part.
  package func matches(_ text: String) -> Bool {
    switch means {
    case .comparison(let shape): shape.matches(text)
    case .compiled(let compiled, _): compiled.matches(text, isAnchored: isAnchored)
    }
  }

  /// What the groups of the first match took; nil without a match.
  package func captures(in text: String) -> Captures? {
    switch means {
    case .comparison(let shape):
      guard shape.matches(text) else { return nil }
      let bytes = Array(text.utf8)
      let whole: [Range<Int>?] = [0..<bytes.count]
      return Captures(text: bytes, ranges: shape.isGroup ? whole + whole : whole, names: shape.isGroup ? [nil] : [])
    case .compiled(let compiled, let groupNames):
      guard let ranges = compiled.groupRanges(in: text, isAnchored: isAnchored) else { return nil }
      return Captures(text: Array(text.utf8), ranges: ranges, names: groupNames)
    }
  }
}
