// SPDX-License-Identifier: Apache-2.0

// Bytes to words. As in Prometheus some words depend on the brackets around them: keywords are plain names in braces,
// and a colon in brackets stands for itself.

/// Reads a query word by word.
struct Lexer {
  enum Place {
    case expression
    case braces
    /// After a left bracket, up to the first number.
    case bracket
  }

  let bytes: [UInt8]
  var position = 0
  /// Where the word that is being read begins.
  private(set) var start = 0
  var place = Place.expression
  private var openParentheses = 0
  /// After a left bracket.
  var isInBrackets = false
  /// In brackets, after their colon.
  var hasColon = false
  /// After the first number in any brackets: from then on Prometheus leaves a colon that comes too early to the parser.
  var hasDuration = false

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The next word; `.endOfInput` at the end and ever after.
  mutating func next() throws(ParseError) -> Token {
    skipSpaceAndComments()
    start = position
    guard position < bytes.count else { return try endOfInput() }
    switch place {
    case .expression: return try expressionToken()
    case .braces: return try bracesToken()
    case .bracket: return try bracketToken()
    }
  }

  private mutating func skipSpaceAndComments() {
    while let byte = peek() {
      if byte == UInt8(ascii: "#"), place != .bracket {
        while let byte = peek(), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") { position += 1 }
      } else if byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d {
        position += 1
      } else {
        return
      }
    }
  }

  private func endOfInput() throws(ParseError) -> Token {
    switch place {
    case .braces: throw error("unexpected end of input inside braces")
    case .bracket: throw error("unexpected end of input in duration expression")
    case .expression:
      guard openParentheses == 0 else { throw error("unclosed left parenthesis") }
      guard !isInBrackets else { throw error("unclosed left bracket") }
      return token(.endOfInput)
    }
  }

  private mutating func expressionToken() throws(ParseError) -> Token {
    let byte = bytes[position]
    if let kind = Lexer.symbol(byte) {
      position += 1
      return try token(kind, after: byte)
    }
    switch byte {
    case UInt8(ascii: "="), UInt8(ascii: "!"), UInt8(ascii: "<"), UInt8(ascii: ">"): return try comparison()
    case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): return try string()
    case UInt8(ascii: "["): return try leftBracket()
    case UInt8(ascii: "]"):
      position += 1
      guard isInBrackets else { throw error("unexpected right bracket ']'") }
      isInBrackets = false
      return token(.rightBracket)
    default:
      if startsNumber() { return try numberOrDuration() }
      guard byte.isLetter || byte == UInt8(ascii: ":") else {
        throw characterError("unexpected character: ")
      }
      return isInBrackets ? try colonOrDurationFunction() : keywordOrIdentifier()
    }
  }

  /// The symbols that are one byte and the same wherever they stand outside of braces.
  static func symbol(_ byte: UInt8) -> Token.Kind? {
    switch byte {
    case UInt8(ascii: ","): .comma
    case UInt8(ascii: "*"): .binary(.multiply)
    case UInt8(ascii: "/"): .binary(.divide)
    case UInt8(ascii: "%"): .binary(.modulo)
    case UInt8(ascii: "+"): .binary(.add)
    case UInt8(ascii: "-"): .binary(.subtract)
    case UInt8(ascii: "^"): .binary(.power)
    case UInt8(ascii: "("): .leftParenthesis
    case UInt8(ascii: ")"): .rightParenthesis
    case UInt8(ascii: "{"): .leftBrace
    case UInt8(ascii: "@"): .at
    default: nil
    }
  }

  /// The token of a symbol just read, with what it opens or closes.
  mutating func token(_ kind: Token.Kind, after byte: UInt8) throws(ParseError) -> Token {
    let token = token(kind)
    switch kind {
    case .leftParenthesis: openParentheses += 1
    case .leftBrace: place = .braces
    case .rightParenthesis:
      guard openParentheses > 0 else {
        start = position
        throw error("unexpected right parenthesis ')'")
      }
      openParentheses -= 1
    default: break
    }
    return token
  }

  private mutating func comparison() throws(ParseError) -> Token {
    let byte = bytes[position]
    position += 1
    let following = peek()
    switch (byte, following) {
    case (UInt8(ascii: "="), UInt8(ascii: "=")): return longToken(.binary(.equal))
    case (UInt8(ascii: "="), UInt8(ascii: "~")): throw error("unexpected character after '=': '~'")
    case (UInt8(ascii: "="), _): return token(.equals)
    case (UInt8(ascii: "!"), UInt8(ascii: "=")): return longToken(.binary(.notEqual))
    case (UInt8(ascii: "!"), _): throw characterError("unexpected character after '!': ")
    case (_, UInt8(ascii: "/")): return longToken(.trim)
    case (UInt8(ascii: "<"), UInt8(ascii: "=")): return longToken(.binary(.lessOrEqual))
    case (UInt8(ascii: "<"), _): return token(.binary(.less))
    case (_, UInt8(ascii: "=")): return longToken(.binary(.greaterOrEqual))
    default: return token(.binary(.greater))
    }
  }

  mutating func identifier() -> Token {
    while let byte = peek(), byte.isLetter || byte.isDigit { position += 1 }
    return token(.identifier)
  }

  private mutating func keywordOrIdentifier() -> Token {
    while let byte = peek(), byte.isLetter || byte.isDigit || byte == UInt8(ascii: ":") { position += 1 }
    switch keyword() {
    // "fill" names metrics of people who had them before it became a keyword.
    case .fill where !isFollowedByLeftParenthesis(): return token(.identifier)
    case let kind?: return token(kind)
    case nil: return token(bytes[start..<position].contains(UInt8(ascii: ":")) ? .metricIdentifier : .identifier)
    }
  }

  /// The keyword that has been read since `start`.
  func keyword() -> Token.Kind? {
    guard position - start <= Token.Kind.keywordBytesMax else { return nil }
    return .keyword(String(decoding: bytes[start..<position], as: UTF8.self).lowercased())
  }

  private func isFollowedByLeftParenthesis() -> Bool {
    let following = bytes[position...].first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0a && $0 != 0x0d }
    return following == UInt8(ascii: "(")
  }

  /// An error about the character at `position`, which may be the end, shown as Go's `%q` does.
  mutating func characterError(_ before: String, _ after: String = "") -> ParseError {
    let (scalar, count) = QuotedText.scalar(in: bytes, at: position)
    position += count
    return error("\(before)\(QuotedText.quoted(scalar))\(after)")
  }

  mutating func longToken(_ kind: Token.Kind) -> Token {
    position += 1
    return token(kind)
  }

  // MARK: What the other files of the lexer use.

  func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  func token(_ kind: Token.Kind) -> Token { Token(kind: kind, range: start..<position) }

  /// An error about the word that is being read.
  func error(_ message: String) -> ParseError {
    ParseError(message, at: start..<max(start, position), in: bytes)
  }
}

extension UInt8 {
  /// A letter of ASCII or an underscore.
  var isLetter: Bool { self | 0x20 &- 0x61 < 26 || self == UInt8(ascii: "_") }
  var isDigit: Bool { self &- 0x30 < 10 }
}
