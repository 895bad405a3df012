// SPDX-License-Identifier: Apache-2.0

// What is wrong with a document somebody wrote: a flag's definition or a ramp's plan.

/// A fault in a definition or a plan. Prints as `rollout.percent: 140: must be from 0 to 100`.
package struct FlagError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Longer offending texts are cut here, so that an answer stays readable.
  package static let valueBytesMax = 80

  /// Where, such as `rules[2].if[0].op`; empty for the whole document.
  package let field: String
  /// The offending text where there is one, then what was expected.
  package let message: String

  package init(field: String, message: String) {
    self.field = field
    self.message = message
  }

  /// - Parameter value: the offending text; cut when it is long.
  package init(field: String, value: String, expected: String) {
    self.init(field: field, message: "\(FlagError.cut(value)): \(expected)")
  }

  package var description: String { field.isEmpty ? message : "\(field): \(message)" }

  static func cut(_ text: String) -> String {
    guard text.utf8.count > valueBytesMax else { return text }
    return String(text.prefix(valueBytesMax)) + "…"
  }
}
