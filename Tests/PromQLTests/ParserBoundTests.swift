// SPDX-License-Identifier: Apache-2.0

import PromQL
import Testing

private let tooDeep = "expression has more than \(Expr.depthMax) levels of nesting and chained operators"

private func message(_ query: String) -> String? {
  do throws(ParseError) {
    _ = try Expr(parsing: query)
    return nil
  } catch {
    return error.message
  }
}

/// A query of so many levels, in several ways.
private func queries(levels: Int) -> [String] {
  let inner = levels - 1
  return [
    String(repeating: "(", count: inner) + "a" + String(repeating: ")", count: inner),
    String(repeating: "-", count: inner) + "a",
    String(repeating: "abs(", count: inner) + "a" + String(repeating: ")", count: inner),
    String(repeating: "sum(", count: inner) + "a" + String(repeating: ")", count: inner),
    Array(repeating: "a", count: levels).joined(separator: "+"),
    Array(repeating: "a", count: levels).joined(separator: "^"),
  ]
}

@Test func treesAreAsDeepAsTheBoundAndNoDeeper() throws {
  for query in queries(levels: Expr.depthMax) {
    let expr = try Expr(parsing: query)
    #expect(expr.valueType == .vector)
    #expect(try Expr(parsing: expr.description).withoutPlaces == expr.withoutPlaces)
    #expect(try Expr(parsing: expr.prettified).withoutPlaces == expr.withoutPlaces)
  }
  for levels in [Expr.depthMax + 1, 100_000] {
    for query in queries(levels: levels) { #expect(message(query) == tooDeep, "\(query.prefix(20)) \(levels)") }
  }
}

@Test func chainsOfEveryKindAreBounded() {
  #expect(message("a" + String(repeating: "[1m:]", count: 100_000)) == tooDeep)
  #expect(message(String(repeating: "(-", count: 100_000)) == tooDeep)
  #expect(message(String(repeating: "a + (", count: 100_000)) == tooDeep)
  #expect(message(String(repeating: "rate(a[1m:] + ", count: 50_000)) == tooDeep)
  #expect(message("a" + String(repeating: " offset 0s", count: 100_000)) == nil)
}

@Test func queriesAreBounded() {
  let longest = "\"" + String(repeating: "x", count: Expr.queryBytesMax - 2) + "\""
  #expect(message(longest) == nil)
  #expect(message(longest + " ") == "query has 1048577 bytes, the most is 1048576")
}

@Test func regularExpressionsAreBounded() {
  func query(_ pattern: String, _ count: Int) -> String {
    "a{\(Array(repeating: "b=~\"\(pattern)\"", count: count).joined(separator: ","))}"
  }
  #expect(message(query("x.*y", Expr.regularExpressionsMax)) == nil)
  #expect(message(query("x.*y", Expr.regularExpressionsMax + 1)) == "query has more than 100 regular expressions")
  let half = String(repeating: "[ab]", count: Expr.regularExpressionBytesMax / 8)
  #expect(message(query(half, 2)) == nil)
  #expect(message(query(half, 3)) == "query has more than 65536 bytes of regular expressions")
  // Lists of words cost nothing.
  #expect(message(query("foo|bar", 10_000)) == nil)
  #expect(message(query((0..<6_000).map { "pod-\($0)" }.joined(separator: "|"), 1)) == nil)
}

@Test func messagesAreBounded() {
  let digits = String(repeating: "1", count: 1_000_000)
  #expect(message(digits)?.utf8.count ?? 0 < 1_100)
}

@Test func largeQueriesTakeLittleTime() throws {
  let count = Expr.queryBytesMax / 8
  let queries = [
    "label_join(a, 'b', 'c'" + String(repeating: ",'d'", count: count) + ")",
    "a{" + String(repeating: "b='c',", count: count) + "}",
    "sum by (" + String(repeating: "a,", count: count) + ") (b)",
    String(repeating: "(", count: 90) + "a{b='" + String(repeating: "c", count: count) + "'}" + String(repeating: ")", count: 90),
    String(repeating: " ", count: count) + "1" + String(repeating: "#\n", count: count),
  ]
  let clock = ContinuousClock()
  for query in queries {
    let elapsed = try clock.measure {
      let expr = try Expr(parsing: query)
      #expect(!expr.description.isEmpty && !expr.prettified.isEmpty)
    }
    // Half a second on a slow machine; what is quadratic takes minutes.
    #expect(elapsed < .seconds(10), "\(query.prefix(20)): \(elapsed)")
  }
}
