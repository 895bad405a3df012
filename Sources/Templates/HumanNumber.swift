// SPDX-License-Identifier: Apache-2.0

// Numbers for people: four significant digits and a unit, as Prometheus' humanize functions write them.

enum HumanNumber {
  /// Go's `%.4g`.
  static func significant(_ value: Double) -> String { FloatText.text(value, .general, precision: 4) }

  /// `1.235M`, `120m`
  static func decimal(_ value: Double) -> String {
    guard value != 0, value.isFinite else { return significant(value) }
    return value.magnitude >= 1 ? large(value, 1000, ["k", "M", "G", "T", "P", "E", "Z", "Y"]) : small(value)
  }

  /// `1.177Mi`
  static func binary(_ value: Double) -> String {
    guard value.magnitude > 1, value.isFinite else { return significant(value) }
    return large(value, 1024, ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"])
  }

  private static func large(_ value: Double, _ step: Double, _ prefixes: [String]) -> String {
    var (value, prefix) = (value, "")
    for next in prefixes where value.magnitude >= step {
      prefix = next
      value /= step
    }
    return significant(value) + prefix
  }

  private static func small(_ value: Double) -> String {
    var (value, prefix) = (value, "")
    for next in ["m", "u", "n", "p", "f", "a", "z", "y"] where value.magnitude < 1 {
      prefix = next
      value *= 1000
    }
    return significant(value) + prefix
  }

  /// `2d 3h 4m 5s`, `1.234s`, `100ms`
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite else { return significant(seconds) }
    if seconds == 0 { return significant(seconds) + "s" }
    if seconds.magnitude < 1 { return small(seconds) + "s" }
    let sign = seconds < 0 ? "-" : ""
    // What 64 bits do not hold is the least of them, as in Go; the parts then have signs of their own.
    let whole = DurationText.nanoseconds(seconds.magnitude)
    let (days, hours, minutes) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60)
    if days != 0 { return "\(sign)\(days)d \(hours)h \(minutes)m \(whole % 60)s" }
    if hours != 0 { return "\(sign)\(hours)h \(minutes)m \(whole % 60)s" }
    if minutes != 0 { return "\(sign)\(minutes)m \(whole % 60)s" }
    return sign + significant(seconds.magnitude) + "s"
  }
}
