// SPDX-License-Identifier: Apache-2.0

// Days, months and years of a time in UTC, for hour(), year() and their like. Leap seconds do not exist in Unix time.

/// A second in the Gregorian calendar, UTC.
struct CivilTime {
  let year: Int
  /// From 1.
  let month: Int
  /// From 1.
  let day: Int
  let secondOfDay: Int
  /// Days since 1970-01-01.
  private let days: Int

  init(timeMs: Int64) {
    self.init(seconds: Int(timeMs / 1000))
  }

  /// Howard Hinnant's `civil_from_days` (https://howardhinnant.github.io/date_algorithms.html): years begin in March,
  /// so that the leap day is the last of its year; 400 of them have 146,097 days.
  init(seconds: Int) {
    days = CivilTime.floored(seconds, 86_400)
    secondOfDay = seconds - days * 86_400
    let shifted = days + 719_468
    let era = CivilTime.floored(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  var hour: Int { secondOfDay / 3600 }
  var minute: Int { secondOfDay / 60 % 60 }

  /// 0 is Sunday; 1970-01-01 was a Thursday.
  var weekday: Int { (days + 4) - CivilTime.floored(days + 4, 7) * 7 }

  /// From 1.
  var dayOfYear: Int {
    let lengths = [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return lengths.prefix(month - 1).reduce(day, +)
  }

  var daysInMonth: Int {
    switch month {
    case 2: isLeapYear ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  private var isLeapYear: Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

  /// As RFC 3339: `2026-01-02T03:04:05Z`.
  var text: String {
    func padded(_ number: Int, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    return "\(date)T\(padded(hour, 2)):\(padded(minute, 2)):\(padded(secondOfDay % 60, 2))Z"
  }

  private static func floored(_ dividend: Int, _ divisor: Int) -> Int {
    let quotient = dividend / divisor
    return dividend % divisor < 0 ? quotient - 1 : quotient
  }
}
