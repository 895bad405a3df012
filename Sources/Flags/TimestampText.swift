// SPDX-License-Identifier: Apache-2.0

// Instants as RFC 3339 in UTC, for `updatedAt`. Only writing: the API's other times are numbers.

/// Writes RFC 3339 timestamps.
package enum TimestampText {
  /// - Parameter milliseconds: since the epoch, 1970 or later.
  /// - Returns: such as `2026-11-21T07:00:00Z`; with three decimals where there are milliseconds.
  package static func rfc3339(milliseconds: Int64) -> String {
    let time = max(0, milliseconds)
    let (year, month, day) = date(daysSinceEpoch: time / 86_400_000)
    let second = time / 1000 % 86_400
    let clock = "\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
    let fraction = time % 1000 == 0 ? "" : ".\(padded(time % 1000, 3))"
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(clock)\(fraction)Z"
  }

  /// Howard Hinnant's civil_from_days for days from 1970 on: years counted from March make the leap day the last one.
  private static func date(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let days = daysSinceEpoch + 719_468
    let era = days / 146_097
    let dayOfEra = days - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
  }

  private static func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
