// SPDX-License-Identifier: Apache-2.0

// Numbers for sentences and for conditions people read.

/// Writes a ratio.
enum RatioText {
  /// As Swift prints it, `0` and `1` without a fraction.
  static func text(_ value: Double) -> String {
    let text = value.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// To four decimals, so that a sentence does not carry seventeen; not to be compared with a limit.
  static func rounded(_ value: Double) -> String {
    guard value > -1e11, value < 1e11 else { return value.description }
    return text(Double(Int64(value * 10_000 + (value < 0 ? -0.5 : 0.5))) / 10_000)
  }
}
