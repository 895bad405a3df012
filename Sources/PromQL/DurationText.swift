// SPDX-License-Identifier: Apache-2.0

// Durations as Prometheus writes them: `1h30m`, `500ms` (prometheus/common, model/time.go).

enum DurationText {
  struct Failure: Error {
    let message: String
  }

  /// About 292 years: Prometheus counts in nanoseconds.
  static let durationMsMax: Int64 = Int64.max / 1_000_000

  private static let units: [(name: String, milliseconds: Int64)] = [
    ("y", 365 * 86_400_000), ("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000),
    ("ms", 1),
  ]

  /// Counts with units, the greater units first and none twice.
  static func milliseconds(_ text: String) throws(Failure) -> Int64 {
    var rest = text.utf8[...]
    var unitsLeft = units[...]
    var total: Int64 = 0
    while !rest.isEmpty {
      let digits = rest.prefix(while: \.isDigit)
      let unit = rest[digits.endIndex...].prefix { !$0.isDigit }
      rest = rest[unit.endIndex...]
      guard !digits.isEmpty, let index = unitsLeft.firstIndex(where: { $0.name.utf8.elementsEqual(unit) }) else {
        throw Failure(message: "not a valid duration string: \(StringText.quoted(text))")
      }
      unitsLeft = units[(index + 1)...]
      guard let sum = sum(total, String(Substring(digits)), units[index].milliseconds) else {
        throw Failure(message: "duration out of range")
      }
      total = sum
    }
    return total
  }

  private static func sum(_ total: Int64, _ digits: String, _ unitMs: Int64) -> Int64? {
    guard let count = Int64(digits) else { return nil }
    let (product, overflows) = count.multipliedReportingOverflow(by: unitMs)
    guard !overflows, product <= durationMsMax - total else { return nil }
    return total + product
  }

  /// Years and weeks only where nothing is left over: `90d`, `1w`, `1h30m`.
  ///
  /// - Parameter milliseconds: not negative.
  static func text(milliseconds: Int64) -> String {
    precondition(milliseconds >= 0, "a duration of \(milliseconds) ms has no text")
    guard milliseconds > 0 else { return "0s" }
    var rest = milliseconds
    var text = ""
    for unit in units {
      let isWholeOnly = unit.name == "y" || unit.name == "w"
      guard rest >= unit.milliseconds, !isWholeOnly || rest % unit.milliseconds == 0 else { continue }
      text += "\(rest / unit.milliseconds)\(unit.name)"
      rest %= unit.milliseconds
    }
    return text
  }
}
