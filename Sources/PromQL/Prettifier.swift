// SPDX-License-Identifier: Apache-2.0

// A tree over several lines (Prometheus: `/api/v1/format_query`, promql/parser/prettier.go). What fits into a line stays
// in one; what does not is broken at its outermost operator, call or parentheses.

extension Expr {
  /// PromQL that reads as the same tree, broken where it is longer than Prometheus' 100 bytes a line.
  package var prettified: String { prettified(lineBytesMax: 100) }

  /// PromQL that reads as the same tree, broken where it is longer than a line.
  package func prettified(lineBytesMax: Int) -> String {
    var prettifier = Prettifier(lineBytesMax: lineBytesMax)
    prettifier.print(self, level: 0)
    return prettifier.text
  }
}

private struct Prettifier {
  // Deeper parts are no longer moved to the right, so that the text is not hundreds of times as long as the query.
  private static let levelMax = 64

  private(set) var text = ""
  private let lineBytesMax: Int

  init(lineBytesMax: Int) {
    self.lineBytesMax = lineBytesMax
  }

  mutating func print(_ expr: Expr, level: Int) {
    if let line = line(expr) {
      // A subquery that fits is not indented in Prometheus either.
      if case .subquery = expr.node {} else { indent(level) }
      text += line
      return
    }
    switch expr.node {
    case .number, .string, .selector, .matrix:
      indent(level)
      text += expr.description
    case .subquery(let subquery):
      print(subquery.expr, level: level)
      printBrackets(of: subquery)
    case .negation(let inner): printNegation(inner, level: level)
    case .binary(let binary):
      print(binary.left, level: level + 1)
      text += "\n"
      indent(level)
      text += "\(Printer.operatorText(binary))\n"
      print(binary.right, level: level + 1)
    case .call(let call): printInParentheses(call.function.name, call.arguments, level: level)
    case .parentheses(let inner): printInParentheses("", [inner], level: level)
    case .aggregation(let aggregation):
      var head = Printer(bytesMax: .max)
      head.printHead(of: aggregation)
      printInParentheses(head.text, expr.children, level: level)
    }
  }

  /// The expression on one line; nil where it is too long for one.
  private func line(_ expr: Expr) -> String? {
    var printer = Printer(bytesMax: lineBytesMax)
    printer.print(expr)
    return printer.isFull ? nil : printer.text
  }

  private mutating func indent(_ level: Int) {
    text += String(repeating: "  ", count: min(level, Self.levelMax))
  }

  private mutating func printInParentheses(_ head: String, _ expressions: [Expr], level: Int) {
    indent(level)
    text += "\(head)(\n"
    for (index, expr) in expressions.enumerated() {
      if index > 0 { text += ",\n" }
      print(expr, level: level + 1)
    }
    text += "\n"
    indent(level)
    text += ")"
  }

  private mutating func printBrackets(of subquery: Subquery) {
    var brackets = Printer(bytesMax: .max)
    brackets.printBrackets(of: subquery)
    text += brackets.text
  }

  /// The sign takes the place of the indentation of what follows it.
  private mutating func printNegation(_ inner: Expr, level: Int) {
    indent(level)
    var operand = Prettifier(lineBytesMax: lineBytesMax)
    operand.print(inner, level: level)
    text += "-" + operand.text.drop { $0 == " " }
  }
}
