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

  // RE2's own default.
  private static let memoryBytesMax: Int64 = 8 << 20
  // Templates search short texts; a program of 20,000 instructions fits, and is compiled in some milliseconds.
  private static let searchMemoryBytesMax: Int64 = 512 << 10

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
      let options = CompiledExpression.Options(dotMatchesLineFeed: true, memoryBytesMax: Self.memoryBytesMax)
      matching = .compiled(try CompiledExpression(pattern, isAnchored: anchored, options))
    }
  }

  /// A pattern as Go's package regexp reads it: it matches any part of the text, and a dot matches no line feed.
  ///
  /// - Throws: as the other, at a smaller size of the program.
  package init(searching pattern: String) throws(RegularExpressionError) {
    guard pattern.utf8.count <= Self.patternBytesMax else { throw RegularExpressionError(.tooLarge, pattern) }
    self.pattern = pattern
    let options = CompiledExpression.Options(dotMatchesLineFeed: false, memoryBytesMax: Self.searchMemoryBytesMax)
    matching = .compiled(try CompiledExpression(pattern, isAnchored: false, options))
  }

  /// Instructions of the compiled pattern, each of which a search may have to look at for each byte; 0 for a plain one.
  package var programSize: Int {
    switch matching {
    case .plain: 0
    case .compiled(let compiled): compiled.programSize
    }
  }

  /// Whether an anchored pattern is compared as text, without a compiled program and its memory.
  package static func isPlain(_ pattern: String) -> Bool { PlainPattern(pattern) != nil }

  /// Native strings are not copied.
  package func matches(_ text: String) -> Bool {
    switch matching {
    case .plain(let plain): plain.matches(text)
    case .compiled(let compiled): compiled.matches(text)
    }
  }

  /// Of UTF-8. Not for anchored patterns.
  package func matches(_ text: Span<UInt8>) -> Bool {
    switch matching {
    case .plain: preconditionFailure("anchored patterns are matched against a String")
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
    guard let groups = groups(in: text, from: 0) else { return nil }
    var result = ""
    expand(ExpansionTemplate(template), groups, text, into: &result, bytesMax: .max)
    return result
  }

  // Stops behind the part that makes it larger than the bound.
  private func expand(
    _ template: ExpansionTemplate, _ groups: [Range<Int>?], _ text: String, into result: inout String, bytesMax: Int
  ) {
    for part in template.parts where result.utf8.count <= bytesMax {
      switch part {
      case .text(let part): result += part
      case .numbered(let index): result += slice(groups, index, text)
      case .named(let name): if let index = groupIndex(String(name)) { result += slice(groups, index, text) }
      }
    }
  }

  /// The text with each match replaced by the template, as by Go's ReplaceAllString: matches do not overlap, and behind
  /// a match no empty one is replaced. Not for anchored patterns.
  ///
  /// - Parameter bytesMax: of the result.
  /// - Parameter searchedBytesLeft: bytes that may be searched; each match costs the whole rest of the text, which is
  ///   what the worst of patterns look at. What was needed is taken off.
  /// - Returns: nil when either bound is passed.
  package func replacingAll(
    in text: String, with template: String, bytesMax: Int, searchedBytesLeft: inout Int
  ) -> String? {
    let template = ExpansionTemplate(template)
    let utf8 = text.utf8
    let count = utf8.count
    var result = ""
    var copiedEnd = 0
    var start = 0
    while start <= count {
      searchedBytesLeft -= count - start + 1
      guard searchedBytesLeft >= 0 else { return nil }
      guard let groups = groups(in: text, from: start), let match = groups[0] else { break }
      result += slice([copiedEnd..<match.lowerBound], 0, text)
      if match.upperBound > copiedEnd || match.lowerBound == 0 {
        expand(template, groups, text, into: &result, bytesMax: bytesMax)
      }
      guard result.utf8.count <= bytesMax else { return nil }
      copiedEnd = match.upperBound
      // At least a character on, or an empty match would be found again.
      start = max(match.upperBound, start + 1)
      while start < count, utf8[utf8.index(utf8.startIndex, offsetBy: start)] & 0xC0 == 0x80 { start += 1 }
    }
    result += slice([copiedEnd..<count], 0, text)
    return result.utf8.count <= bytesMax ? result : nil
  }

  private func groups(in text: String, from start: Int) -> [Range<Int>?]? {
    switch matching {
    case .compiled(let compiled): compiled.groups(in: text, from: start)
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
