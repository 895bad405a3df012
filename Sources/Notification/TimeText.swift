// SPDX-License-Identifier: Apache-2.0

internal import Foundation

// Instants as Alertmanager and its receivers write them.

enum TimeText {
  /// Go's zero time: the end of an alert that still fires, in the webhook's format.
  static let none = "0001-01-01T00:00:00Z"

  /// RFC 3339 in UTC with milliseconds.
  static func rfc3339(_ milliseconds: Int64) -> String {
    Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }

  /// Nil for what is no RFC 3339. Fractions are cut to milliseconds.
  static func milliseconds(_ text: String) -> Int64? {
    for style in [Date.ISO8601FormatStyle(includingFractionalSeconds: true), Date.ISO8601FormatStyle()] {
      if let date = try? style.parse(text) { return Int64((date.timeIntervalSince1970 * 1000).rounded()) }
    }
    return nil
  }

  /// The wait that a `Retry-After` header asks for; nil for one that cannot be read. Never negative.
  ///
  /// - Parameter text: seconds, or a date of HTTP.
  static func retryAfterMs(_ text: String, nowMs: Int64) -> Int64? {
    if let seconds = Double(text), seconds >= 0 { return Int64(min(seconds, 86_400) * 1000) }
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(identifier: "GMT")
    format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
    guard let date = format.date(from: text) else { return nil }
    return max(Int64(date.timeIntervalSince1970 * 1000) - nowMs, 0)
  }
}
