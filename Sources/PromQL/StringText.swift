// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// Strings and labels as Prometheus words them in errors and annotations.

enum StringText {
  /// As Go's `%q` of a string. U+FFFD is escaped, because a query must not hold it.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars { append(scalar, quote: "\"", to: &result) }
    return result + "\""
  }

  /// As Go's `%q` of a rune: `'x'`.
  static func quotedScalar(_ scalar: Unicode.Scalar) -> String {
    var result = "'"
    if scalar == "\u{fffd}" { result.unicodeScalars.append(scalar) } else { append(scalar, quote: "'", to: &result) }
    return result + "'"
  }

  private static let controls: [Unicode.Scalar: String] = [
    "\u{07}": "\\a", "\u{08}": "\\b", "\u{0c}": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\u{0b}": "\\v",
    "\\": "\\\\",
  ]

  private static func append(_ scalar: Unicode.Scalar, quote: Unicode.Scalar, to result: inout String) {
    if scalar == quote {
      result += "\\\(quote)"
    } else if let control = controls[scalar] {
      result += control
    } else if isPrintable(scalar), scalar != "\u{fffd}" {
      result.unicodeScalars.append(scalar)
    } else if scalar.value < 0x80 {
      result += "\\x" + hexadecimal(scalar, digits: 2)
    } else {
      result += scalar.value < 0x10000 ? "\\u" + hexadecimal(scalar, digits: 4) : "\\U" + hexadecimal(scalar, digits: 8)
    }
  }

  private static func hexadecimal(_ scalar: Unicode.Scalar, digits: Int) -> String {
    let text = String(scalar.value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }

  /// As Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols, and of spaces the common one.
  static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return (0x20..<0x7f).contains(scalar.value) }
    return switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator, .paragraphSeparator: false
    default: true
    }
  }

  /// All labels in braces, the name as one of them: `{__name__="up", job="a"}`.
  static func braces(_ labels: Labels) -> String {
    "{" + labels.all.map { "\($0.name)=\(quoted($0.value))" }.joined(separator: ", ") + "}"
  }
}
