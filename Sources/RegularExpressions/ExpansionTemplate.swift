// SPDX-License-Identifier: Apache-2.0

// Templates as Go's regexp.Expand reads them, which is what label_replace() promises.
// https://pkg.go.dev/regexp#Regexp.Expand

/// Text with references to groups: `$1`, `${1}`, `$name`, `${name}`. `$$` is a dollar, as is one that begins nothing.
struct ExpansionTemplate {
  enum Part {
    case text(Substring)
    case numbered(Int)
    case named(Substring)
  }

  private(set) var parts: [Part] = []

  init(_ template: String) {
    // By scalars: a combining accent behind a dollar would make one Character of both.
    var rest = template.unicodeScalars[...]
    while let dollar = rest.firstIndex(of: "$") {
      parts.append(.text(Substring(rest[..<dollar])))
      rest = rest[dollar...].dropFirst()
      if rest.first == "$" {
        rest.removeFirst()
        parts.append(.text("$"))
      } else {
        parts.append(Self.reference(&rest) ?? .text("$"))
      }
    }
    parts.append(.text(Substring(rest)))
  }

  // What follows a dollar; `rest` then begins behind it. Nil, and `rest` as it was, when that is no reference.
  private static func reference(_ rest: inout Substring.UnicodeScalarView) -> Part? {
    var body = rest
    let isBraced = body.first == "{"
    if isBraced { body.removeFirst() }
    // The longest name: "$1x" is the group "1x".
    let name = body.prefix(while: isNameScalar)
    guard !name.isEmpty else { return nil }
    body = body[name.endIndex...]
    if isBraced, body.popFirst() != "}" { return nil }
    rest = body
    return number(name).map { .numbered($0) } ?? .named(Substring(name))
  }

  private static func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber: true
    default: scalar == "_"
    }
  }

  // Go: decimal digits without leading zeros, at most nine of them. Anything else is a name.
  private static func number(_ name: Substring.UnicodeScalarView) -> Int? {
    guard name.count <= 9, name.count == 1 || name.first != "0" else { return nil }
    guard name.allSatisfy({ ("0"..."9").contains($0) }) else { return nil }
    return Int(Substring(name))
  }
}
