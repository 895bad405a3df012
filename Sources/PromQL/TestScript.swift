// SPDX-License-Identifier: Apache-2.0

internal import RegularExpressions
internal import TimeSeries

// Prometheus' test language, read into commands (promql/promqltest/README.md there). Running them is TestRun's.

/// A script that cannot be read.
package struct TestScriptError: Error, Sendable, Equatable, CustomStringConvertible {
  /// From 1.
  package let line: Int
  package let message: String

  package var description: String { "line \(line): \(message)" }
}

/// The commands of a script.
struct TestScript {
  enum Command {
    case load(TestLoad)
    case clear
    case evaluate(TestCase)
  }

  let commands: [Command]

  init(_ text: String) throws(TestScriptError) {
    var lines = TestLines(text)
    var commands: [Command] = []
    while let line = lines.next() {
      guard !line.text.isEmpty else { continue }
      switch line.firstWord.lowercased() {
      case "clear": commands.append(.clear)
      case let word where word.hasPrefix("load"): commands.append(.load(try TestLoad(line, &lines)))
      case let word where word.hasPrefix("eval"): commands.append(.evaluate(try TestCase(line, &lines)))
      default: throw line.error("invalid command \"\(line.text)\"")
      }
    }
    self.commands = commands
  }
}

/// `load 5m` and its series.
struct TestLoad {
  let stepMs: Int64
  /// `load_with_nhcb`: classic histograms are to become native ones as well.
  let makesNativeHistograms: Bool
  private(set) var series: [SeriesNotation] = []
  /// Series that have a line of start timestamps, which says nothing to this engine.
  private(set) var withStartTimestamps: [Labels] = []

  fileprivate init(_ line: TestLine, _ lines: inout TestLines) throws(TestScriptError) {
    makesNativeHistograms = line.firstWord == "load_with_nhcb"
    guard makesNativeHistograms || line.firstWord == "load" else { throw line.error("invalid load command") }
    stepMs = try line.duration(line.words.dropFirst().first ?? "", "step")
    while let line = lines.nextOfBlock() {
      if line.firstWord.hasSuffix("@st") {
        withStartTimestamps.append(try line.read { (text) throws(NotationError) in
          try SeriesNotation.labels(String(text.prefix { $0 != " " && $0 != "\t" }.dropLast(3)))
        })
      } else {
        let notation = try line.read { (text) throws(NotationError) in try SeriesNotation(text) }
        guard stepMs <= Steps.timeMsMax / Int64(notation.points.count + 1) else {
          throw line.error("the last point is too late")
        }
        series.append(notation)
      }
    }
  }
}

/// `eval instant at 5m expression`, or `eval range from 0 to 5m step 1m expression`, and what is expected of it.
struct TestCase {
  enum Times: Equatable {
    case instant(atMs: Int64)
    case range(fromMs: Int64, throughMs: Int64, stepMs: Int64)
  }

  let line: Int
  let expression: String
  private(set) var times: Times
  private(set) var expectation = TestExpectation()

  fileprivate init(_ line: TestLine, _ lines: inout TestLines) throws(TestScriptError) {
    self.line = line.number
    var rest = line
    let command = rest.takeWord()
    let kind = rest.takeWord()
    switch kind {
    case "instant":
      guard rest.takeWord() == "at" else { throw line.error("\"at\" is missing") }
      times = .instant(atMs: try line.duration(rest.takeWord(), "time"))
    case "range":
      times = try TestCase.range(&rest, "from", "to", "step")
    default: throw line.error("invalid evaluation command")
    }
    expression = rest.text
    guard !expression.isEmpty else { throw line.error("an expression is missing") }
    try expectation.apply(command: command, line)
    while let line = lines.nextOfBlock() { try read(line) }
    try expectation.check(line.number)
  }

  private static func range(
    _ rest: inout TestLine, _ from: String, _ to: String, _ step: String
  ) throws(TestScriptError) -> Times {
    var values: [Int64] = []
    for word in [from, to, step] {
      guard rest.takeWord() == word else { throw rest.error("\"\(word)\" is missing") }
      values.append(try rest.duration(rest.takeWord(), word))
    }
    guard values[0] <= values[1] else { throw rest.error("the end is before the start") }
    return .range(fromMs: values[0], throughMs: values[1], stepMs: values[2])
  }

  private mutating func read(_ line: TestLine) throws(TestScriptError) {
    if line.text.hasPrefix("expect range vector") {
      var rest = line
      for _ in 0..<3 { _ = rest.takeWord() }
      expectation.rangeVector = try TestCase.range(&rest, "from", "to", "step")
    } else {
      try expectation.read(line)
    }
  }

  var isInstant: Bool { if case .instant = times { true } else { false } }
}

/// A line without its comment and the spaces around it.
struct TestLine {
  /// From 1.
  let number: Int
  private(set) var text: String

  init(number: Int, text: String) {
    self.number = number
    self.text = text
  }

  var words: [String] { text.split { $0 == " " || $0 == "\t" }.map(String.init) }
  var firstWord: String { words.first ?? "" }

  func error(_ message: String) -> TestScriptError { TestScriptError(line: number, message: message) }

  /// The first word, which is taken off the text.
  mutating func takeWord() -> String {
    let word = text.prefix { $0 != " " && $0 != "\t" }
    text = String(text.dropFirst(word.count).drop { $0 == " " || $0 == "\t" })
    return String(word)
  }

  func duration(_ text: String, _ what: String) throws(TestScriptError) -> Int64 {
    if text == "0" { return 0 }
    // What is no duration is named here, not what is wrong with it.
    guard !text.isEmpty, let durationMs = try? DurationText.ms(Array(text.utf8)[...]) else {
      throw error("invalid \(what) \"\(text)\"")
    }
    return durationMs
  }

  func read<Value>(_ reader: (String) throws(NotationError) -> Value) throws(TestScriptError) -> Value {
    do {
      return try reader(text)
    } catch {
      throw self.error(error.description)
    }
  }
}

/// The lines of a script; a block ends at an empty one.
struct TestLines {
  private let texts: [String]
  private var index = 0

  init(_ text: String) {
    texts = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let text = line.drop { $0.isWhitespace }
      let end = text.lastIndex { !$0.isWhitespace }.map { text.index(after: $0) } ?? text.startIndex
      return text.first == "#" ? "" : String(text[..<end])
    }
  }

  mutating func next() -> TestLine? {
    guard index < texts.count else { return nil }
    index += 1
    return TestLine(number: index, text: texts[index - 1])
  }

  mutating func nextOfBlock() -> TestLine? {
    index < texts.count && !texts[index].isEmpty ? next() : nil
  }
}
