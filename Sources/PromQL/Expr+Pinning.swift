// SPDX-License-Identifier: Apache-2.0

// What tests do with an expression beside evaluating it.

extension Expr {
  /// The expression with `@ timeMs` on every selector and subquery that has none, and is in none that has one.
  ///
  /// Nil where the result depends on the time of the evaluation all the same.
  func pinned(toMs timeMs: Int64) -> Expr? {
    dependsOnTime ? nil : pin(to: .time(timeMs))
  }

  private var dependsOnTime: Bool {
    if case .call(let call) = node, call.function.looksAtTime { return true }
    // Its own times are pinned with it.
    if case .subquery = node { return false }
    return children.contains(where: \.dependsOnTime)
  }

  private func pin(to time: AtModifier) -> Expr {
    Expr(pinnedNode(to: time), range: range)
  }

  private func pinnedNode(to time: AtModifier) -> Node {
    switch node {
    case .number, .string: return node
    case .selector(var selector):
      selector.shift.at = selector.shift.at ?? time
      return .selector(selector)
    case .matrix(var selector, let rangeMs):
      selector.shift.at = selector.shift.at ?? time
      return .matrix(selector, rangeMs: rangeMs)
    case .subquery(var subquery):
      subquery.shift.at = subquery.shift.at ?? time
      return .subquery(subquery)
    case .call(var call):
      call.arguments = call.arguments.map { $0.pin(to: time) }
      return .call(call)
    case .aggregation(var aggregation):
      aggregation.parameter = aggregation.parameter?.pin(to: time)
      aggregation.expr = aggregation.expr.pin(to: time)
      return .aggregation(aggregation)
    case .binary(var binary):
      binary.left = binary.left.pin(to: time)
      binary.right = binary.right.pin(to: time)
      return .binary(binary)
    case .negation(let inner): return .negation(inner.pin(to: time))
    case .parentheses(let inner): return .parentheses(inner.pin(to: time))
    }
  }
}
