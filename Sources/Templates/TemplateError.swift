// SPDX-License-Identifier: Apache-2.0

// Why a template was refused, or could not be expanded. The words are Go's and Prometheus', so that what people find
// about a message applies here too.

/// A template that cannot be read, or that failed while it was expanded.
package struct TemplateError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Reading: `template: __alert_X:1: function "foo" not defined`. Expanding: `error executing template __alert_X:
  /// template: __alert_X:1:106: executing "__alert_X" at <first>: error calling first: …`, in which the column counts
  /// the definitions that Prometheus puts in front (`Template.preamble`).
  package let description: String

  // Messages show the action they are about, which may be as long as a template.
  private static let messageBytesMax = 4 << 10

  init(_ message: String) {
    let isLong = message.utf8.count > Self.messageBytesMax
    description = isLong ? String(decoding: message.utf8.prefix(Self.messageBytesMax), as: UTF8.self) + "…" : message
  }
}

/// What a function says of its arguments; the execution adds where it was called.
struct Fault: Error {
  let message: String

  init(_ message: String) { self.message = message }
}
