// SPDX-License-Identifier: Apache-2.0

internal import RegularExpressions
internal import TimeSeries

// What a test case expects: the lines below its eval command.

/// What an evaluation should give.
struct TestExpectation {
  /// What an error or an annotation should say.
  enum Text {
    case any
    case exactly(String)
    case matching(RegularExpression, pattern: String)

    func matches(_ text: String) -> Bool {
      switch self {
      case .any: true
      case .exactly(let expected): text == expected
      case .matching(let expression, _): expression.matches(text)
      }
    }

    var description: String {
      switch self {
      case .any: "anything"
      case .exactly(let text): "\"\(text)\""
      case .matching(_, let pattern): "/\(pattern)/"
      }
    }
  }

  private(set) var isOrdered = false
  /// Nil where the evaluation should succeed.
  private(set) var failure: Text?
  private(set) var warnings: [Text] = []
  private(set) var infos: [Text] = []
  private(set) var forbidsWarnings = false
  private(set) var forbidsInfos = false
  private(set) var string: String?
  private(set) var scalar: Double?
  private(set) var series: [SeriesNotation] = []
  /// The times of a range vector that an instant query returns.
  var rangeVector: TestCase.Times?

  /// The old spelling of what is expected: `eval_fail`, `eval_ordered` and their like.
  mutating func apply(command: String, _ line: TestLine) throws(TestScriptError) {
    switch command {
    case "eval": break
    case "eval_fail": failure = .any
    case "eval_ordered": isOrdered = true
    case "eval_warn": warnings = [.any]
    case "eval_info": infos = [.any]
    default: throw line.error("invalid evaluation command \"\(command)\"")
    }
  }

  mutating func read(_ line: TestLine) throws(TestScriptError) {
    var rest = line
    switch rest.takeWord() {
    case "expected_fail_message": failure = .exactly(rest.text)
    case "expected_fail_regexp": failure = try TestExpectation.pattern(rest.text, line)
    case "expect": try readExpect(&rest)
    default: try readValue(line)
    }
  }

  private mutating func readExpect(_ rest: inout TestLine) throws(TestScriptError) {
    let kind = rest.takeWord()
    if kind == "string" {
      string = try rest.read { (text) throws(NotationError) in
        var cursor = NotationCursor(text)
        return try cursor.quoted()
      }
      return
    }
    let text = try TestExpectation.text(rest)
    switch kind {
    case "ordered": isOrdered = true
    case "fail": failure = text
    case "warn": warnings.append(text)
    case "info": infos.append(text)
    case "no_warn": forbidsWarnings = true
    case "no_info": forbidsInfos = true
    default: throw rest.error("invalid expect statement")
    }
  }

  /// `msg: text`, `regex: pattern` or nothing.
  private static func text(_ line: TestLine) throws(TestScriptError) -> Text {
    let parts = line.text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      if line.text.isEmpty { return .any }
      throw line.error("invalid expect statement")
    }
    let text = String(parts[1].drop { $0.isWhitespace })
    switch parts[0] {
    case "msg": return .exactly(text)
    case "regex": return try pattern(text, line)
    default: throw line.error("invalid expect statement")
    }
  }

  private static func pattern(_ text: String, _ line: TestLine) throws(TestScriptError) -> Text {
    do {
      return .matching(try RegularExpression(text, anchored: false), pattern: text)
    } catch {
      throw line.error("invalid regular expression \"\(text)\"")
    }
  }

  private mutating func readValue(_ line: TestLine) throws(TestScriptError) {
    let points = try? SeriesNotation.points(line.text)
    // A line that is no number begins with a series.
    if let points, points.count == 1, case .sample(let value) = points[0] {
      scalar = value
    } else {
      series.append(try line.read { (text) throws(NotationError) in try SeriesNotation(text) })
    }
  }

  func check(_ line: Int) throws(TestScriptError) {
    if !warnings.isEmpty && forbidsWarnings || !infos.isEmpty && forbidsInfos {
      throw TestScriptError(line: line, message: "an annotation is both expected and forbidden")
    }
  }

  /// Whether a native histogram is expected.
  var hasNativeHistograms: Bool {
    series.contains { $0.points.contains { if case .nativeHistogram = $0 { true } else { false } } }
  }
}
