// SPDX-License-Identifier: Apache-2.0

// eq, ne, lt, le, gt and ge: values of one kind compare, integers of any type with each other, and anything with nil.

enum Comparison {
  private enum Basic {
    case bool(Bool)
    case integer(Int64)
    case float(Double)
    case text([UInt8])

    init?(_ value: Value) {
      switch value {
      case .bool(let value): self = .bool(value)
      case .integer(let value, _): self = .integer(value)
      case .float(let value): self = .float(value)
      case .text(let text), .html(let text): self = .text(text)
      default: return nil
      }
    }
  }

  private static let wrongType = Fault("invalid type for comparison")

  /// - Parameter function: one of the six.
  static func compare(_ function: Function, _ values: [Value]) throws(Fault) -> Bool {
    switch function {
    case .eq:
      guard values.count > 1 else { throw Fault("missing argument for comparison") }
      for value in values.dropFirst() where try areEqual(values[0], value) { return true }
      return false
    case .ne: return try !areEqual(values[0], values[1])
    case .lt: return try isLess(values[0], values[1])
    case .le: return try isAtMost(values[0], values[1])
    // Go's definitions, by which NaN is greater than all.
    case .gt: return try !isAtMost(values[0], values[1])
    default: return try !isLess(values[0], values[1])
    }
  }

  private static func isAtMost(_ left: Value, _ right: Value) throws(Fault) -> Bool {
    if try isLess(left, right) { return true }
    return try areEqual(left, right)
  }

  private static func isLess(_ left: Value, _ right: Value) throws(Fault) -> Bool {
    guard let first = Basic(left), let second = Basic(right) else { throw wrongType }
    switch (first, second) {
    case (.integer(let left), .integer(let right)): return left < right
    case (.float(let left), .float(let right)): return left < right
    case (.text(let left), .text(let right)): return left.lexicographicallyPrecedes(right)
    case (.bool, .bool): throw wrongType
    default: throw incompatible(left, right)
    }
  }

  private static func areEqual(_ left: Value, _ right: Value) throws(Fault) -> Bool {
    switch (Basic(left), Basic(right)) {
    case (.bool(let left)?, .bool(let right)?): return left == right
    case (.integer(let left)?, .integer(let right)?): return left == right
    case (.float(let left)?, .float(let right)?): return left == right
    case (.text(let left)?, .text(let right)?): return left == right
    case (nil, nil): return try areSame(left, right)
    default:
      // Nil equals nothing that is there.
      guard left.typeName == nil || right.typeName == nil else { throw incompatible(left, right) }
      return false
    }
  }

  private static func incompatible(_ left: Value, _ right: Value) -> Fault {
    Fault("incompatible types for comparison: \(left.typeName ?? "nil") and \(right.typeName ?? "nil")")
  }

  // Pointers by what they are, times by what they say; maps and lists do not compare.
  private static func areSame(_ left: Value, _ right: Value) throws(Fault) -> Bool {
    guard let leftType = left.typeName, let rightType = right.typeName else {
      return left.typeName == nil && right.typeName == nil
    }
    switch (left, right) {
    case (.pointer(let left), .pointer(let right)): return left === right
    case (.time(let left), .time(let right)): return left == right
    case (.labels, .labels), (.labels, .arguments), (.arguments, .labels), (.arguments, .arguments),
      (.samples, .samples),
      (.alert, .alert):
      throw Fault("non-comparable type \(Printer.shown(right, "s")): \(rightType)")
    default:
      throw Fault(
        "non-comparable types \(Printer.shown(left, "s")): \(leftType), \(rightType): \(Printer.shown(right))")
    }
  }
}
