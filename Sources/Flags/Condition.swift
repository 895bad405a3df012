// SPDX-License-Identifier: Apache-2.0

// One comparison of an attribute of the evaluation context as it is written: what is accepted and what is refused.
// Whether it holds is in Condition+Holding.

package import JSON
internal import RegularExpressions

/// A condition of a targeting rule or of a segment's.
package struct Condition: Equatable, Sendable {
  package enum Operator: String, CaseIterable, Sendable {
    case isIn = "in"
    case notIn = "not_in"
    case equal = "eq"
    /// A text contains one of the texts; a list contains one of the values.
    case contains
    case startsWith = "starts_with"
    case endsWith = "ends_with"
    case greater = "gt"
    case greaterOrEqual = "gte"
    case less = "lt"
    case lessOrEqual = "lte"
    /// Any part of a text matches one of the patterns.
    case matches
    case semverEqual = "semver_eq"
    case semverGreater = "semver_gt"
    case semverGreaterOrEqual = "semver_gte"
    case semverLess = "semver_lt"
    case semverLessOrEqual = "semver_lte"
    case inSegment = "in_segment"
    case notInSegment = "not_in_segment"

    /// Whether it asks for segments and not for an attribute.
    var isOfSegments: Bool { self == .inSegment || self == .notInSegment }

    var isOfVersions: Bool {
      switch self {
      case .semverEqual, .semverGreater, .semverGreaterOrEqual, .semverLess, .semverLessOrEqual: true
      default: false
      }
    }

    var takesOneValue: Bool {
      switch self {
      case .equal, .greater, .greaterOrEqual, .less, .lessOrEqual: true
      default: isOfVersions
      }
    }
  }

  /// Empty where `op` asks for segments.
  package let attribute: String
  package let op: Operator
  /// At least one; any of them suffices.
  package let values: [JSONValue]

  let texts: TextList
  let numbers: [Double]
  /// Of `matches`, one for each value.
  let patterns: [RegularExpression]
  /// Of the comparisons of versions.
  let version: (parts: SemanticVersion, text: [UInt8])?

  init(_ json: JSONValue, path: String) throws(FlagError) {
    let reader = try DocumentReader(json, path: path, known: ["attribute", "op", "values"])
    guard let op: Operator = try reader.word("op") else {
      throw FlagError(
        field: reader.field("op"),
        message: "missing: one of \(Operator.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    self.op = op
    attribute = try Condition.readAttribute(reader, op)
    let values = try Condition.readValues(reader, op)
    self.values = values
    texts = TextList(values.compactMap(\.string))
    numbers = values.compactMap(\.double)
    patterns = op == .matches ? try Condition.readPatterns(values, reader) : []
    version = op.isOfVersions ? try Condition.readVersion(values, reader) : nil
  }

  /// The conditions of a rule, its member `if`.
  static func readAll(_ rule: DocumentReader) throws(FlagError) -> [Condition] {
    guard let list = try rule.array("if", countMax: Flag.Bounds.conditionsMax) else {
      throw FlagError(field: rule.field("if"), message: "missing: a list of conditions; [] is everybody")
    }
    var conditions: [Condition] = []
    for (index, json) in list.enumerated() {
      conditions.append(try Condition(json, path: rule.field("if", index)))
    }
    return conditions
  }

  /// - Parameter conditions: all of one document.
  static func checkPatterns(of conditions: [Condition], field: String) throws(FlagError) {
    let count = conditions.reduce(0) { $0 + $1.patterns.count }
    guard count <= Flag.Bounds.patternsMax else {
      throw FlagError(field: field, value: "\(count) patterns of `matches`", expected: "at most \(Flag.Bounds.patternsMax)")
    }
  }

  /// What else it holds is made of these.
  package static func == (left: Condition, right: Condition) -> Bool {
    left.attribute == right.attribute && left.op == right.op && left.values == right.values
  }

  private static func readAttribute(_ reader: DocumentReader, _ op: Operator) throws(FlagError) -> String {
    guard op.isOfSegments else {
      return try reader.requiredString("attribute", bytesMax: Flag.Bounds.nameBytesMax, "an attribute of the context")
    }
    guard reader.value("attribute") == nil else {
      throw FlagError(field: reader.field("attribute"), message: "not with \(op.rawValue): a segment looks at the whole context")
    }
    return ""
  }

  private static func readValues(_ reader: DocumentReader, _ op: Operator) throws(FlagError) -> [JSONValue] {
    let countMax = op == .matches ? Flag.Bounds.conditionPatternsMax : Flag.Bounds.conditionValuesMax
    guard let values = try reader.array("values", countMax: countMax), !values.isEmpty else {
      throw FlagError(field: reader.field("values"), message: "missing: a list with at least one value")
    }
    for (index, value) in values.enumerated() {
      try check(value, for: op, field: reader.field("values", index))
    }
    guard values.count == 1 || !op.takesOneValue else {
      throw FlagError(
        field: reader.field("values"), value: "\(values.count) values", expected: "\(op.rawValue) takes one")
    }
    return values
  }

  private static func check(_ value: JSONValue, for op: Operator, field: String) throws(FlagError) {
    switch op {
    case .startsWith, .endsWith, .matches, .semverEqual, .semverGreater, .semverGreaterOrEqual, .semverLess,
      .semverLessOrEqual, .inSegment, .notInSegment:
      guard value.string != nil else { throw FlagError(field: field, value: value.text, expected: "must be a string") }
    case .greater, .greaterOrEqual, .less, .lessOrEqual:
      guard value.double != nil else { throw FlagError(field: field, value: value.text, expected: "must be a number") }
    case .isIn, .notIn, .equal, .contains:
      guard value.string != nil || value.double != nil || value.bool != nil else {
        throw FlagError(field: field, value: value.text, expected: "must be a string, a number, true or false")
      }
    }
    if let text = value.string, text.utf8.count > Flag.Bounds.conditionTextBytesMax {
      throw FlagError(field: field, value: text, expected: "at most \(Flag.Bounds.conditionTextBytesMax) bytes")
    }
  }

  private static func readPatterns(
    _ values: [JSONValue], _ reader: DocumentReader
  ) throws(FlagError) -> [RegularExpression] {
    var patterns: [RegularExpression] = []
    for (index, value) in values.enumerated() {
      let (pattern, field) = (value.string ?? "", reader.field("values", index))
      do throws(RegularExpressionError) {
        patterns.append(try RegularExpression(searching: pattern))
      } catch {
        throw FlagError(field: field, value: pattern, expected: "\(error)")
      }
      guard patterns[index].programSize <= Flag.Bounds.patternProgramMax else {
        throw FlagError(
          field: field, value: pattern,
          expected: "compiles to \(patterns[index].programSize) instructions: at most \(Flag.Bounds.patternProgramMax)")
      }
    }
    return patterns
  }

  private static func readVersion(
    _ values: [JSONValue], _ reader: DocumentReader
  ) throws(FlagError) -> (parts: SemanticVersion, text: [UInt8]) {
    let text = values[0].string ?? ""
    guard let version = SemanticVersion(text.utf8.span) else {
      throw FlagError(
        field: reader.field("values", 0), value: text, expected: "must be a version such as 1.20.0 or v2.0.0-beta.1")
    }
    return (version, Array(text.utf8))
  }

  var json: JSONValue {
    let attribute = op.isOfSegments ? [] : [JSONMember(name: "attribute", value: .string(attribute))]
    return .object(
      attribute + [
        JSONMember(name: "op", value: .string(op.rawValue)),
        JSONMember(name: "values", value: .array(values)),
      ])
  }
}
