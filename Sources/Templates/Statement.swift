// SPDX-License-Identifier: Apache-2.0

// The large nodes of a template's tree: texts and actions.

indirect enum Statement: Sendable {
  case text([UInt8], Int)
  /// Prints its result, unless it sets a variable.
  case action(Pipeline, Int)
  case `if`(Branches)
  case with(Branches)
  case range(Branches)
  case template([UInt8], Pipeline?, Int)
  case `break`, `continue`
}

/// What a condition or a list decides between.
struct Branches: Sendable {
  let pipeline: Pipeline
  let body: [Statement]
  let otherwise: [Statement]?
}

/// The bodies by their names: the template itself, and what `define` and `block` add.
struct TemplateTrees: Sendable {
  /// The whole text, which places count in.
  let text: [UInt8]
  let name: [UInt8]
  var bodies: [[UInt8]: [Statement]] = [:]

  /// Line and column of a place as messages show them: the column counts bytes from 0.
  func location(_ position: Int) -> String {
    let before = text[..<min(position, text.count)]
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return "\(before.count { $0 == UInt8(ascii: "\n") } + 1):\(before.count - lineStart)"
  }
}

extension Statement {
  /// In the text; a structure is where its pipeline is.
  var position: Int {
    switch self {
    case .text(_, let position), .action(_, let position), .template(_, _, let position): position
    case .if(let branches), .with(let branches), .range(let branches): branches.pipeline.position
    case .break, .continue: 0
    }
  }

  /// Whether it is a text of spaces. A body of these alone defines nothing that another definition would contradict.
  var isBlank: Bool {
    guard case .text(let text, _) = self else { return false }
    return String(decoding: text, as: UTF8.self).allSatisfy(\.isWhitespace)
  }
}

extension Statement: CustomStringConvertible {
  var description: String {
    switch self {
    case .text(let text, _): String(decoding: text, as: UTF8.self)
    case .action(let pipeline, _): "{{\(pipeline)}}"
    case .if(let branches): branches.description("if")
    case .with(let branches): branches.description("with")
    case .range(let branches): branches.description("range")
    case .template(let name, let pipeline, _):
      "{{template \(Quoting.quoted(name))\(pipeline.map { " \($0)" } ?? "")}}"
    case .break: "{{break}}"
    case .continue: "{{continue}}"
    }
  }
}

extension Branches {
  fileprivate func description(_ word: String) -> String {
    let rest = otherwise.map { "{{else}}" + $0.map(\.description).joined() } ?? ""
    return "{{\(word) \(pipeline)}}\(body.map(\.description).joined())\(rest){{end}}"
  }
}
