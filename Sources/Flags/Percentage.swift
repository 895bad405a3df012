// SPDX-License-Identifier: Apache-2.0

// A rollout's percentage, exact to the bucket. Kept as an integer because 0.07 * 100 is not 7 in binary.

internal import JSON

/// 0 to 100 in steps of 0.01, one bucket each.
package struct Percentage: Equatable, Comparable, Hashable, Sendable, CustomStringConvertible {
  /// 0...10000: the number of buckets below it.
  package let hundredths: Int

  package static let zero = Percentage(hundredths: 0)
  package static let all = Percentage(hundredths: 10_000)

  /// - Parameter hundredths: 0...10000.
  package init(hundredths: Int) {
    precondition((0...10_000).contains(hundredths), "a percentage is from 0 to 100")
    self.hundredths = hundredths
  }

  /// - Throws: for anything but a number from 0 to 100 in steps of 0.01.
  init(_ json: JSONValue, field: String) throws(FlagError) {
    guard let percent = json.double else {
      throw FlagError(field: field, value: json.text, expected: "must be a number from 0 to 100")
    }
    guard percent >= 0, percent <= 100 else {
      throw FlagError(field: field, value: json.text, expected: "must be from 0 to 100")
    }
    // Not rounded(), which would be the only thing here that wants libm.
    let hundredths = Int(percent * 100 + 0.5)
    // The nearest Double of a two-place decimal is off by less than this after the multiplication.
    guard abs(percent * 100 - Double(hundredths)) < 1e-6 else {
      throw FlagError(field: field, value: json.text, expected: "steps are 0.01, one bucket of 10000")
    }
    self.init(hundredths: hundredths)
  }

  package static func < (left: Percentage, right: Percentage) -> Bool { left.hundredths < right.hundredths }

  /// 0…100.
  package var value: Double { Double(hundredths) / 100 }

  var json: JSONValue {
    hundredths % 100 == 0 ? .integer(Int64(hundredths / 100)) : .number(Double(hundredths) / 100)
  }

  /// Without the sign: `10`, `12.5`.
  package var description: String { json.text }
}
