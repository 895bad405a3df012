// SPDX-License-Identifier: Apache-2.0

// Times as Go's time.Time in UTC, which is all that Prometheus' templates make. How they are printed is TimeLayout's.

/// A second of the Gregorian calendar with its nanoseconds.
struct Instant: Equatable {
  /// Some two billion years; what arithmetic would make of more is an error.
  private static let secondsMax: Int64 = 1 << 56
  /// Of 0001-01-01, Go's zero time.
  static let zeroSeconds: Int64 = -62_135_596_800

  /// Since 1970-01-01.
  let seconds: Int64
  /// Below 1,000,000,000.
  let nanoseconds: Int64

  /// - Parameter nanoseconds: any; whole seconds of them are carried over.
  init(_ seconds: Int64, nanoseconds: Int64 = 0) throws(Fault) {
    let carried = Instant.floored(nanoseconds, 1_000_000_000)
    let (sum, overflows) = seconds.addingReportingOverflow(carried)
    guard !overflows, sum.magnitude <= Instant.secondsMax else { throw Fault("time out of range") }
    self.seconds = sum
    self.nanoseconds = nanoseconds - carried * 1_000_000_000
  }

  /// Prometheus' toTime: milliseconds of a number of seconds.
  init(seconds: Double) throws(Fault) {
    guard seconds.isFinite else { throw Fault("value is NaN or Inf") }
    let nanoseconds = seconds * 1e9
    guard nanoseconds.magnitude <= 0x1p63 else {
      let shown = Printer.shown(.float(seconds))
      throw Fault("\(shown) cannot be represented as a nanoseconds timestamp since it overflows int64")
    }
    let milliseconds = DurationText.nanoseconds(nanoseconds) / 1_000_000
    try self.init(milliseconds / 1000, nanoseconds: milliseconds % 1000 * 1_000_000)
  }

  var unixMilliseconds: Int64 { seconds &* 1000 &+ nanoseconds / 1_000_000 }
  var unixMicroseconds: Int64 { seconds &* 1_000_000 &+ nanoseconds / 1000 }
  var unixNanoseconds: Int64 { seconds &* 1_000_000_000 &+ nanoseconds }

  var hour: Int64 { secondOfDay / 3600 }
  var minute: Int64 { secondOfDay / 60 % 60 }
  var second: Int64 { secondOfDay % 60 }

  private var secondOfDay: Int64 { seconds - days * 86_400 }
  private var days: Int64 { Instant.floored(seconds, 86_400) }

  /// 0 is Sunday; 1970-01-01 was a Thursday.
  var weekday: Int64 { days + 4 - Instant.floored(days + 4, 7) * 7 }

  /// From 1.
  var dayOfYear: Int64 { days - Instant.days(year: date.year, month: 1) + 1 }

  /// Howard Hinnant's `civil_from_days` (https://howardhinnant.github.io/date_algorithms.html): years begin in March,
  /// so that the leap day is the last of its year; 400 of them have 146,097 days.
  var date: (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = Instant.floored(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
  }

  // Of a month's first day, since 1970-01-01: the inverse of the above.
  private static func days(year: Int64, month: Int64) -> Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = floored(shiftedYear, 400)
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  static func floored(_ dividend: Int64, _ divisor: Int64) -> Int64 {
    let quotient = dividend / divisor
    return dividend % divisor < 0 ? quotient - 1 : quotient
  }
}

// Arithmetic.
extension Instant {
  func adding(nanoseconds duration: Int64) throws(Fault) -> Instant {
    let whole = duration / 1_000_000_000
    return try Instant(seconds + whole, nanoseconds: nanoseconds + (duration - whole * 1_000_000_000))
  }

  /// What is more than a month or a year has is carried over.
  func adding(years: Int64, months: Int64, days: Int64) throws(Fault) -> Instant {
    // More would leave the range whatever the time is, and could overflow on the way there.
    let countMax: UInt64 = 1 << 36
    guard years.magnitude < countMax, months.magnitude < countMax, days.magnitude < countMax else {
      throw Fault("time out of range")
    }
    let date = date
    let month = date.month - 1 + months
    let carried = Instant.floored(month, 12)
    let first = Instant.days(year: date.year + years + carried, month: month - carried * 12 + 1)
    return try Instant((first + date.day - 1 + days) * 86_400 + secondOfDay, nanoseconds: nanoseconds)
  }

  /// In nanoseconds; at most what 64 bits hold.
  func since(_ other: Instant) -> Int64 {
    Int64(clamping: sinceZero - other.sinceZero)
  }

  private var sinceZero: Int128 { Int128(seconds - Instant.zeroSeconds) * 1_000_000_000 + Int128(nanoseconds) }

  /// To a multiple of the duration since the zero time; as it is where that is not positive.
  func truncated(to duration: Int64) throws(Fault) -> Instant {
    guard duration > 0 else { return self }
    return try adding(nanoseconds: -remainder(duration))
  }

  /// Half goes up.
  func rounded(to duration: Int64) throws(Fault) -> Instant {
    guard duration > 0 else { return self }
    let remainder = remainder(duration)
    return try adding(nanoseconds: remainder < duration - remainder ? -remainder : duration - remainder)
  }

  private func remainder(_ duration: Int64) -> Int64 {
    let remainder = Int64(sinceZero % Int128(duration))
    return remainder < 0 ? remainder + duration : remainder
  }
}

extension Instant: Comparable, CustomStringConvertible {
  static func < (left: Instant, right: Instant) -> Bool {
    (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
  }

  /// `2015-06-23 13:19:44.128 +0000 UTC`
  var description: String {
    String(decoding: TimeLayout.text(self, Array("2006-01-02 15:04:05.999999999 -0700 MST".utf8)), as: UTF8.self)
  }
}
