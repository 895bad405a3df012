// SPDX-License-Identifier: Apache-2.0

// Regular expressions as PromQL means them, by RE2: time is linear in the text whatever the pattern. The dialect is
// https://github.com/google/re2/wiki/Syntax. Debian's RE2 of 2022 differs from Go's: it knows `(?P<name>…)` but
// not `(?<name>…)`, refuses a name given twice, and knows `\C`.

/// A compiled pattern. A dot matches a line feed, as in Prometheus 3. For any number of threads at once.
package final class RegularExpression: Sendable {
  /// Most bytes of a pattern: a dashboard's variable with a thousand values of 64 bytes.
  package static let patternBytesMax = 64 << 10

  private enum Matching {
    case plain(PlainPattern)
    case compiled(CompiledExpression)
  }

  package let pattern: String
  private let matching: Matching

  /// - Parameter anchored: the pattern is to match the whole text, as in label matchers and label_replace(). Else any
  ///   part of it.
  /// - Throws: when RE2 refuses the pattern, when it is larger than `patternBytesMax` or needs too much memory.
  package init(_ pattern: String, anchored: Bool) throws(RegularExpressionError) {
    guard pattern.utf8.count <= Self.patternBytesMax else { throw RegularExpressionError(.tooLarge, pattern) }
    self.pattern = pattern
    if anchored, let plain = PlainPattern(pattern) {
      matching = .plain(plain)
    } else {
      // Not wrapped in `^(?s:…)$`: RE2 anchors by itself, and errors then quote what the user wrote.
      matching = .compiled(try CompiledExpression(pattern, isAnchored: anchored))
    }
  }

  /// Whether comparing strings decides an anchored pattern (`a|b`, `a.*`), so that nothing is compiled for it.
  package static func isPlain(_ pattern: String) -> Bool { PlainPattern(pattern) != nil }

  /// Native strings are not copied.
  package func matches(_ text: String) -> Bool {
    switch matching {
    case .plain(let plain): plain.matches(text)
    case .compiled(let compiled): compiled.matches(text)
    }
  }

  /// The template with `$1`, `${1}`, `$name` and `${name}` replaced by what these groups matched, exactly as Go's
  /// regexp.Expand: `$$` is a dollar, a group that does not exist or took no part is empty, `$1x` is the group "1x".
  /// Unanchored, groups are those of the first match.
  ///
  /// - Parameter template: the result has at most half as many bytes as the template times those of the text. The
  ///   caller bounds both.
  /// - Returns: nil when the text does not match.
  package func expanding(_ template: String, in text: String) -> String? {
    guard let groups = groups(in: text) else { return nil }
    var result = ""
    for part in ExpansionTemplate(template).parts {
      switch part {
      case .text(let part): result += part
      case .numbered(let index): result += slice(groups, index, text)
      case .named(let name): if let index = groupIndex(String(name)) { result += slice(groups, index, text) }
      }
    }
    return result
  }

  private func groups(in text: String) -> [Range<Int>?]? {
    switch matching {
    case .compiled(let compiled): compiled.groups(in: text)
    case .plain(let plain):
      plain.matches(text) ? Array(repeating: 0..<text.utf8.count, count: 1 + plain.groupCount) : nil
    }
  }

  private func groupIndex(_ name: String) -> Int? {
    switch matching {
    case .plain: nil
    case .compiled(let compiled): compiled.groupIndex(name)
    }
  }

  private func slice(_ groups: [Range<Int>?], _ index: Int, _ text: String) -> Substring {
    guard index < groups.count, let range = groups[index] else { return "" }
    let start = text.utf8.index(text.startIndex, offsetBy: range.lowerBound)
    return text[start..<text.utf8.index(start, offsetBy: range.count)]
  }
}
