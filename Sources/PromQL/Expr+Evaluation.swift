// SPDX-License-Identifier: Apache-2.0

// What the engine needs to know of an expression before it evaluates it.

extension Expr {
  /// Without the parentheses around it.
  var unwrapped: Expr {
    if case .parentheses(let inner) = node { inner.unwrapped } else { self }
  }

  /// Whether it has the same value at every step: constants, and what `@` pins to a time.
  ///
  /// A pinned argument does not make a function so that looks at the time of the step itself.
  var isStepInvariant: Bool {
    switch node {
    case .number, .string: true
    case .selector(let selector), .matrix(let selector, _): selector.shift.at != nil
    case .subquery(let subquery): subquery.shift.at != nil
    case .call(let call): call.isStepInvariant
    case .aggregation(let aggregation):
      aggregation.expr.isStepInvariant && aggregation.parameter?.isStepInvariant != false
    case .binary(let binary): binary.left.isStepInvariant && binary.right.isStepInvariant
    case .negation(let inner), .parentheses(let inner): inner.isStepInvariant
    }
  }

  /// The string of a string expression.
  var stringValue: String {
    guard case .string(let value) = unwrapped.node else { preconditionFailure("\(node) is no string") }
    return value
  }
}

extension Call {
  fileprivate var isStepInvariant: Bool {
    guard arguments.allSatisfy(\.isStepInvariant) else { return false }
    // Of a selector it is the time of the sample, of everything else the time of the step.
    if function.name == "timestamp", case .selector = arguments[0].unwrapped.node { return true }
    return !function.looksAtTime
  }

  /// The argument that is a range vector.
  var matrixArgument: Expr? {
    zip(function.argumentTypes(count: arguments.count), arguments).first { $0.0 == .matrix }?.1.unwrapped
  }

  /// The first argument that is a scalar.
  var scalarArgument: Expr? {
    zip(function.argumentTypes(count: arguments.count), arguments).first { $0.0 == .scalar }?.1
  }
}

extension Function {
  private static let ofTheStep: Set<String> = [
    "day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month", "year", "predict_linear",
    "time", "timestamp",
  ]

  /// Whether the time of the step matters beside the arguments.
  var looksAtTime: Bool { Function.ofTheStep.contains(name) }

  /// The types of as many arguments, the last one repeated where it may be.
  fileprivate func argumentTypes(count: Int) -> [ValueType] {
    (0..<count).map { arguments[min($0, arguments.count - 1)] }
  }
}
