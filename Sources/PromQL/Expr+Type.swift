// SPDX-License-Identifier: Apache-2.0

extension Expr {
  /// Type of the value. It looks at the operands of operators, down to the first that is none.
  var type: ValueType {
    switch node {
    case .number: .scalar
    case .string: .string
    case .selector, .aggregation: .vector
    case .matrix, .subquery: .matrix
    case .call(let call): call.function.result
    case .binary(let binary): binary.left.type == .scalar && binary.right.type == .scalar ? .scalar : .vector
    case .negation(let inner), .parentheses(let inner): inner.type
    }
  }
}
