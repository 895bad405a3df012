// SPDX-License-Identifier: Apache-2.0

// What editors and walkers ask of a tree.

extension Expr {
  /// All selectors, those of range vectors and subqueries too.
  package var selectors: [VectorSelector] {
    var selectors: [VectorSelector] = []
    visit { expr in
      switch expr.node {
      case .selector(let selector), .matrix(let selector, _): selectors.append(selector)
      default: break
      }
    }
    return selectors
  }

  /// The type of the value, given that the tree has been checked (`init(parsing:)`). At most `depthMax` steps.
  package var valueType: ValueType {
    switch node {
    case .number: .scalar
    case .string: .string
    case .selector, .aggregation: .vector
    case .matrix, .subquery: .matrix
    case .call(let call): call.function.result
    case .negation(let inner), .parentheses(let inner): inner.valueType
    case .binary(let binary):
      binary.matching == nil && binary.left.valueType == .scalar && binary.right.valueType == .scalar ? .scalar : .vector
    }
  }

  /// The expressions directly below, in the order they are written.
  package var children: [Expr] {
    switch node {
    case .number, .string, .selector, .matrix: []
    case .subquery(let subquery): [subquery.expr]
    case .call(let call): call.arguments
    case .aggregation(let aggregation): (aggregation.parameter.map { [$0] } ?? []) + [aggregation.expr]
    case .binary(let binary): [binary.left, binary.right]
    case .negation(let inner), .parentheses(let inner): [inner]
    }
  }

  /// Calls a function for this expression and all below it, each before its children.
  package func visit(_ body: (Expr) -> Void) {
    body(self)
    for child in children { child.visit(body) }
  }
}
