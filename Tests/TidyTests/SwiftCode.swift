// SPDX-License-Identifier: Apache-2.0

// Swift source with its comments and string literals blanked, line by line as it was, so that a word found in it is
// code. It knows nested comments, raw and multi-line strings, and interpolations, whose content is code again. It knows
// no regex literals, which the project does not use.

/// Blanks what is no code in one file.
struct SwiftCode {
  private enum Region {
    /// Depth of parentheses, for code inside an interpolation; the file itself never ends at one.
    case code(parentheses: Int)
    case lineComment
    case blockComment(depth: Int)
    case string(pounds: Int, quotes: Int)
  }

  private let bytes: [UInt8]
  private var position = 0
  private var result: [UInt8] = []
  private var regions: [Region] = [.code(parentheses: 0)]

  static func only(in text: String) -> String {
    var code = SwiftCode(bytes: Array(text.utf8))
    return code.blanked()
  }

  private init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  private mutating func blanked() -> String {
    while position < bytes.count, let region = regions.last {
      switch region {
      case .code(let parentheses): readCode(parentheses)
      case .lineComment: bytes[position] == UInt8(ascii: "\n") ? end() : skip(1)
      case .blockComment(let depth): readBlockComment(depth)
      case .string(let pounds, let quotes): readString(pounds, quotes)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  private mutating func readCode(_ parentheses: Int) {
    if starts(with: "//") { return begin(.lineComment, 2) }
    if starts(with: "/*") { return begin(.blockComment(depth: 1), 2) }
    let pounds = bytes[position...].prefix { $0 == UInt8(ascii: "#") }.count
    let quotes = bytes[(position + pounds)...].prefix { $0 == UInt8(ascii: "\"") }.count
    if quotes > 0 { return begin(.string(pounds: pounds, quotes: quotes >= 3 ? 3 : 1), pounds + (quotes >= 3 ? 3 : 1)) }
    switch bytes[position] {
    case UInt8(ascii: "("): regions[regions.count - 1] = .code(parentheses: parentheses + 1)
    case UInt8(ascii: ")") where regions.count > 1 && parentheses == 0:
      return end(1)
    case UInt8(ascii: ")"): regions[regions.count - 1] = .code(parentheses: parentheses - 1)
    default: break
    }
    result.append(bytes[position])
    position += 1
  }

  private mutating func readBlockComment(_ depth: Int) {
    if starts(with: "*/") {
      regions[regions.count - 1] = .blockComment(depth: depth - 1)
      return depth == 1 ? end(2) : skip(2)
    }
    if starts(with: "/*") {
      regions[regions.count - 1] = .blockComment(depth: depth + 1)
      return skip(2)
    }
    skip(1)
  }

  private mutating func readString(_ pounds: Int, _ quotes: Int) {
    let escape = "\\" + String(repeating: "#", count: pounds)
    if starts(with: escape + "(") { return begin(.code(parentheses: 0), escape.utf8.count + 1) }
    if starts(with: escape) { return skip(escape.utf8.count + 1) }
    let delimiter = String(repeating: "\"", count: quotes) + String(repeating: "#", count: pounds)
    starts(with: delimiter) ? end(delimiter.utf8.count) : skip(1)
  }

  private func starts(with text: String) -> Bool { bytes[position...].starts(with: text.utf8) }

  private mutating func begin(_ region: Region, _ count: Int) {
    skip(count)
    regions.append(region)
  }

  private mutating func end(_ count: Int = 0) {
    skip(count)
    regions.removeLast()
  }

  /// Keeps line ends, so that line numbers stay right.
  private mutating func skip(_ count: Int) {
    for _ in 0..<count where position < bytes.count {
      result.append(bytes[position] == UInt8(ascii: "\n") ? UInt8(ascii: "\n") : UInt8(ascii: " "))
      position += 1
    }
  }
}
