// SPDX-License-Identifier: Apache-2.0

// Durations as text: `1h30m` and back (Prometheus: common/model, ParseDuration and Duration.String).

package enum DurationText {
  package struct Fault: Error {
    package let message: String
  }

  private struct Unit {
    let name: String
    let ms: Int64
    /// Whether it is written only for what it divides: 90d reads better than 12w6d.
    let isExact: Bool
  }

  // Biggest first, the order in which a duration has to give them.
  private static let units = [
    Unit(name: "y", ms: 365 * 86_400_000, isExact: true), Unit(name: "w", ms: 7 * 86_400_000, isExact: true),
    Unit(name: "d", ms: 86_400_000, isExact: false), Unit(name: "h", ms: 3_600_000, isExact: false),
    Unit(name: "m", ms: 60_000, isExact: false), Unit(name: "s", ms: 1_000, isExact: false),
    Unit(name: "ms", ms: 1, isExact: false),
  ]

  /// Prometheus counts nanoseconds in 64 bits: some 292 years.
  static let msMax = Int64.max / 1_000_000

  /// As rule files write it: `0` needs no unit.
  ///
  /// - Returns: milliseconds, at most `msMax`.
  package static func ms(_ text: String) throws(Fault) -> Int64 {
    if text == "0" { return 0 }
    guard !text.isEmpty else { throw Fault(message: "empty duration string") }
    return try ms(Array(text.utf8)[...])
  }

  /// - Returns: milliseconds, at most `msMax`.
  static func ms(_ literal: ArraySlice<UInt8>) throws(Fault) -> Int64 {
    var rest = literal
    var sum: Int64 = 0
    var unitsLeft = units[...]
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isDigit }
      let name = String(decoding: rest.dropFirst(digits.count).prefix { !$0.isDigit }, as: UTF8.self)
      rest = rest.dropFirst(digits.count + name.utf8.count)
      guard !digits.isEmpty, !name.isEmpty else { throw invalid(literal) }
      guard let unit = units.first(where: { $0.name == name }) else {
        throw Fault(message: "unknown unit \(QuotedText.quoted(name)) in duration \(QuotedText.quoted(literal))")
      }
      guard let index = unitsLeft.firstIndex(where: { $0.name == name }) else { throw invalid(literal) }
      unitsLeft = unitsLeft[index...].dropFirst()
      // Digits beyond Prometheus' 64 bits are a fault of another kind there.
      guard let count = UInt64(String(decoding: digits, as: UTF8.self)) else { throw invalid(literal) }
      let (product, overflows) = Int64(clamping: count).multipliedReportingOverflow(by: unit.ms)
      guard !overflows, product <= msMax - sum else { throw Fault(message: "duration out of range") }
      sum += product
    }
    return sum
  }

  private static func invalid(_ literal: ArraySlice<UInt8>) -> Fault {
    Fault(message: "not a valid duration string: \(QuotedText.quoted(literal))")
  }

  /// - Parameter ms: not negative.
  package static func text(ms: Int64) -> String {
    guard ms > 0 else { return "0s" }
    var rest = ms
    var text = ""
    for unit in units where !unit.isExact || rest % unit.ms == 0 {
      if rest >= unit.ms { text += "\(rest / unit.ms)\(unit.name)" }
      rest %= unit.ms
    }
    return text
  }
}
