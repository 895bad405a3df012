// SPDX-License-Identifier: Apache-2.0

// Why a query was refused. The words are Prometheus', so that what people find about a message applies here too.

/// A query that is no PromQL, or that makes no sense.
package struct ParseError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong, without the place.
  package let message: String
  /// The offending bytes of the query; empty where something is missing.
  package let range: Range<Int>
  /// From 1.
  package let line: Int
  /// In bytes, from 1.
  package let column: Int
  private let isOfEmptyQuery: Bool

  // Messages show what they are about, which may be as long as a query.
  private static let messageBytesMax = 1 << 10

  /// Linear in the place: counts the lines before it.
  init(_ message: String, at range: Range<Int>, in query: [UInt8]) {
    let isLong = message.utf8.count > Self.messageBytesMax
    self.message = isLong ? String(decoding: message.utf8.prefix(Self.messageBytesMax), as: UTF8.self) + "…" : message
    self.range = range
    let before = query[..<min(range.lowerBound, query.count)]
    line = before.count { $0 == UInt8(ascii: "\n") } + 1
    column = before.count - (before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0) + 1
    isOfEmptyQuery = query.isEmpty
  }

  /// `1:4: parse error: unknown function with name "rat"`
  package var description: String {
    isOfEmptyQuery ? "unknown position: parse error: \(message)" : "\(line):\(column): parse error: \(message)"
  }
}
