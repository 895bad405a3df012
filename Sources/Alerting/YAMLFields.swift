// SPDX-License-Identifier: Apache-2.0

internal import PromQL
internal import Yams

// Strict reading of YAML mappings into values, as Go's yaml.v3 reads them with `KnownFields(true)`: every scalar is a text
// where a text is asked for, null is the same as nothing, an unknown field is an error.

/// What is wrong with a file, and where.
package struct YAMLFault: Error, Sendable, Equatable, CustomStringConvertible {
  /// From 1; nil where the fault has no place of its own.
  package let line: Int?
  package let column: Int?
  package let message: String

  init(_ message: String, at mark: Mark?) {
    self.init(message, line: mark?.line, column: mark?.column)
  }

  init(_ message: String, line: Int?, column: Int?) {
    self.line = line
    self.column = column
    self.message = message
  }

  /// `7:3: field alerts not found in rule`
  package var description: String {
    guard let line, let column else { return message }
    return "\(line):\(column): \(message)"
  }
}

/// The first document of a file.
enum YAMLDocument {
  /// - Returns: nil for a file without content.
  static func first(of text: String) throws(YAMLFault) -> Node? {
    do {
      // Without rules for tags, which are 1.5 MB of regular expressions; what a scalar is, its reader knows.
      let parser = try Yams.Parser(yaml: text, resolver: .basic)
      guard let root = try parser.nextRoot(), !root.isNothing else { return nil }
      return root
    } catch let error as YamlError {
      throw fault(error)
    } catch {
      throw YAMLFault("not YAML: \(error)", at: nil)
    }
  }

  /// From 1.
  static func firstLineThatIsNotUTF8(_ bytes: [UInt8]) -> Int {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return (lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0) + 1
  }

  private static func fault(_ error: YamlError) -> YAMLFault {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
      YAMLFault("not YAML: \(problem)", at: mark)
    case .duplicatedKeysInMapping(let keys, _): YAMLFault("given twice: \(keys.map { "\($0)" }.joined(separator: ", "))", at: nil)
    case .reader(let problem, _, _, _): YAMLFault("not YAML: \(problem)", at: nil)
    default: YAMLFault("not YAML: \(error)", at: nil)
    }
  }
}

/// How many mappings of a document may be merged into others: those of those count again, so that ten lines can ask for
/// billions. Go's yaml.v3 refuses such a document for its "excessive aliasing".
final class YAMLMerges {
  private static let mergesMax = 10_000
  private var left = mergesMax

  func take(at mark: Mark?) throws(YAMLFault) {
    left -= 1
    guard left >= 0 else { throw YAMLFault("more than \(Self.mergesMax) mappings are merged (<<) in this document", at: mark) }
  }
}

/// A mapping whose fields are known.
struct YAMLFields {
  /// What it is, for errors.
  let kind: String
  let mark: Mark?
  private var fields: [String: Node] = [:]

  /// - Parameters:
  ///   - names: of all fields there are.
  ///   - ignoresUnknown: leaves out other fields instead of refusing them.
  ///   - merges: of the document.
  init(
    _ node: Node, _ kind: String, _ names: Set<String>, ignoresUnknown: Bool = false, _ merges: YAMLMerges
  ) throws(YAMLFault) {
    self.kind = kind
    mark = node.mark
    guard !node.isNothing else { return }
    guard let mapping = node.mapping else { throw YAMLFault("\(kind) must be a mapping", at: node.mark) }
    try add(mapping, names, ignoresUnknown: ignoresUnknown, merges)
  }

