// SPDX-License-Identifier: Apache-2.0

// A time as an event may write it: epoch milliseconds, epoch seconds with a fraction, or RFC 3339 in UTC.

extension EventLog {
  /// Appends a time from 1970 on.
  mutating func append(timestampMs: Int64, _ form: TimeForm) {
    switch form {
    case .milliseconds: append(number: Int(timestampMs))
    case .seconds: append(millisecondsOfUs: Int(timestampMs))
    case .rfc3339: append(rfc3339: Int(timestampMs))
    }
  }

  private mutating func append(rfc3339 timestampMs: Int) {
    let date = Self.date(ofDay: timestampMs / 86_400_000)
    let ofDay = timestampMs % 86_400_000
    append("\"")
    append(number: date.year, digits: 4)
    append("-")
    append(number: date.month, digits: 2)
    append("-")
    append(number: date.day, digits: 2)
    append("T")
    append(number: ofDay / 3_600_000, digits: 2)
    append(":")
    append(number: ofDay / 60_000 % 60, digits: 2)
    append(":")
    append(number: ofDay / 1_000 % 60, digits: 2)
    append(".")
    append(number: ofDay % 1_000, digits: 3)
    append("Z\"")
  }

  // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days, for days from 1970 on.
  private static func date(ofDay day: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = day + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
  }
}
