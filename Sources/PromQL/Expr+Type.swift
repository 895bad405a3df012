// SPDX-License-Identifier: Apache-2.0

// The type of an expression's value, told by its outermost node.

extension Expr {
  /// Scalars give a scalar; with a vector on either side the result is one.
  var type: ValueType {
    switch node {
    case .number: .scalar
    case .string: .string
    case .selector, .aggregation: .vector
    case .matrix, .subquery: .matrix
    case .call(let c): c.function.result
    case .binary(let b): b.left.type == .scalar && b.right.type == .scalar ? .scalar : .vector
    case .negation(let e), .parentheses(let e): e.type
    }
  }
}
