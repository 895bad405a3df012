// SPDX-License-Identifier: Apache-2.0

// Why an expression was refused, in the words of Go's package regexp/syntax: people compare them with Prometheus'.

/// A regular expression that cannot be used.
package struct RegularExpressionError: Error, Equatable, Sendable, CustomStringConvertible {
  package enum Code: String, Sendable {
    case internalFault = "regexp/syntax: internal error"
    case invalidEscape = "invalid escape sequence"
    case invalidCharacterClass = "invalid character class"
    case invalidCharacterRange = "invalid character class range"
    case missingBracket = "missing closing ]"
    case missingParenthesis = "missing closing )"
    case unexpectedParenthesis = "unexpected )"
    case trailingBackslash = "trailing backslash at end of expression"
    case missingRepeatArgument = "missing argument to repetition operator"
    case invalidRepeatSize = "invalid repeat count"
    case invalidRepeatOperator = "invalid nested repetition operator"
    case invalidPerlOperator = "invalid or unsupported Perl syntax"
    case invalidUTF8 = "invalid UTF-8"
    case invalidNamedCapture = "invalid named capture"
    case tooLarge = "expression too large"
  }

  package let code: Code
  /// The offending part of the expression.
  package let part: String

  package init(_ code: Code, part: String) {
    self.code = code
    self.part = part
  }

  package var description: String { "error parsing regexp: \(code.rawValue): `\(part)`" }
}
