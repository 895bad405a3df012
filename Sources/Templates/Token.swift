// SPDX-License-Identifier: Apache-2.0

// The words of a template, as the lexer cuts them.

struct Token {
  enum Kind: Equatable {
    /// The value is the message.
    case error
    case bool, characterConstant, complex, field, identifier, number, rawString, string, variable
    /// A printable ASCII character that means nothing by itself; a comma, mostly.
    case character
    case assign, declare, pipe, leftParenthesis, rightParenthesis, leftDelimiter, rightDelimiter
    /// A run of spaces, which separate operands.
    case space
    case text, end
    case keyword(Keyword)
  }

  enum Keyword: String {
    case block, `break`, `continue`, define, `else`, end, `if`, range, template, with
    /// Shown in messages like the words.
    case dot = "."
    case untyped = "nil"
  }

  let kind: Kind
  /// In bytes from the start of the text.
  let position: Int
  let value: [UInt8]
  /// On which the token starts, from 1.
  let line: Int

  /// As messages show it: the first ten characters of it.
  var shown: String {
    switch kind {
    case .end: "EOF"
    case .error: String(decoding: value, as: UTF8.self)
    case .keyword: "<\(String(decoding: value, as: UTF8.self))>"
    default: value.count > 10 ? Quoting.quoted(Scalars.prefix(value, 10)) + "..." : Quoting.quoted(value)
    }
  }
}
