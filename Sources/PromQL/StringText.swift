// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// Strings and labels as Prometheus words them in errors and annotations.

enum StringText {
  /// As Go's `%q`.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default:
        if scalar.value < 0x20 || scalar.value == 0x7f {
          let digits = String(scalar.value, radix: 16)
          result += "\\x" + (digits.count < 2 ? "0" : "") + digits
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }

  /// All labels in braces, the name as one of them: `{__name__="up", job="a"}`.
  static func braces(_ labels: Labels) -> String {
    "{" + labels.all.map { "\($0.name)=\(quoted($0.value))" }.joined(separator: ", ") + "}"
  }
}
