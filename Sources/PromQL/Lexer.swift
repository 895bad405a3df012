// SPDX-License-Identifier: Apache-2.0

// Cuts a query into tokens. Numbers and strings are in Lexer+Literals.swift; what they stand for is the parser's.

/// Reads tokens one after the other; each byte is looked at a bounded number of times.
struct Lexer {
  let bytes: [UInt8]
  var offset = 0
  /// Where the token begins that is being read.
  var start = 0
  private var parenthesisDepth = 0
  private var isInBraces = false
  private var bracket = Bracket.closed

  /// What is between `[` and `]`.
  private enum Bracket {
    case closed
    /// No number yet.
    case opened
    case hasRange
    case hasColon
  }

  init(_ query: String) {
    bytes = Array(query.utf8)
  }

  /// The next token; `endOfInput` for ever after the last one.
  mutating func next() throws(ParseError) -> Token {
    skipSpacesAndComments()
    start = offset
    if isInBraces { return try nextInBraces() }
    if bracket == .opened { return try nextOfDuration() }
    guard let byte = peek() else { return try endOfInput() }
    if byte.isDigit || (byte == UInt8(ascii: ".") && peek(1)?.isDigit == true) { return try number() }
    if byte.isLetter || byte == UInt8(ascii: ":") { return bracket == .closed ? word() : try wordInBrackets() }
    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") { return try quoted() }
    if byte == UInt8(ascii: "`") { return try raw() }
    return try sign(byte)
  }

  func peek(_ ahead: Int = 0) -> UInt8? {
    offset + ahead < bytes.count ? bytes[offset + ahead] : nil
  }

