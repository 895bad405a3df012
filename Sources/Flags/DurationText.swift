// SPDX-License-Identifier: Apache-2.0

// Durations as Prometheus writes them: `90s`, `1h30m`, `2d`. Milliseconds inside, because the soak clock counts them.

/// Reads and writes Prometheus durations.
package enum DurationText {
  private static let units: [(name: String, milliseconds: Int64)] = [
    ("y", 31_536_000_000), ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000),
    ("ms", 1),
  ]

  /// Units in descending order, each at most once; `0` needs none.
  ///
  /// - Returns: milliseconds, or nil when the text is not a duration.
  package static func milliseconds(_ text: String) -> Int64? {
    if text == "0" { return 0 }
    var rest = Substring(text)
    var total: Int64 = 0
    var unitIndex = 0
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      let name = rest.dropFirst(digits.count).prefix { $0.isASCII && $0.isLetter }
      guard let count = Int64(digits), let unit = units[unitIndex...].firstIndex(where: { $0.name == name }) else {
        return nil
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: units[unit].milliseconds)
      let (sum, sumOverflow) = total.addingReportingOverflow(product)
      if overflow || sumOverflow { return nil }
      total = sum
      unitIndex = unit + 1
      rest = rest.dropFirst(digits.count + name.count)
    }
    return text.isEmpty ? nil : total
  }

  /// The shortest exact form, such as `1h30m`; `0s` for none. Without years and weeks, which people rarely expect.
  package static func text(milliseconds: Int64) -> String {
    let parts = parts(milliseconds)
    return parts.isEmpty ? "0s" : parts.joined()
  }

  /// For sentences: `2m 10s`, to the second.
  package static func spoken(milliseconds: Int64) -> String {
    if milliseconds > 0, milliseconds < 1000 { return "\(milliseconds)ms" }
    let parts = parts(milliseconds / 1000 * 1000)
    return parts.isEmpty ? "0s" : parts.joined(separator: " ")
  }

  private static func parts(_ milliseconds: Int64) -> [String] {
    var rest = max(0, milliseconds)
    var parts: [String] = []
    for unit in units where unit.name != "y" && unit.name != "w" {
      let count = rest / unit.milliseconds
      if count > 0 { parts.append("\(count)\(unit.name)") }
      rest -= count * unit.milliseconds
    }
    return parts
  }
}
