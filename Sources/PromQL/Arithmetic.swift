// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// Binary operators on two numbers.

enum Arithmetic {
  /// Between two scalars: comparisons answer 1 or 0.
  static func scalar(_ operation: Binary.Operation, _ left: Double, _ right: Double) -> Double {
    operation.isComparison ? (compare(operation, left, right) ? 1 : 0) : compute(operation, left, right)
  }

  @inline(__always)
  static func compute(_ operation: Binary.Operation, _ left: Double, _ right: Double) -> Double {
    switch operation {
    case .add: left + right
    case .subtract: left - right
    case .multiply: left * right
    case .divide: left / right
    // Both take the sign of the dividend.
    case .modulo: fmod(left, right)
    case .power: power(left, right)
    case .atan2: Glibc.atan2(left, right)
    default: preconditionFailure("\(operation) does not compute")
    }
  }

  @inline(__always)
  static func compare(_ operation: Binary.Operation, _ left: Double, _ right: Double) -> Bool {
    switch operation {
    case .equal: left == right
    case .notEqual: left != right
    case .greater: left > right
    case .less: left < right
    case .greaterOrEqual: left >= right
    case .lessOrEqual: left <= right
    default: preconditionFailure("\(operation) does not compare")
    }
  }

  /// As C's, and Go's.
  private static func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
}

/// A binary operation on two samples, with what does not change from sample to sample.
struct SampleOperation {
  private let operation: Binary.Operation
  private let isComparison: Bool
  private let returnsBool: Bool

  init(_ binary: Binary) {
    operation = binary.operation
    isComparison = binary.operation.isComparison
    returnsBool = binary.returnsBool
  }

  /// A result that is of another unit than its operands loses the metric's name.
  var changesUnit: Bool { !isComparison }

  /// - Parameter kept: what stays where a comparison holds; where it does not, a filter leaves `absent`.
  @inline(__always)
  func combine(_ left: Double, _ right: Double, kept: Double) -> Double {
    guard isComparison else { return Arithmetic.compute(operation, left, right) }
    let holds = Arithmetic.compare(operation, left, right)
    return returnsBool ? (holds ? 1 : 0) : holds ? kept : absent
  }
}
