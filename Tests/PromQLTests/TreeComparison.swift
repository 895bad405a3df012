// SPDX-License-Identifier: Apache-2.0

import PromQL
import TimeSeries

// Trees as the tests compare and show them.

extension Expr {
  /// The same tree from nowhere, with sorted matchers and one number for every NaN: equal for equal meaning.
  var withoutPlaces: Expr { Expr(node.withoutPlaces, range: 0..<0) }

  /// The canonical text with parentheses around every operation, which shows how the tree hangs together.
  var grouped: String {
    switch node {
    case .binary(let binary): "(\(binary.left.grouped) \(binary.operation.rawValue) \(binary.right.grouped))"
    case .negation(let inner): "(-\(inner.grouped))"
    case .parentheses(let inner): inner.grouped
    case .subquery(let subquery):
      "\(subquery.expr.grouped)\(description.dropFirst(subquery.expr.description.count))"
    default: description
    }
  }
}

extension Expr.Node {
  fileprivate var withoutPlaces: Expr.Node {
    switch self {
    case .number(let value): return .number(value.isNaN ? 0.123456789 : value)
    case .string: return self
    case .selector(let selector): return .selector(selector.withSortedMatchers)
    case .matrix(let selector, let rangeMs): return .matrix(selector.withSortedMatchers, rangeMs: rangeMs)
    case .negation(let inner): return .negation(inner.withoutPlaces)
    case .parentheses(let inner): return .parentheses(inner.withoutPlaces)
    case .subquery(var subquery):
      subquery.expr = subquery.expr.withoutPlaces
      return .subquery(subquery)
    case .call(var call):
      call.arguments = call.arguments.map(\.withoutPlaces)
      return .call(call)
    case .aggregation(var aggregation):
      aggregation.parameter = aggregation.parameter?.withoutPlaces
      aggregation.expr = aggregation.expr.withoutPlaces
      return .aggregation(aggregation)
    case .binary(var binary):
      binary.left = binary.left.withoutPlaces
      binary.right = binary.right.withoutPlaces
      return .binary(binary)
    }
  }
}

extension VectorSelector {
  fileprivate var withSortedMatchers: VectorSelector {
    var sorted = self
    let written = name == nil ? matchers[...] : matchers.dropLast()
    sorted.matchers = written.sorted { key($0) < key($1) } + matchers.dropFirst(written.count)
    return sorted
  }
}

private func key(_ matcher: Matcher) -> String { "\(matcher.name)\(matcher.operation.rawValue)\(matcher.value)" }
