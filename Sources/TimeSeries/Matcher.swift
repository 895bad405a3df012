// SPDX-License-Identifier: Apache-2.0

package import RegularExpressions

// One condition on a label, as in `{tier="L1",cache=~"a|b"}`.

/// A condition on one label of a series.
package struct Matcher: Sendable, Equatable {
  package enum Operation: String, Sendable {
    case equal = "="
    case notEqual = "!="
    case matches = "=~"
    case matchesNot = "!~"
  }

  /// The label's name; `__name__` for the metric's.
  package let name: String
  package let operation: Operation
  package let value: String
  private let expression: RegularExpression?

  /// - Throws: `RegularExpressionError` for an expression that RE2 refuses.
  package init(_ name: String, _ operation: Operation, _ value: String) throws(RegularExpressionError) {
    self.name = name
    self.operation = operation
    self.value = value
    switch operation {
    case .equal, .notEqual: expression = nil
    // As Prometheus 3: the whole value, and `.` matches a line feed.
    case .matches, .matchesNot: expression = try RegularExpression(value, anchored: true)
    }
  }

  /// - Parameter labelValue: empty where the series has no such label.
  package func matches(_ labelValue: String) -> Bool {
    switch operation {
    case .equal: labelValue == value
    case .notEqual: labelValue != value
    case .matches: expression!.matches(labelValue)
    case .matchesNot: !expression!.matches(labelValue)
    }
  }

  package static func == (left: Matcher, right: Matcher) -> Bool {
    left.name == right.name && left.operation == right.operation && left.value == right.value
  }
}
