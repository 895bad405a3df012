// SPDX-License-Identifier: Apache-2.0

// The methods of times, durations, months and weekdays. Those that need a time zone or make several values are left out.

enum Method {
  case time(OfTime)
  case duration(OfDuration)
  /// Of a month or a weekday.
  case name

  enum OfTime: String {
    case format = "Format"
    case string = "String"
    case utc = "UTC"
    case unix = "Unix"
    case unixMilli = "UnixMilli"
    case unixMicro = "UnixMicro"
    case unixNano = "UnixNano"
    case year = "Year"
    case month = "Month"
    case day = "Day"
    case weekday = "Weekday"
    case yearDay = "YearDay"
    case hour = "Hour"
    case minute = "Minute"
    case second = "Second"
    case nanosecond = "Nanosecond"
    case add = "Add"
    case addDate = "AddDate"
    case sub = "Sub"
    case truncate = "Truncate"
    case round = "Round"
    case after = "After"
    case before = "Before"
    case equal = "Equal"
    case compare = "Compare"
    case isZero = "IsZero"
  }

  enum OfDuration: String {
    case string = "String"
    case hours = "Hours"
    case minutes = "Minutes"
    case seconds = "Seconds"
    case milliseconds = "Milliseconds"
    case microseconds = "Microseconds"
    case nanoseconds = "Nanoseconds"
    case abs = "Abs"
    case truncate = "Truncate"
    case round = "Round"
  }

  /// Nil when the receiver has no such method.
  init?(_ name: String, of receiver: Value) {
    switch receiver {
    case .time:
      guard let method = OfTime(rawValue: name) else { return nil }
      self = .time(method)
    case .integer(_, .duration):
      guard let method = OfDuration(rawValue: name) else { return nil }
      self = .duration(method)
    case .integer(_, .month), .integer(_, .weekday):
      guard name == "String" else { return nil }
      self = .name
    default: return nil
    }
  }

  var name: String {
    switch self {
    case .time(let method): method.rawValue
    case .duration(let method): method.rawValue
    case .name: "String"
    }
  }

  var signature: Signature {
    switch self {
    case .time(.format): Signature(.text)
    case .time(.add), .time(.truncate), .time(.round), .duration(.truncate), .duration(.round): Signature(.duration)
    case .time(.addDate): Signature(.integer, .integer, .integer)
    case .time(.sub), .time(.after), .time(.before), .time(.equal), .time(.compare): Signature(.time)
    default: Signature()
    }
  }

  func perform(on receiver: Value, _ values: [Value]) throws(Fault) -> Value {
    switch (self, receiver) {
    case (.time(let method), .time(let instant)): try method.perform(on: instant, values)
    case (.duration(let method), .integer(let duration, _)): method.perform(on: duration, values)
    default: .text(receiver.spoken ?? "")
    }
  }
}

extension Method.OfTime {
  fileprivate func perform(on instant: Instant, _ values: [Value]) throws(Fault) -> Value {
    func integer(_ value: Int64) -> Value { .integer(value, .int) }
    switch self {
    case .format:
      guard case .text(let layout)? = values.first else { return .none }
      return .text(TimeLayout.text(instant, layout))
    case .string: return .text(instant.description)
    case .utc: return .time(instant)
    case .unix: return .integer(instant.seconds, .int64)
    case .unixMilli: return .integer(instant.unixMilliseconds, .int64)
    case .unixMicro: return .integer(instant.unixMicroseconds, .int64)
    case .unixNano: return .integer(instant.unixNanoseconds, .int64)
    case .year: return integer(instant.date.year)
    case .month: return .integer(instant.date.month, .month)
    case .day: return integer(instant.date.day)
    case .weekday: return .integer(instant.weekday, .weekday)
    case .yearDay: return integer(instant.dayOfYear)
    case .hour: return integer(instant.hour)
    case .minute: return integer(instant.minute)
    case .second: return integer(instant.second)
    case .nanosecond: return integer(instant.nanoseconds)
    case .add: return .time(try instant.adding(nanoseconds: values[0].count))
    case .addDate:
      return .time(try instant.adding(years: values[0].count, months: values[1].count, days: values[2].count))
    case .truncate: return .time(try instant.truncated(to: values[0].count))
    case .round: return .time(try instant.rounded(to: values[0].count))
    case .isZero: return .bool(instant.seconds == Instant.zeroSeconds && instant.nanoseconds == 0)
    case .sub, .after, .before, .equal, .compare:
      guard case .time(let other)? = values.first else { return .none }
      return relate(instant, other)
    }
  }

  private func relate(_ instant: Instant, _ other: Instant) -> Value {
    switch self {
    case .after: .bool(instant > other)
    case .before: .bool(instant < other)
    case .equal: .bool(instant == other)
    case .compare: .integer(instant < other ? -1 : instant > other ? 1 : 0, .int)
    default: .integer(instant.since(other), .duration)
    }
  }
}

extension Method.OfDuration {
  fileprivate func perform(on duration: Int64, _ values: [Value]) -> Value {
    switch self {
    case .string: .text(DurationText.text(duration))
    case .hours: .float(Self.quotient(duration, 3_600_000_000_000))
    case .minutes: .float(Self.quotient(duration, 60_000_000_000))
    case .seconds: .float(DurationText.seconds(duration))
    case .milliseconds: .integer(duration / 1_000_000, .int64)
    case .microseconds: .integer(duration / 1_000, .int64)
    case .nanoseconds: .integer(duration, .int64)
    case .abs: .integer(Int64(clamping: duration.magnitude), .duration)
    case .truncate: .integer(Self.truncated(duration, values[0].count), .duration)
    case .round: .integer(Self.rounded(duration, values[0].count), .duration)
    }
  }

  // Go's: the whole units are exact.
  private static func quotient(_ duration: Int64, _ unit: Int64) -> Double {
    Double(duration / unit) + Double(duration % unit) / Double(unit)
  }

  private static func truncated(_ duration: Int64, _ multiple: Int64) -> Int64 {
    multiple <= 0 ? duration : duration - duration % multiple
  }

  // Half goes away from zero; at most what 64 bits hold.
  private static func rounded(_ duration: Int64, _ multiple: Int64) -> Int64 {
    guard multiple > 0 else { return duration }
    let remainder = (duration % multiple).magnitude
    let isUp = remainder >= multiple.magnitude - remainder
    let magnitude = duration.magnitude - remainder
    let (sum, overflows) = magnitude.addingReportingOverflow(isUp ? multiple.magnitude : 0)
    guard !overflows, sum <= UInt64(Int64.max) else { return duration < 0 ? .min : .max }
    return duration < 0 ? -Int64(sum) : Int64(sum)
  }
}

extension Value {
  // What parameters have made sure of.
  fileprivate var count: Int64 {
    if case .integer(let value, _) = self { return value }
    return 0
  }

  /// Of what says itself by a `String` method: times, durations, months and weekdays; nil of anything else.
  var spoken: String? {
    switch self {
    case .time(let instant): instant.description
    case .integer(let duration, .duration): DurationText.text(duration)
    case .integer(let month, .month):
      (1...12).contains(month) ? TimeLayout.months[Int(month) - 1] : "%!Month(\(UInt64(bitPattern: month)))"
    case .integer(let day, .weekday):
      (0...6).contains(day) ? TimeLayout.weekdays[Int(day)] : "%!Weekday(\(UInt64(bitPattern: day)))"
    case .pointer(let pointer): pointer.target.spoken
    default: nil
    }
  }
}
