// SPDX-License-Identifier: Apache-2.0

// Why a query cannot be read. The words are Prometheus', because they are what users search for.

/// An error in the text of a query.
package struct ParseError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What is wrong, without the place.
  package let message: String
  /// Bytes of the query that are wrong; empty at its end.
  package let range: Range<Int>
  /// Where the range begins, from 1.
  package let line: Int
  /// In bytes, from 1.
  package let column: Int
  /// What of Prometheus' experimental features the query needs, as `function info`; nil where that is not the reason.
  package let feature: String?

  init(_ message: String, _ range: Range<Int>, in query: [UInt8], feature: String? = nil) {
    self.message = message
    self.range = range.clamped(to: 0..<query.count)
    self.feature = feature
    let before = query.prefix(range.lowerBound)
    line = 1 + before.count { $0 == .lineFeed }
    column = before.count - (before.lastIndex(of: .lineFeed) ?? -1)
  }

  /// Whether Prometheus would read the query when started with an experimental feature, or is able to in another way.
  package var isExperimental: Bool { feature != nil }

  /// As Prometheus': `1:4: parse error: unknown function with name "rat"`.
  package var description: String { "\(line):\(column): parse error: \(message)" }
}
