// SPDX-License-Identifier: Apache-2.0

package import TimeSeries

// The way from a query's text to a checked tree. The grammar is ExprParser's, the types are TypeCheck's.

/// Reads PromQL as Prometheus 3 does without its experimental features.
package enum Parser {
  /// Most bytes of a query: generated ones have thousands of alternatives in a matcher.
  package static let queryBytesMax = 1 << 20
  /// Most levels of a tree, whose readers call themselves for each; also most operands of one chain `a + b + …`.
  package static let depthMax = 1000

  /// The expression of a query, with its types checked.
  ///
  /// - Throws: the first thing that is wrong, in Prometheus' words. Syntax is wrong before types are.
  package static func parse(_ query: String) throws(ParseError) -> Expr {
    var parser = try parser(of: query)
    let expr = try parser.whole()
    try TypeCheck(query: parser.bytes).check(expr)
    return expr
  }

  /// The matchers of a selector such as the HTTP API has in `match[]`: no range, offset or `@`.
  ///
  /// - Throws: as `parse`, and when every series would match.
  package static func parseSelector(_ query: String) throws(ParseError) -> [Matcher] {
    var parser = try parser(of: query)
    let selector = try parser.wholeSelector()
    guard selector.selectsSomething else {
      throw ParseError("match[] must contain at least one non-empty matcher", 0..<parser.bytes.count, in: parser.bytes)
    }
    return selector.matchers
  }

  private static func parser(of query: String) throws(ParseError) -> ExprParser {
    guard query.utf8.count <= queryBytesMax else {
      throw ParseError("the query has \(query.utf8.count) bytes, more than \(queryBytesMax)", 0..<0, in: [])
    }
    return ExprParser(query)
  }
}

extension VectorSelector {
  /// Whether a matcher asks for a label to be there, so that a typing error does not select all series.
  var selectsSomething: Bool { matchers.contains { !$0.matches("") } }
}
