// SPDX-License-Identifier: Apache-2.0

// Quantiles of plain values, as quantile() and quantile_over_time() have them.

enum Quantile {
  /// φ-quantile, between two values by their distance; NaN is the smallest value.
  ///
  /// - Parameter values: at least one; sorted here.
  static func of(_ values: inout [Double], _ quantile: Double) -> Double {
    if quantile.isNaN { return .nan }
    if quantile < 0 { return -.infinity }
    if quantile > 1 { return .infinity }
    values.sort { $0.isNaN ? !$1.isNaN : $0 < $1 }
    let rank = quantile * Double(values.count - 1)
    let lower = max(0, Int(rank.rounded(.down)))
    let upper = min(values.count - 1, lower + 1)
    let weight = rank - rank.rounded(.down)
    return values[lower] * (1 - weight) + values[upper] * weight
  }

  static func isValid(_ quantile: Double) -> Bool { quantile >= 0 && quantile <= 1 }
}
