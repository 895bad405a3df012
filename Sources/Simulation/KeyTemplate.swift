// SPDX-License-Identifier: Apache-2.0

// How a cache names its keys: text with one or two numbers in it.

/// A key's text around its numbers.
struct KeyTemplate: Sendable {
  let prefix: String
  var middle: String?
  var suffix = ""
  /// Whether a number stands after the prefix; `programs:active:list` has none.
  var isNumbered = true
  /// How many first numbers there are where there are two.
  var firstCount = 1
}

extension EventLog {
  /// Appends the key's text; numbers start at 1.
  mutating func append(_ template: KeyTemplate, key: Int) {
    append(template.prefix)
    guard template.isNumbered else { return }
    if let middle = template.middle {
      append(number: key % template.firstCount + 1)
      append(middle)
    }
    append(number: key + 1)
    append(template.suffix)
  }
}