  private mutating func add(
    _ mapping: Node.Mapping, _ names: Set<String>, ignoresUnknown: Bool, _ merges: YAMLMerges
  ) throws(YAMLFault) {
    for (key, value) in mapping {
      let name = key.scalar?.string ?? ""
      if name == "<<" {
        // Fields of the mapping itself win, so those merged in come last.
        continue
      }
      guard names.contains(name) else {
        if ignoresUnknown { continue }
        throw YAMLFault("field \(name) not found in \(kind)", at: key.mark)
      }
      guard fields[name] == nil else { throw YAMLFault("field \(name) is given twice in \(kind)", at: key.mark) }
      fields[name] = value
    }
    guard let merged = mapping["<<"] else { return }
    for node in merged.sequence.map(Array.init) ?? [merged] {
      try merges.take(at: node.mark)
      let other = try YAMLFields(node, kind, names, ignoresUnknown: ignoresUnknown, merges)
      fields.merge(other.fields) { own, _ in own }
    }
  }

  /// The place of a field, or of the mapping where there is no such field.
  func mark(of name: String) -> Mark? { fields[name]?.mark ?? mark }

  func has(_ name: String) -> Bool { fields[name] != nil }

  /// Empty where there is none.
  func text(_ name: String) throws(YAMLFault) -> String {
    try fields[name].map { (node) throws(YAMLFault) in try YAMLFields.text(node, name) } ?? ""
  }

  /// Nil where there is none.
  func durationMs(_ name: String) throws(YAMLFault) -> Int64? {
    guard let node = fields[name], !node.isNothing else { return nil }
    let text = try YAMLFields.text(node, name)
    do throws(DurationText.Fault) {
      return try DurationText.ms(text)
    } catch {
      throw YAMLFault(error.message, at: node.mark)
    }
  }

  /// 0 where there is none.
  func integer(_ name: String) throws(YAMLFault) -> Int {
    guard let node = fields[name], !node.isNothing else { return 0 }
    guard let value = node.int else { throw YAMLFault("\(name) must be a whole number", at: node.mark) }
    return value
  }

  /// False where there is none.
  func bool(_ name: String) throws(YAMLFault) -> Bool {
    guard let node = fields[name], !node.isNothing else { return false }
    guard let value = node.bool else { throw YAMLFault("\(name) must be true or false", at: node.mark) }
    return value
  }

  /// 0 where there is none.
  func number(_ name: String) throws(YAMLFault) -> Double {
    guard let node = fields[name], !node.isNothing else { return 0 }
    // `1e3` is a text to YAML 1.1 and a number to Go.
    guard let value = node.float ?? node.scalar.flatMap({ Double($0.string) }) else {
      throw YAMLFault("\(name) must be a number", at: node.mark)
    }
    return value
  }

  /// Empty where there is none.
  func list(_ name: String) throws(YAMLFault) -> [Node] {
    guard let node = fields[name], !node.isNothing else { return [] }
    guard let items = node.sequence else { throw YAMLFault("\(name) must be a list", at: node.mark) }
    return Array(items)
  }

  /// Names and texts, in the order they are written; empty where there is none.
  func texts(_ name: String) throws(YAMLFault) -> [(name: String, text: String, mark: Mark?)] {
    guard let node = fields[name], !node.isNothing else { return [] }
    guard let mapping = node.mapping else { throw YAMLFault("\(name) must be a mapping of names to texts", at: node.mark) }
    var texts: [(name: String, text: String, mark: Mark?)] = []
    for (key, value) in mapping {
      let keyText = try YAMLFields.text(key, name)
      guard !texts.contains(where: { $0.name == keyText }) else { throw YAMLFault("\(keyText) is given twice", at: key.mark) }
      texts.append((keyText, try YAMLFields.text(value, keyText), key.mark))
    }
    return texts
  }

  static func text(_ node: Node, _ name: String) throws(YAMLFault) -> String {
    if node.isNothing { return "" }
    guard let scalar = node.scalar else { throw YAMLFault("\(name) must be a text", at: node.mark) }
    return scalar.string
  }
}

extension Node {
  /// Null, which is the same as nothing written; in quotes it is a text.
  fileprivate var isNothing: Bool {
    guard let scalar, scalar.style == .plain || scalar.style == .any else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }
}
