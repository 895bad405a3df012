// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// A tree as the one text that Prometheus would write for it: matchers sorted, grouping first, durations in units.

extension Expr: CustomStringConvertible {
  /// PromQL that reads as the same tree, on one line (Prometheus: `Expr.String()`).
  package var description: String {
    var printer = Printer(bytesMax: .max)
    printer.print(self)
    return printer.text
  }
}

struct Printer {
  private(set) var text = ""
  /// Printing stops soon after this many bytes: whoever asks whether a text is short need not wait for a long one.
  let bytesMax: Int
  private var isCut = false

  init(bytesMax: Int) {
    self.bytesMax = bytesMax
  }

  /// Whether there is more than `bytesMax`; the text is then of no use.
  var isFull: Bool { isCut || text.utf8.count > bytesMax }

  mutating func print(_ expr: Expr) {
    if isFull { return }
    switch expr.node {
    case .number(let value): text += NumberText.text(value)
    case .string(let value):
      if hasRoom(for: [value]) { text += QuotedText.quoted(value) }
    case .selector(let selector): print(selector)
    case .matrix(let selector, let rangeMs):
      var unshifted = selector
      unshifted.shift = TimeShift()
      print(unshifted)
      text += "[\(DurationText.text(ms: rangeMs))]"
      print(selector.shift)
    case .subquery(let subquery):
      print(subquery.expr)
      printBrackets(of: subquery)
    case .call(let call):
      text += "\(call.function.name)("
      print(call.arguments)
      text += ")"
    case .aggregation(let aggregation):
      printHead(of: aggregation)
      text += "("
      print(expr.children)
      text += ")"
    case .binary(let binary):
      print(binary.left)
      text += " \(Printer.operatorText(binary)) "
      print(binary.right)
    case .negation(let inner):
      text += "-"
      print(inner)
    case .parentheses(let inner):
      text += "("
      print(inner)
      text += ")"
    }
  }

  private mutating func print(_ expressions: [Expr]) {
    for (index, expr) in expressions.enumerated() {
      if isFull { return }
      if index > 0 { text += ", " }
      print(expr)
    }
  }

  private mutating func print(_ selector: VectorSelector) {
    text += selector.name ?? ""
    // The matcher of a name before the braces comes last and is not written again.
    let matchers = selector.name == nil ? selector.matchers[...] : selector.matchers.dropLast()
    if !matchers.isEmpty, hasRoom(for: matchers.map(\.value)) {
      text += "{\(matchers.map(Printer.matcherText).sorted(by: Printer.precedes).joined(separator: ","))}"
    }
    print(selector.shift)
  }

  private mutating func hasRoom(for parts: [String]) -> Bool {
    if parts.reduce(0, { $0 + $1.utf8.count }) > bytesMax - text.utf8.count { isCut = true }
    return !isCut
  }

  // By bytes, as Go sorts; Swift's own order is that of characters.
  private static func precedes(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }

  private static func matcherText(_ matcher: Matcher) -> String {
    let name = isPlainLabel(matcher.name) ? matcher.name : QuotedText.quoted(matcher.name)
    return "\(name)\(matcher.operation.rawValue)\(QuotedText.quoted(matcher.value))"
  }

  private mutating func print(_ shift: TimeShift) {
    switch shift.at {
    case .time(let timestampMs): text += " @ \(Printer.secondsText(timestampMs))"
    case .start: text += " @ start()"
    case .end: text += " @ end()"
    case nil: break
    }
    if shift.offsetMs != 0 {
      text += " offset \(shift.offsetMs < 0 ? "-" : "")\(DurationText.text(ms: abs(shift.offsetMs)))"
    }
  }

  /// Seconds with three decimals.
  private static func secondsText(_ timestampMs: Int64) -> String {
    let fraction = String(timestampMs.magnitude % 1_000)
    let zeros = String(repeating: "0", count: 3 - fraction.utf8.count)
    return "\(timestampMs < 0 ? "-" : "")\(timestampMs.magnitude / 1_000).\(zeros)\(fraction)"
  }

  /// The brackets of a subquery with what follows them.
  mutating func printBrackets(of subquery: Subquery) {
    text += "[\(DurationText.text(ms: subquery.rangeMs)):\(subquery.stepMs.map(DurationText.text) ?? "")]"
    print(subquery.shift)
  }

  /// `sum by (a, b) `, without the parentheses of the arguments.
  mutating func printHead(of aggregation: Aggregation) {
    text += aggregation.operation.rawValue
    guard hasRoom(for: aggregation.grouping) else { return }
    if aggregation.isWithout {
      text += " without (\(Printer.labelsText(aggregation.grouping))) "
    } else if !aggregation.grouping.isEmpty {
      text += " by (\(Printer.labelsText(aggregation.grouping))) "
    }
  }

  /// The operator with its modifiers.
  static func operatorText(_ binary: Binary) -> String {
    var text = binary.operation.rawValue
    if binary.returnsBool { text += " bool" }
    guard let matching = binary.matching else { return text }
    let isGrouping = matching.cardinality == .manyToOne || matching.cardinality == .oneToMany
    if !matching.labels.isEmpty || matching.isOn || isGrouping {
      text += " \(matching.isOn ? "on" : "ignoring") (\(labelsText(matching.labels)))"
    }
    if isGrouping {
      text += " group_\(matching.cardinality == .manyToOne ? "left" : "right") (\(labelsText(matching.included)))"
    }
    return text
  }

  private static func labelsText(_ labels: [String]) -> String {
    labels.map { isPlainLabel($0) && !isKeyword($0) ? $0 : QuotedText.quoted($0) }.joined(separator: ", ")
  }

  private static func isPlainLabel(_ name: String) -> Bool {
    name.utf8.first.map { !$0.isDigit } == true && name.utf8.allSatisfy { $0.isLetter || $0.isDigit }
  }

  /// Whether a label needs quotes in a grouping because the grammar has no place for it there. Prometheus prints
  /// `by (without)` as it is and then cannot read it.
  private static func isKeyword(_ name: String) -> Bool {
    Token.Kind.keyword(name.lowercased()).map { !$0.isGroupingLabel } ?? false
  }
}
