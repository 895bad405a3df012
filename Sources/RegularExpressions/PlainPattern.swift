// SPDX-License-Identifier: Apache-2.0

internal import CRE2
internal import Glibc

// Patterns that need no automaton: most matchers of dashboards are a word, a list of words, or a word with `.*` at its
// ends. Prometheus' FastRegexMatcher knows the same ones. Each is exact: whatever else a pattern holds, it is RE2's.

/// A pattern over the whole text, made of text, `|`, `.*` and `.+` alone, or such a one in parentheses.
struct PlainPattern: Sendable {
  private enum Form {
    case anything
    case anythingButEmpty
    case literal(ExactText)
    case alternatives(Set<ExactText>)
    case prefix(ExactText)
    case suffix(ExactText)
    case infix(ExactText)
  }

  private let form: Form
  /// 1 for a pattern in parentheses, as Grafana writes a variable with several values: its only group is the whole
  /// text. Else 0.
  let groupCount: Int

  /// Nil when the pattern is anything else.
  init?(_ pattern: String) {
    var bytes = Array(pattern.utf8)[...]
    let isGroup = bytes.count >= 2 && bytes.first == UInt8(ascii: "(") && bytes.last == UInt8(ascii: ")")
    if isGroup { bytes = bytes.dropFirst().dropLast() }
    guard let pieces = PlainPattern.pieces(bytes), let form = PlainPattern.form(pieces) else { return nil }
    self.form = form
    groupCount = isGroup ? 1 : 0
  }

  func matches(_ text: String) -> Bool {
    switch form {
    case .anything: true
    case .anythingButEmpty: !text.isEmpty
    case .literal(let literal): literal == ExactText(text)
    case .alternatives(let alternatives): alternatives.contains(ExactText(text))
    case .prefix(let prefix): prefix.begins(text)
    case .suffix(let suffix): suffix.ends(text)
    case .infix(let infix): infix.occurs(in: text)
    }
  }

  private enum Piece {
    case text([UInt8])
    case anything
    case anythingButEmpty
    case or
  }

  private static func pieces(_ pattern: ArraySlice<UInt8>) -> [Piece]? {
    var pieces: [Piece] = []
    var text: [UInt8] = []
    func endText() {
      if !text.isEmpty { pieces.append(.text(text)) }
      text = []
    }
    var rest = pattern
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "|"):
        endText()
        pieces.append(.or)
      case UInt8(ascii: "."):
        endText()
        switch rest.popFirst() {
        case UInt8(ascii: "*"): pieces.append(.anything)
        case UInt8(ascii: "+"): pieces.append(.anythingButEmpty)
        default: return nil
        }
      case UInt8(ascii: "\\"):
        guard let escaped = rest.popFirst(), isPunctuation(escaped) else { return nil }
        text.append(escaped)
      case _ where syntax.contains(byte): return nil
      default: text.append(byte)
      }
    }
    endText()
    return pieces
  }

  private static let syntax = Array("*+?()[]{}^$".utf8)

  // Behind a backslash it stands for itself; letters and digits have meanings of their own.
  private static func isPunctuation(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): false
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): false
    default: (0x21...0x7e).contains(byte)
    }
  }

  private static func form(_ pieces: [Piece]) -> Form? {
    switch pieces.count {
    case 0: return .literal(ExactText(""))
    case 1:
      switch pieces[0] {
      case .anything: return .anything
      case .anythingButEmpty: return .anythingButEmpty
      case .text(let bytes): return .literal(ExactText(bytes))
      case .or: break
      }
    case 2:
      if case .text(let bytes) = pieces[0], case .anything = pieces[1] { return .prefix(ExactText(bytes)) }
      if case .anything = pieces[0], case .text(let bytes) = pieces[1] { return .suffix(ExactText(bytes)) }
    case 3:
      if case .anything = pieces[0], case .text(let bytes) = pieces[1], case .anything = pieces[2] {
        return .infix(ExactText(bytes))
      }
    default: break
    }
    return alternatives(pieces).map { .alternatives($0) }
  }

  private static func alternatives(_ pieces: [Piece]) -> Set<ExactText>? {
    var alternatives: Set<ExactText> = []
    var last = ExactText("")
    for piece in pieces {
      switch piece {
      case .text(let bytes): last = ExactText(bytes)
      case .or:
        alternatives.insert(last)
        last = ExactText("")
      case .anything, .anythingButEmpty: return nil
      }
    }
    alternatives.insert(last)
    return alternatives
  }
}

/// A string that equals another byte by byte, as RE2 compares. Swift's strings are equal when they look the same: "K"
/// is also the Kelvin sign's.
private struct ExactText: Hashable, Sendable {
  private let text: String

  init(_ text: String) { self.text = text }
  // Pieces of a string between ASCII characters are UTF-8 as it is.
  init(_ bytes: [UInt8]) { text = String(decoding: bytes, as: UTF8.self) }

  static func == (left: ExactText, right: ExactText) -> Bool {
    left.text.utf8.count == right.text.utf8.count && left.begins(right.text)
  }

  func hash(into hasher: inout Hasher) {
    unsafe text.utf8.span.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
  }

  func begins(_ other: String) -> Bool {
    isEqual(to: other, from: 0)
  }

  func ends(_ other: String) -> Bool {
    isEqual(to: other, from: other.utf8.count - text.utf8.count)
  }

  private func isEqual(to other: String, from start: Int) -> Bool {
    let size = text.utf8.count
    guard size > 0 else { return true }
    guard start >= 0, other.utf8.count - start >= size else { return false }
    return unsafe text.utf8.span.withUnsafeBytes { own in
      unsafe other.utf8.span.withUnsafeBytes { other in
        unsafe memcmp(own.baseAddress!, other.baseAddress! + start, size) == 0
      }
    }
  }

  func occurs(in other: String) -> Bool {
    guard !text.utf8.isEmpty else { return true }
    guard !other.utf8.isEmpty else { return false }
    return unsafe text.utf8.span.withUnsafeBytes { own in
      unsafe other.utf8.span.withUnsafeBytes { other in
        unsafe cre2_contains(other.baseAddress!, other.count, own.baseAddress!, own.count) != 0
      }
    }
  }
}
