// SPDX-License-Identifier: Apache-2.0

// Durations: Prometheus' `1h30m` is read, Go's time.Duration is printed.

enum DurationText {
  // Biggest first, the order in which they have to stand.
  private static let units: [(name: String, nanoseconds: UInt64)] = [
    ("y", 365 * 86_400_000_000_000), ("w", 7 * 86_400_000_000_000), ("d", 86_400_000_000_000), ("h", 3_600_000_000_000),
    ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000),
  ]

  /// Prometheus' parseDuration; a minus may stand in front.
  static func seconds(_ text: [UInt8]) throws(Fault) -> Double {
    let isNegative = text.first == UInt8(ascii: "-")
    let magnitude = try nanoseconds(isNegative ? text.dropFirst() : text[...])
    return seconds(isNegative ? -magnitude : magnitude)
  }

  private static func nanoseconds(_ text: ArraySlice<UInt8>) throws(Fault) -> Int64 {
    if text.elementsEqual("0".utf8) { return 0 }
    if text.isEmpty { throw Fault("empty duration string") }
    let shown = Quoting.quoted(Array(text))
    var sum: UInt64 = 0
    var unitsLeft = units[...]
    var rest = text
    while !rest.isEmpty {
      let digits = rest.prefix(while: isDigit)
      let name = rest.dropFirst(digits.count).prefix { !isDigit($0) }
      rest = rest.dropFirst(digits.count + name.count)
      guard let count = UInt64(String(decoding: digits, as: UTF8.self)), !name.isEmpty else {
        throw Fault("not a valid duration string: \(shown)")
      }
      guard units.contains(where: { name.elementsEqual($0.name.utf8) }) else {
        throw Fault("unknown unit \(Quoting.quoted(Array(name))) in duration \(shown)")
      }
      guard let index = unitsLeft.firstIndex(where: { name.elementsEqual($0.name.utf8) }) else {
        throw Fault("not a valid duration string: \(shown)")
      }
      let (product, overflows) = count.multipliedReportingOverflow(by: units[index].nanoseconds)
      unitsLeft = unitsLeft[(index + 1)...]
      guard !overflows, product <= UInt64(Int64.max) - sum else { throw Fault("duration out of range") }
      sum += product
    }
    return Int64(sum)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  /// Go's Duration.Seconds, whose whole seconds are exact.
  static func seconds(_ nanoseconds: Int64) -> Double {
    Double(nanoseconds / 1_000_000_000) + Double(nanoseconds % 1_000_000_000) / 1e9
  }

  /// As the processor does in Go: what 64 bits do not hold, and what is no number, is the least of them.
  static func nanoseconds(_ value: Double) -> Int64 { Int64(exactly: value.rounded(.towardZero)) ?? .min }

  /// Go's Duration.String: `1h2m3.5s`, `2ms`, `0s`.
  static func text(_ nanoseconds: Int64) -> String {
    let magnitude = nanoseconds.magnitude
    let sign = nanoseconds < 0 ? "-" : ""
    switch magnitude {
    case 0: return "0s"
    case ..<1_000: return "\(sign)\(magnitude)ns"
    case ..<1_000_000: return sign + decimal(magnitude, digits: 3) + "µs"
    case ..<1_000_000_000: return sign + decimal(magnitude, digits: 6) + "ms"
    default: break
    }
    let minutes = magnitude / 60_000_000_000
    let seconds = decimal(magnitude % 60_000_000_000, digits: 9) + "s"
    if minutes == 0 { return sign + seconds }
    return sign + (minutes < 60 ? "" : "\(minutes / 60)h") + "\(minutes % 60)m" + seconds
  }

  // With a point before the last digits, without zeros at the end.
  private static func decimal(_ value: UInt64, digits: Int) -> String {
    let all = String(value)
    let padded = Array((String(repeating: "0", count: max(0, digits + 1 - all.utf8.count)) + all).utf8)
    var fraction = padded.suffix(digits)
    while fraction.last == UInt8(ascii: "0") { fraction.removeLast() }
    let whole = String(decoding: padded.dropLast(digits), as: UTF8.self)
    return fraction.isEmpty ? whole : whole + "." + String(decoding: fraction, as: UTF8.self)
  }
}
