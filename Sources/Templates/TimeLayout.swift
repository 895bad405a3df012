// SPDX-License-Identifier: Apache-2.0

// Times as text, laid out by example: Mon Jan 2 15:04:05 2006. https://pkg.go.dev/time#pkg-constants

enum TimeLayout {
  static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
  ]
  static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

  /// - Parameter layout: what is no part of the example stands for itself.
  static func text(_ instant: Instant, _ layout: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    var rest = layout[...]
    while let first = rest.first {
      if let (count, part) = part(rest, instant) {
        text.append(contentsOf: part.utf8)
        rest = rest.dropFirst(count)
      } else {
        text.append(first)
        rest = rest.dropFirst()
      }
    }
    return text
  }

  // The part of the example that a layout begins with: how long it is there, and what it is of a time.
  private static func part(_ layout: ArraySlice<UInt8>, _ instant: Instant) -> (Int, String)? {
    switch layout.first! {
    case UInt8(ascii: "J"), UInt8(ascii: "M"): name(layout, instant)
    case UInt8(ascii: "0"): zeroPart(layout, instant)
    case UInt8(ascii: "1"):
      layout.starts(with: "15".utf8) ? (2, padded(instant.hour, 2)) : (1, String(instant.date.month))
    case UInt8(ascii: "2"):
      layout.starts(with: "2006".utf8) ? (4, padded(instant.date.year, 4)) : (1, String(instant.date.day))
    case UInt8(ascii: "_"): spacePart(layout, instant)
    case UInt8(ascii: "3"): (1, String(hour12(instant)))
    case UInt8(ascii: "4"): (1, String(instant.minute))
    case UInt8(ascii: "5"): (1, String(instant.second))
    case UInt8(ascii: "P"): layout.starts(with: "PM".utf8) ? (2, instant.hour >= 12 ? "PM" : "AM") : nil
    case UInt8(ascii: "p"): layout.starts(with: "pm".utf8) ? (2, instant.hour >= 12 ? "pm" : "am") : nil
    case UInt8(ascii: "-"), UInt8(ascii: "Z"): zone(layout)
    case UInt8(ascii: "."), UInt8(ascii: ","): fraction(layout, instant)
    default: nil
    }
  }

  private static func name(_ layout: ArraySlice<UInt8>, _ instant: Instant) -> (Int, String)? {
    let month = months[Int(instant.date.month) - 1]
    let weekday = weekdays[Int(instant.weekday)]
    if layout.starts(with: "January".utf8) { return (7, month) }
    if layout.starts(with: "Monday".utf8) { return (6, weekday) }
    if layout.starts(with: "MST".utf8) { return (3, "UTC") }
    // "Month" is no "Mon".
    if let next = layout.dropFirst(3).first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(next) { return nil }
    if layout.starts(with: "Jan".utf8) { return (3, String(month.prefix(3))) }
    if layout.starts(with: "Mon".utf8) { return (3, String(weekday.prefix(3))) }
    return nil
  }

  private static func zeroPart(_ layout: ArraySlice<UInt8>, _ instant: Instant) -> (Int, String)? {
    switch layout.dropFirst().first {
    case UInt8(ascii: "1"): (2, padded(instant.date.month, 2))
    case UInt8(ascii: "2"): (2, padded(instant.date.day, 2))
    case UInt8(ascii: "3"): (2, padded(hour12(instant), 2))
    case UInt8(ascii: "4"): (2, padded(instant.minute, 2))
    case UInt8(ascii: "5"): (2, padded(instant.second, 2))
    case UInt8(ascii: "6"): (2, padded(Int64(instant.date.year.magnitude % 100), 2))
    default: layout.starts(with: "002".utf8) ? (3, padded(instant.dayOfYear, 3)) : nil
    }
  }

  private static func spacePart(_ layout: ArraySlice<UInt8>, _ instant: Instant) -> (Int, String)? {
    if layout.starts(with: "_2006".utf8) { return (5, "_" + padded(instant.date.year, 4)) }
    if layout.starts(with: "_2".utf8) { return (2, padded(instant.date.day, 2, with: " ")) }
    if layout.starts(with: "__2".utf8) { return (3, padded(instant.dayOfYear, 3, with: " ")) }
    return nil
  }

  // Longest first. With `Z` the zone UTC is that letter.
  private static let zones = [
    ("-070000", "+000000"), ("-07:00:00", "+00:00:00"), ("-0700", "+0000"), ("-07:00", "+00:00"), ("-07", "+00"),
    ("Z070000", "Z"),
    ("Z07:00:00", "Z"), ("Z0700", "Z"), ("Z07:00", "Z"), ("Z07", "Z"),
  ]

  private static func zone(_ layout: ArraySlice<UInt8>) -> (Int, String)? {
    zones.first { layout.starts(with: $0.0.utf8) }.map { ($0.0.utf8.count, $0.1) }
  }

  // `.000` with its zeros, `.999` without; no digit may follow.
  private static func fraction(_ layout: ArraySlice<UInt8>, _ instant: Instant) -> (Int, String)? {
    guard let digit = layout.dropFirst().first, digit == UInt8(ascii: "0") || digit == UInt8(ascii: "9") else {
      return nil
    }
    let count = layout.dropFirst().prefix { $0 == digit }.count
    if let next = layout.dropFirst(1 + count).first, NumberLiteral.digit(next).map({ $0 < 10 }) == true { return nil }
    var digits = Array(padded(instant.nanoseconds, 9).utf8.prefix(count))
    if digit == UInt8(ascii: "9") {
      while digits.last == UInt8(ascii: "0") { digits.removeLast() }
      if digits.isEmpty { return (1 + count, "") }
    }
    return (1 + count, String(decoding: [layout.first!] + digits, as: UTF8.self))
  }

  private static func hour12(_ instant: Instant) -> Int64 {
    let hour = instant.hour % 12
    return hour == 0 ? 12 : hour
  }

  private static func padded(_ number: Int64, _ width: Int, with padding: Character = "0") -> String {
    let digits = String(number.magnitude)
    return (number < 0 ? "-" : "") + String(repeating: padding, count: max(0, width - digits.utf8.count)) + digits
  }
}
