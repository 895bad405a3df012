// SPDX-License-Identifier: Apache-2.0

// Why a pattern is refused, in the words of Go's regexp/syntax: they are what users of Prometheus look up.

/// A pattern that is no regular expression, or too large a one.
package struct RegularExpressionError: Error, Equatable, CustomStringConvertible {
  package enum Code: String, Sendable {
    case missingParenthesis = "missing closing )"
    case unexpectedParenthesis = "unexpected )"
    case missingBracket = "missing closing ]"
    case missingRepetitionArgument = "missing argument to repetition operator"
    case invalidRepetitionCount = "invalid repeat count"
    case invalidNestedRepetition = "invalid nested repetition operator"
    case invalidEscape = "invalid escape sequence"
    case trailingBackslash = "trailing backslash at end of expression"
    case invalidCharacterClass = "invalid character class"
    case invalidCharacterRange = "invalid character class range"
    case unsupportedSyntax = "invalid or unsupported Perl syntax"
    case invalidGroupName = "invalid named capture"
    case invalidUTF8 = "invalid UTF-8"
    case tooLarge = "expression too large"
    case internalError = "internal error"
  }

  // An answer shows where to look; it does not repeat 64 KiB.
  private static let excerptScalarsMax = 256

  package let code: Code
  /// The part of the pattern that is refused, at its start when it is long.
  package let excerpt: String

  init(_ code: Code, _ refused: String) {
    let scalars = refused.unicodeScalars
    self.code = code
    excerpt = scalars.count <= Self.excerptScalarsMax ? refused : String(scalars.prefix(Self.excerptScalarsMax)) + "…"
  }

  /// As Go's: "error parsing regexp: missing closing ): `(foo`".
  package var description: String { "error parsing regexp: \(code.rawValue): `\(excerpt)`" }
}
