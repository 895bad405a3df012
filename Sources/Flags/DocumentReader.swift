// SPDX-License-Identifier: Apache-2.0

// Reads an object somebody wrote, member by member, so that every fault names its field and says what would be right.

internal import JSON

/// One object of a document and the path to it.
struct DocumentReader {
  let path: String
  private let members: [JSONMember]

  /// - Parameters:
  ///   - path: where the object is, empty for the document itself.
  ///   - known: the names its members may have.
  init(_ json: JSONValue, path: String, known: [String]) throws(FlagError) {
    guard let members = json.members else {
      throw FlagError(field: path, value: json.text, expected: "must be an object")
    }
    self.path = path
    self.members = members
    for member in members where !known.contains(member.name) {
      throw FlagError(field: field(member.name), message: "not known here: known are \(known.joined(separator: ", "))")
    }
  }

  func field(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  func field(_ name: String, _ index: Int) -> String { "\(field(name))[\(index)]" }

  /// nil when absent or null.
  func value(_ name: String) -> JSONValue? {
    guard let value = members.first(where: { $0.name == name })?.value, !value.isNull else { return nil }
    return value
  }

  func required(_ name: String, _ expected: String) throws(FlagError) -> JSONValue {
    guard let value = value(name) else { throw FlagError(field: field(name), message: "missing: \(expected)") }
    return value
  }

  func string(_ name: String, bytesMax: Int) throws(FlagError) -> String? {
    guard let value = value(name) else { return nil }
    guard let text = value.string else {
      throw FlagError(field: field(name), value: value.text, expected: "must be a string")
    }
    guard text.utf8.count <= bytesMax else {
      throw FlagError(field: field(name), value: text, expected: "at most \(bytesMax) bytes")
    }
    return text
  }

  func requiredString(_ name: String, bytesMax: Int, _ expected: String) throws(FlagError) -> String {
    guard let text = try string(name, bytesMax: bytesMax) else {
      throw FlagError(field: field(name), message: "missing: \(expected)")
    }
    return text
  }

  func bool(_ name: String) throws(FlagError) -> Bool? {
    guard let value = value(name) else { return nil }
    guard let bool = value.bool else {
      throw FlagError(field: field(name), value: value.text, expected: "must be true or false")
    }
    return bool
  }

  func integer(_ name: String, in range: ClosedRange<Int64>) throws(FlagError) -> Int64? {
    guard let value = value(name) else { return nil }
    guard let integer = value.integer, range.contains(integer) else {
      throw FlagError(
        field: field(name), value: value.text,
        expected: "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return integer
  }

  func requiredInteger(_ name: String, in range: ClosedRange<Int64>) throws(FlagError) -> Int64 {
    guard let integer = try integer(name, in: range) else {
      throw FlagError(field: field(name), message: "missing: a whole number")
    }
    return integer
  }

  func array(_ name: String, countMax: Int) throws(FlagError) -> [JSONValue]? {
    guard let value = value(name) else { return nil }
    guard let array = value.array else {
      throw FlagError(field: field(name), value: value.text, expected: "must be an array")
    }
    guard array.count <= countMax else {
      throw FlagError(field: field(name), value: "\(array.count) entries", expected: "at most \(countMax)")
    }
    return array
  }

  /// A Prometheus duration in milliseconds.
  func durationMs(_ name: String, in range: ClosedRange<Int64>) throws(FlagError) -> Int64? {
    guard let value = value(name) else { return nil }
    guard let text = value.string, let milliseconds = DurationText.milliseconds(text) else {
      throw FlagError(
        field: field(name), value: value.text, expected: "must be a duration such as \"90s\" or \"1h30m\"")
    }
    guard range.contains(milliseconds) else {
      let lower = DurationText.text(milliseconds: range.lowerBound)
      let upper = DurationText.text(milliseconds: range.upperBound)
      throw FlagError(field: field(name), value: text, expected: "must be from \(lower) to \(upper)")
    }
    return milliseconds
  }

  /// One word of an enumeration.
  func word<Word: RawRepresentable & CaseIterable>(_ name: String) throws(FlagError) -> Word?
  where Word.RawValue == String {
    guard let value = value(name) else { return nil }
    guard let word = value.string.flatMap(Word.init(rawValue:)) else {
      let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
      throw FlagError(field: field(name), value: value.string ?? value.text, expected: "must be one of \(words)")
    }
    return word
  }
}
