// SPDX-License-Identifier: Apache-2.0

internal import Foundation

// Times as they come in query parameters.

enum RequestTime {
  /// Epoch seconds, fraction allowed, or RFC 3339, as in Prometheus' API.
  ///
  /// - Returns: nil where the parameter is absent.
  static func ms(_ text: String?, parameter: String) throws(RequestError) -> Int64? {
    guard let text, !text.isEmpty else { return nil }
    // Beyond the year 9999 nothing is stored, and products with windows must not overflow.
    if let ms = ms(text), abs(ms) <= 253_402_300_800_000 { return ms }
    throw .badRequest("\(parameter): \(text.prefix(40)): must be seconds since 1970 or RFC 3339, such as 2026-01-31T12:00:00Z")
  }

  /// Nil for what is neither, and for seconds beyond `secondsMax`.
  static func ms(_ text: String) -> Int64? {
    if let seconds = Double(text) { return abs(seconds) <= secondsMax ? Int64((seconds * 1000).rounded()) : nil }
    for style in [Date.ISO8601FormatStyle(includingFractionalSeconds: true), Date.ISO8601FormatStyle()] {
      if let date = try? style.parse(text) { return Int64((date.timeIntervalSince1970 * 1000).rounded()) }
    }
    return nil
  }

  /// Clients of Prometheus' API send milliseconds for seconds now and then, which must be answered, and products with
  /// steps must not overflow.
  static let secondsMax = 253_402_300_800_000.0
}