  mutating func skip(_ byte: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: byte) else { return false }
    offset += 1
    return true
  }

  func token(_ kind: Token.Kind) -> Token { Token(kind: kind, range: start..<offset) }

  /// From the token's start to the end of the query, as Prometheus marks it.
  func error(_ message: String) -> ParseError {
    ParseError(message, start..<bytes.count, in: bytes)
  }

  /// The scalar at the offset as Go's `%q` shows a rune; U+FFFD at the end.
  var quotedScalar: String { StringText.quotedScalar(scalar(at: offset) ?? "\u{fffd}") }

  private mutating func skipSpacesAndComments() {
    while let byte = peek() {
      if byte == UInt8(ascii: "#") {
        while let byte = peek(), byte != .lineFeed, byte != .carriageReturn { offset += 1 }
      } else if byte.isSpace {
        offset += 1
      } else {
        return
      }
    }
  }

  private func endOfInput() throws(ParseError) -> Token {
    if parenthesisDepth > 0 { throw error("unclosed left parenthesis") }
    if bracket != .closed { throw error("unclosed left bracket") }
    return token(.endOfInput)
  }

  // MARK: Words

  private mutating func word() -> Token {
    while let byte = peek(), byte.isLetter || byte.isDigit || byte == UInt8(ascii: ":") { offset += 1 }
    let word = String(decoding: bytes[start..<offset], as: UTF8.self)
    if let kind = Token.Kind.word(word.lowercased()), isKeywordHere(kind) { return token(kind) }
    return token(word.utf8.contains(UInt8(ascii: ":")) ? .metricIdentifier : .identifier)
  }

  /// `fill` came late to the language: it stays a metric's name where no value follows.
  private func isKeywordHere(_ kind: Token.Kind) -> Bool {
    guard case .experimental(let word) = kind, word.isFill else { return true }
    return bytes[offset...].first { !$0.isSpace } == UInt8(ascii: "(")
  }

  private mutating func wordInBrackets() throws(ParseError) -> Token {
    if skip(":") {
      guard bracket == .hasRange else { throw error("unexpected colon ':'") }
      bracket = .hasColon
      return token(.sign(.colon))
    }
    let first = quotedScalar
    if let token = durationWord() { return token }
    throw error("unexpected character: \(first), expected ':'")
  }

  /// `step`, `range`, `max_of` and `min_of`.
  private mutating func durationWord() -> Token? {
    while let byte = peek(), byte.isLetter { offset += 1 }
    let word = String(decoding: bytes[start..<offset], as: UTF8.self).lowercased()
    guard let kind = Token.Kind.word(word), case .preprocessor(let preprocessor) = kind, preprocessor != .start,
      preprocessor != .end
    else { return nil }
    return token(kind)
  }

  // MARK: Signs

  private mutating func sign(_ byte: UInt8) throws(ParseError) -> Token {
    if let operation = operation(byte) { return token(operation) }
    switch byte {
    case UInt8(ascii: "!"):
      offset += 1
      guard skip("=") else { throw error("unexpected character after '!': \(quotedScalar)") }
      return token(.operation(.notEqual))
    case UInt8(ascii: "="): return try equal()
    case UInt8(ascii: "("), UInt8(ascii: ")"): return try parenthesis(byte)
    case UInt8(ascii: "["), UInt8(ascii: "]"): return try openOrCloseBracket(byte)
    case UInt8(ascii: "{"):
      isInBraces = true
      return one(.leftBrace)
    case UInt8(ascii: ","): return one(.comma)
    case UInt8(ascii: "@"): return one(.at)
    default: throw error("unexpected character: \(quotedScalar)")
    }
  }

  private mutating func one(_ sign: Token.Sign) -> Token {
    offset += 1
    return token(.sign(sign))
  }

  private mutating func operation(_ byte: UInt8) -> Token.Kind? {
    guard let operation = Lexer.operations[byte] else { return comparison(byte) }
    offset += 1
    return .operation(operation)
  }

  private static let operations: [UInt8: Binary.Operation] = [
    UInt8(ascii: "+"): .add, UInt8(ascii: "-"): .subtract, UInt8(ascii: "*"): .multiply, UInt8(ascii: "/"): .divide,
    UInt8(ascii: "%"): .modulo, UInt8(ascii: "^"): .power,
  ]

  private mutating func comparison(_ byte: UInt8) -> Token.Kind? {
    switch byte {
    case UInt8(ascii: "<"):
      offset += 1
      return skip("=") ? .operation(.lessOrEqual) : skip("/") ? .experimental(.trimUpper) : .operation(.less)
    case UInt8(ascii: ">"):
      offset += 1
      return skip("=") ? .operation(.greaterOrEqual) : skip("/") ? .experimental(.trimLower) : .operation(.greater)
    default: return nil
    }
  }

  private mutating func equal() throws(ParseError) -> Token {
    offset += 1
    if skip("=") { return token(.operation(.equal)) }
    guard peek() != UInt8(ascii: "~") else { throw error("unexpected character after '=': '~'") }
    return token(.sign(.equal))
  }

  private mutating func parenthesis(_ byte: UInt8) throws(ParseError) -> Token {
    let isLeft = byte == UInt8(ascii: "(")
    let token = one(isLeft ? .leftParenthesis : .rightParenthesis)
    parenthesisDepth += isLeft ? 1 : -1
    start = offset
    guard parenthesisDepth >= 0 else { throw error("unexpected right parenthesis ')'") }
    return token
  }

  private mutating func openOrCloseBracket(_ byte: UInt8) throws(ParseError) -> Token {
    if byte == UInt8(ascii: "[") {
      guard bracket == .closed else { throw error("unexpected left bracket '['") }
      bracket = .opened
      return one(.leftBracket)
    }
    guard bracket != .closed else { throw error("unexpected right bracket ']'") }
    bracket = .closed
    return one(.rightBracket)
  }

  // MARK: Inside braces and brackets

  private mutating func nextInBraces() throws(ParseError) -> Token {
    guard let byte = peek() else { throw error("unexpected end of input inside braces") }
    if byte.isLetter {
      while let byte = peek(), byte.isLetter || byte.isDigit { offset += 1 }
      return token(.identifier)
    }
    switch byte {
    case UInt8(ascii: ","): return one(.comma)
    case UInt8(ascii: "\""), UInt8(ascii: "'"): return try quoted()
    case UInt8(ascii: "`"): return try raw()
    case UInt8(ascii: "="):
      offset += 1
      return token(.sign(skip("~") ? .matches : .equal))
    case UInt8(ascii: "!"):
      offset += 1
      if skip("~") { return token(.sign(.matchesNot)) }
      if skip("=") { return token(.operation(.notEqual)) }
      throw error("unexpected character after '!' inside braces: \(quotedScalar)")
    case UInt8(ascii: "{"): throw error("unexpected left brace '{'")
    case UInt8(ascii: "}"):
      isInBraces = false
      return one(.rightBrace)
    default: throw error("unexpected character inside braces: \(quotedScalar)")
    }
  }

  /// Up to the first number after `[`.
  private mutating func nextOfDuration() throws(ParseError) -> Token {
    guard let byte = peek() else { throw error("unexpected end of input in duration expression") }
    if byte.isDigit || (byte == UInt8(ascii: ".") && peek(1)?.isDigit == true) {
      bracket = .hasRange
      return try number()
    }
    switch byte {
    case UInt8(ascii: "]"): return try openOrCloseBracket(byte)
    case UInt8(ascii: ":"):
      start += 1
      throw error("unexpected colon before duration in duration expression")
    case UInt8(ascii: "("), UInt8(ascii: ")"): return try parenthesis(byte)
    case UInt8(ascii: ","): return one(.comma)
    default: break
    }
    if let operation = Lexer.operations[byte] {
      offset += 1
      return token(.operation(operation))
    }
    let first = quotedScalar
    if byte.isLetter, let token = durationWord() { return token }
    throw error("unexpected character in duration expression: \(first)")
  }
}

extension UInt8 {
  static let lineFeed = UInt8(ascii: "\n")
  static let carriageReturn = UInt8(ascii: "\r")

  var isSpace: Bool { self == 0x20 || self == 0x09 || self == .lineFeed || self == .carriageReturn }
  var isDigit: Bool { (0x30...0x39).contains(self) }
  var isLetter: Bool { (0x61...0x7a).contains(self) || (0x41...0x5a).contains(self) || self == UInt8(ascii: "_") }
}
