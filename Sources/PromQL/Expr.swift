// SPDX-License-Identifier: Apache-2.0

package import TimeSeries

// The tree of a parsed expression. What it means is the engine's, how it is written the printer's.

/// Type of an expression's value (PromQL: "Expression language data types").
package enum ValueType: String, Sendable {
  case scalar, string
  case vector = "instant vector"
  case matrix = "range vector"
}

/// An expression with the place it was read from.
package struct Expr: Sendable, Equatable {
  package indirect enum Node: Sendable, Equatable {
    case number(Double)
    case string(String)
    case selector(VectorSelector)
    /// `selector[range]`
    case matrix(VectorSelector, rangeMs: Int64)
    case subquery(Subquery)
    case call(Call)
    case aggregation(Aggregation)
    case binary(Binary)
    /// `-e`; a plus sign is dropped by the parser.
    case negation(Expr)
    case parentheses(Expr)
  }

  package var node: Node
  /// Bytes of the query that it was read from.
  package var range: Range<Int>

  package init(_ node: Node, range: Range<Int>) {
    self.node = node
    self.range = range
  }
}

/// `@` of a selector or subquery.
package enum AtModifier: Sendable, Equatable {
  /// Milliseconds since 1970.
  case time(Int64)
  case start, end
}

/// `offset` and `@` of a selector or subquery.
package struct TimeShift: Sendable, Equatable {
  package var at: AtModifier?
  /// Positive looks back.
  package var offsetMs: Int64 = 0

  package init() {}
}

/// `name{matchers} offset … @ …`
package struct VectorSelector: Sendable, Equatable {
  /// The name before the braces; nil where the matchers say it, if anything does. It is also the last of `matchers`.
  package var name: String?
  /// In the order written, the name's last.
  package var matchers: [Matcher]
  package var shift = TimeShift()

  package init(name: String?, matchers: [Matcher]) {
    self.name = name
    self.matchers = matchers
  }
}

/// `expr[range:step]`
package struct Subquery: Sendable, Equatable {
  package var expr: Expr
  package var rangeMs: Int64
  /// Nil for the default evaluation interval.
  package var stepMs: Int64?
  package var shift = TimeShift()

  package init(expr: Expr, rangeMs: Int64, stepMs: Int64?) {
    self.expr = expr
    self.rangeMs = rangeMs
    self.stepMs = stepMs
  }
}

/// `function(arguments)`, checked against `Function.named`.
package struct Call: Sendable, Equatable {
  package var function: Function
  package var arguments: [Expr]

  package init(function: Function, arguments: [Expr]) {
    self.function = function
    self.arguments = arguments
  }
}

/// `sum by (labels) (parameter, expr)`
package struct Aggregation: Sendable, Equatable {
  package enum Operation: String, Sendable, CaseIterable {
    case sum, avg, count, min, max, group, stddev, stdvar, topk, bottomk, quantile
    case countValues = "count_values"
  }

  package var operation: Operation
  /// The first of two arguments, where the operation takes one.
  package var parameter: Expr?
  package var expr: Expr
  /// As written.
  package var grouping: [String]
  package var isWithout: Bool

  package init(operation: Operation, parameter: Expr?, expr: Expr, grouping: [String], isWithout: Bool) {
    self.operation = operation
    self.parameter = parameter
    self.expr = expr
    self.grouping = grouping
    self.isWithout = isWithout
  }
}

/// `left operation matching right`
package struct Binary: Sendable, Equatable {
  package enum Operation: String, Sendable, CaseIterable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case modulo = "%"
    case power = "^"
    case atan2
    case equal = "=="
    case notEqual = "!="
    case greater = ">"
    case less = "<"
    case greaterOrEqual = ">="
    case lessOrEqual = "<="
    case and, or, unless
  }

  package enum Cardinality: Sendable, Equatable {
    case oneToOne, manyToOne, oneToMany
    /// Of the set operations alone.
    case manyToMany
  }

  /// How series of the two sides find each other.
  package struct Matching: Sendable, Equatable {
    package var cardinality = Cardinality.oneToOne
    /// Labels of `on` or `ignoring`, as written.
    package var labels: [String] = []
    package var isOn = false
    /// Labels of `group_left` or `group_right`, as written.
    package var included: [String] = []

    package init() {}
  }

  package var operation: Operation
  package var left: Expr
  package var right: Expr
  /// `bool` after a comparison.
  package var returnsBool: Bool
  /// Nil unless both sides are vectors.
  package var matching: Matching?

  package init(operation: Operation, left: Expr, right: Expr, returnsBool: Bool, matching: Matching?) {
    self.operation = operation
    self.left = left
    self.right = right
    self.returnsBool = returnsBool
    self.matching = matching
  }
}
