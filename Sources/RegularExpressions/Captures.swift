// SPDX-License-Identifier: Apache-2.0

// What the groups of a match took, and templates over them as `label_replace` has them (Go: regexp.Regexp.Expand).

/// The groups of one match.
package struct Captures: Sendable {
  private let text: [UInt8]
  /// The whole match, then the groups.
  private let ranges: [Range<Int>?]
  /// From group 1.
  private let names: [String?]

  init(text: [UInt8], ranges: [Range<Int>?], names: [String?]) {
    self.text = text
    self.ranges = ranges
    self.names = names
  }

  /// The text of a group, 0 for the whole match; nil for one that took no part or does not exist.
  package subscript(_ group: Int) -> String? {
    guard ranges.indices.contains(group), let range = ranges[group] else { return nil }
    return String(decoding: text[range], as: UTF8.self)
  }

  /// The text of the first group of that name that took part.
  package subscript(_ name: String) -> String? {
    for (group, groupName) in names.enumerated() where groupName == name {
      if let text = self[group + 1] { return text }
    }
    return nil
  }

  /// The template with `$1`, `${1}`, `$name` and `${name}` replaced by groups and `$$` by a dollar sign.
  ///
  /// As in Go a name is as long as it can be (`$1x` is `${1x}`), a group that does not exist is empty, and a dollar
  /// sign that begins nothing stands for itself.
  package func expanding(_ template: String) -> String {
    var expansion = ""
    var rest = template.unicodeScalars[...]
    while let dollar = rest.firstIndex(of: "$") {
      expansion.unicodeScalars += rest[..<dollar]
      rest = rest[dollar...].dropFirst()
      if rest.first == "$" {
        expansion += "$"
        rest = rest.dropFirst()
      } else if let name = Self.takeName(&rest) {
        expansion += group(name) ?? ""
      } else {
        expansion += "$"
      }
    }
    expansion.unicodeScalars += rest
    return expansion
  }

  /// Takes `name` or `{name}` from the front; nil, and nothing taken, where there is none.
  private static func takeName(_ rest: inout Substring.UnicodeScalarView) -> String? {
    let isBraced = rest.first == "{"
    let start = isBraced ? rest.dropFirst() : rest
    let name = start.prefix { $0 == "_" || $0.properties.isAlphabetic || $0.properties.generalCategory == .decimalNumber }
    guard !name.isEmpty else { return nil }
    var after = start[name.endIndex...]
    if isBraced {
      guard after.first == "}" else { return nil }
      after = after.dropFirst()
    }
    rest = after
    return String(name)
  }

  private func group(_ name: String) -> String? {
    // A number with a leading zero is a name, as in Go.
    if name.utf8.allSatisfy({ $0 &- 0x30 < 10 }), name == "0" || name.utf8.first != UInt8(ascii: "0") {
      return Int(name).flatMap { self[$0] }
    }
    return self[name]
  }
}
