// SPDX-License-Identifier: Apache-2.0

// When a ramp may advance by itself: weekdays and hours, in the plan's time zone. Pure arithmetic on local time; what the
// zone's offset is at a moment is for others to know.

internal import JSON

/// Hours of some weekdays.
package struct AdvanceWindow: Equatable, Sendable {
  package enum Day: String, CaseIterable, Sendable {
    case mon, tue, wed, thu, fri, sat, sun
  }

  private static let minutesInDay = 1440
  private static let minutesInWeek = 7 * minutesInDay

  /// In the order of the week, at least one.
  package let days: [Day]
  /// Minutes after midnight, 0...1439.
  package let fromMinute: Int
  /// Minutes after midnight, 1...1440, exclusive. Where it is not after `fromMinute` the window ends on the next day.
  package let toMinute: Int

  init(_ json: JSONValue, path: String) throws(FlagError) {
    let reader = try DocumentReader(json, path: path, known: ["days", "from", "to"])
    var days: Set<Day> = []
    for (index, json) in (try reader.array("days", countMax: Day.allCases.count) ?? []).enumerated() {
      guard let day = json.string.flatMap(Day.init(rawValue:)) else {
        let words = Day.allCases.map(\.rawValue).joined(separator: ", ")
        throw FlagError(field: reader.field("days", index), value: json.text, expected: "must be one of \(words)")
      }
      days.insert(day)
    }
    self.days = days.isEmpty ? Day.allCases : Day.allCases.filter(days.contains)
    fromMinute = try AdvanceWindow.minute(reader, "from") ?? 0
    toMinute = try AdvanceWindow.minute(reader, "to") ?? AdvanceWindow.minutesInDay
    guard fromMinute < AdvanceWindow.minutesInDay, toMinute > 0, fromMinute != toMinute else {
      throw FlagError(field: path, message: "from and to must be two different times, such as \"09:00\" and \"17:00\"")
    }
  }

  /// `HH:MM`, up to `24:00`.
  private static func minute(_ reader: DocumentReader, _ name: String) throws(FlagError) -> Int? {
    guard let text = try reader.string(name, bytesMax: 5) else { return nil }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.count == 2 && $0.allSatisfy { $0.isASCII && $0.isNumber } }),
      let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60, hour * 60 + minute <= minutesInDay
    else {
      throw FlagError(field: reader.field(name), value: text, expected: "must be a time such as \"09:00\"")
    }
    return hour * 60 + minute
  }

  private var lengthMinutes: Int {
    let length = toMinute - fromMinute
    return length > 0 ? length : length + AdvanceWindow.minutesInDay
  }

  private var openings: [Int] {
    Day.allCases.indices.filter { days.contains(Day.allCases[$0]) }.map { $0 * AdvanceWindow.minutesInDay + fromMinute }
  }

  /// Minutes from `minuteOfWeek` (0 is Monday's midnight) until the window is open: 0 where it is.
  func minutesUntilOpen(_ minuteOfWeek: Int) -> Int {
    openings.map { opening in
      let since = (minuteOfWeek - opening + AdvanceWindow.minutesInWeek) % AdvanceWindow.minutesInWeek
      return since < lengthMinutes ? 0 : AdvanceWindow.minutesInWeek - since
    }.min() ?? 0
  }

  fileprivate static func msUntilOpen(_ windows: [AdvanceWindow], localMs: Int64) -> Int64 {
    let (minuteMs, weekMs): (Int64, Int64) = (60_000, 60_000 * Int64(minutesInWeek))
    // Monday is three days after Thursday of the week before; the remainder of a time before 1970 is negative.
    let weekTimeMs = ((localMs + 3 * 86_400_000) % weekMs + weekMs) % weekMs
    let wait = windows.map { $0.minutesUntilOpen(Int(weekTimeMs / minuteMs)) }.min() ?? 0
    return wait == 0 ? 0 : Int64(wait) * minuteMs - weekTimeMs % minuteMs
  }

  var json: JSONValue {
    func text(_ minute: Int) -> JSONValue {
      let (hour, rest) = (minute / 60, minute % 60)
      return .string("\(hour < 10 ? "0" : "")\(hour):\(rest < 10 ? "0" : "")\(rest)")
    }
    return .object([
      JSONMember(name: "days", value: .array(days.map { .string($0.rawValue) })),
      JSONMember(name: "from", value: text(fromMinute)),
      JSONMember(name: "to", value: text(toMinute)),
    ])
  }
}

extension RolloutPlan {
  /// Milliseconds from a local time until any of the windows is open; 0 where one is, or there are none.
  ///
  /// - Parameter localMs: since 1970, a Thursday, by the clock on the wall of the plan's time zone.
  package func msUntilOpen(localMs: Int64) -> Int64 { AdvanceWindow.msUntilOpen(windows, localMs: localMs) }
}
