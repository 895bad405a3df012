// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// Functions of one number, and of one time.

enum MathFunctions {
  static let byName: [String: @Sendable (Double) -> Double] = [
    "abs": { $0.magnitude }, "ceil": { $0.rounded(.up) }, "floor": { $0.rounded(.down) }, "sqrt": { $0.squareRoot() },
    "exp": { exp($0) }, "ln": { log($0) }, "log2": { log2($0) }, "log10": { log10($0) },
    "sin": { sin($0) }, "cos": { cos($0) }, "tan": { tan($0) },
    "asin": { asin($0) }, "acos": { acos($0) }, "atan": { atan($0) },
    "sinh": { sinh($0) }, "cosh": { cosh($0) }, "tanh": { tanh($0) },
    "asinh": { asinh($0) }, "acosh": { acosh($0) }, "atanh": { atanh($0) },
    "deg": { $0 * 180 / .pi }, "rad": { $0 * .pi / 180 },
    "sgn": { $0 < 0 ? -1 : $0 > 0 ? 1 : $0 },
  ]

  /// Nothing is between bounds that are the wrong way round.
  static func clamp(_ value: Double, _ lower: Double, _ upper: Double) -> Double {
    upper < lower ? absent : maximum(lower, minimum(upper, value))
  }

  /// Ties go up. Multiplying by the inverse errs less than dividing, says Prometheus.
  static func round(_ value: Double, toNearest nearest: Double) -> Double {
    let inverse = 1 / nearest
    return (value * inverse + 0.5).rounded(.down) / inverse
  }

  /// As Go's: NaN, unless the other is the least there is.
  private static func minimum(_ left: Double, _ right: Double) -> Double {
    if left == -.infinity || right == -.infinity { return -.infinity }
    return left.isNaN || right.isNaN ? .nan : min(left, right)
  }

  private static func maximum(_ left: Double, _ right: Double) -> Double {
    if left == .infinity || right == .infinity { return .infinity }
    return left.isNaN || right.isNaN ? .nan : max(left, right)
  }
}

enum DateFunctions {
  static let byName: [String: @Sendable (CivilTime) -> Int] = [
    "minute": { $0.minute }, "hour": { $0.hour }, "day_of_week": { $0.weekday }, "day_of_month": { $0.day },
    "day_of_year": { $0.dayOfYear }, "days_in_month": { $0.daysInMonth }, "month": { $0.month }, "year": { $0.year },
  ]

  /// Thirty million years; what is not a time has no date.
  private static let secondsMax = 1e15

  static func value(of part: (CivilTime) -> Int, atSeconds seconds: Double) -> Double {
    guard seconds.magnitude < secondsMax else { return .nan }
    return Double(part(CivilTime(seconds: Int(seconds))))
  }
}
