// SPDX-License-Identifier: Apache-2.0

// The three ways an event tells its time: epoch milliseconds, epoch seconds, RFC 3339.

import JSON

/// Reads times without a calendar library.
package enum EventTime {
  /// Numbers from here on are milliseconds: as seconds it is the year 5138, as milliseconds March 1973.
  static let leastMilliseconds = 1e11

  /// Epoch seconds or milliseconds in ms, nil for what no clock says.
  package static func ms(epoch number: Double) -> Int64? {
    let ms = abs(number) >= leastMilliseconds ? number : number * 1000
    // 2^53; beyond it milliseconds are not exact, and no such time exists in a log.
    guard abs(ms) <= 9_007_199_254_740_992 else { return nil }
    // Not `rounded(.down)`, which is a call of the C library on processors that are not asked for more than SSE2.
    let cut = Int64(ms)
    return Double(cut) > ms ? cut - 1 : cut
  }

  /// RFC 3339 (`2026-01-31T12:00:00.25+01:00`; a space or `t` may stand for `T`, `z` for `Z`) in ms since 1970.
  ///
  /// A leap second counts as the second after it. Fractions beyond ms are cut.
  /// - Returns: nil for anything else, a time without a zone included.
  package static func ms(rfc3339 bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int64? {
    guard end - start >= 20, end <= bytes.count,
      let year = digits(bytes, start, 4), bytes[start + 4] == UInt8(ascii: "-"),
      let month = digits(bytes, start + 5, 2), bytes[start + 7] == UInt8(ascii: "-"),
      let day = digits(bytes, start + 8, 2), bytes[start + 10] | 0x20 == UInt8(ascii: "t") || bytes[start + 10] == 0x20,
      let hour = digits(bytes, start + 11, 2), bytes[start + 13] == UInt8(ascii: ":"),
      let minute = digits(bytes, start + 14, 2), bytes[start + 16] == UInt8(ascii: ":"),
      let second = digits(bytes, start + 17, 2),
      month >= 1, month <= 12, day >= 1, day <= daysInMonth(year, month), hour < 24, minute < 60, second <= 60
    else { return nil }
    var index = start + 19
    guard let fraction = fractionMs(bytes, &index, end), let zone = zoneMinutes(bytes, index, end) else { return nil }
    let minutes = (daysSince1970(year, month, day) * 24 + Int64(hour)) * 60 + Int64(minute) - zone
    return (minutes * 60 + Int64(second)) * 1000 + fraction
  }

  private static func digits(_ bytes: Span<UInt8>, _ start: Int, _ count: Int) -> Int? {
    var value = 0
    for index in start..<start + count {
      let digit = bytes[index] &- 0x30
      guard digit <= 9 else { return nil }
      value = value * 10 + Int(digit)
    }
    return value
  }

  private static func fractionMs(_ bytes: Span<UInt8>, _ index: inout Int, _ end: Int) -> Int64? {
    guard index < end, bytes[index] == UInt8(ascii: ".") else { return 0 }
    index += 1
    let start = index
    var ms: Int64 = 0
    var weight: Int64 = 100
    while index < end, bytes[index] &- 0x30 <= 9 {
      ms += Int64(bytes[index] &- 0x30) * weight
      weight /= 10
      index += 1
    }
    return index > start ? ms : nil
  }

  private static func zoneMinutes(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int64? {
    guard start < end else { return nil }
    if bytes[start] | 0x20 == UInt8(ascii: "z") { return end == start + 1 ? 0 : nil }
    guard end == start + 6, bytes[start] == UInt8(ascii: "+") || bytes[start] == UInt8(ascii: "-"),
      let hours = digits(bytes, start + 1, 2), bytes[start + 3] == UInt8(ascii: ":"),
      let minutes = digits(bytes, start + 4, 2), hours < 24, minutes < 60
    else { return nil }
    let zone = Int64(hours * 60 + minutes)
    return bytes[start] == UInt8(ascii: "-") ? -zone : zone
  }

  private static func daysInMonth(_ year: Int, _ month: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days of the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms").
  static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return Int64(era * 146_097 + dayOfEra - 719_468)
  }
}

/// Reads RFC 3339 times that mostly share their minute with the one before.
struct TimeReader {
  /// `2026-11-21T09:22` as it was last read, and when that minute began.
  private var low: UInt64 = 0
  private var high: UInt64 = 0
  private var minuteMs: Int64 = 0

  /// The same as `EventTime.ms(rfc3339:)`; where a time has 24 bytes, as from JavaScript's `toISOString`, and the
  /// minute of the last one, only its seconds are read.
  mutating func ms(rfc3339 bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int64? {
    guard end - start == 24, let (low, high) = Word.pair(bytes, start), let (_, rest) = Word.pair(bytes, start + 8),
      let withinMs = TimeReader.withinMinute(rest)
    else { return EventTime.ms(rfc3339: bytes, start, end) }
    if low == self.low, high == self.high { return minuteMs + withinMs }
    guard let ms = EventTime.ms(rfc3339: bytes, start, end) else { return nil }
    (self.low, self.high, minuteMs) = (low, high, ms - withinMs)
    return ms
  }

  /// The ms of `:07.099Z`, nil for anything else.
  private static func withinMinute(_ rest: UInt64) -> Int64? {
    // The punctuation of `:__.___Z`, and zeroes where digits stand.
    guard rest & 0xff00_0000_ff00_00ff == 0x5a00_0000_2e00_003a else { return nil }
    let digits = (rest ^ 0x0030_3030_0030_3000) & 0x00ff_ffff_00ff_ff00
    guard Word.digitCount(digits) == 8 else { return nil }
    func digit(_ index: UInt64) -> Int64 { Int64(digits >> (index * 8) & 0xf) }
    let second = digit(1) * 10 + digit(2)
    guard second <= 60 else { return nil }
    return second * 1000 + digit(4) * 100 + digit(5) * 10 + digit(6)
  }
}
