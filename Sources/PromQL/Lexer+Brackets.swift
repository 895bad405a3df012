// SPDX-License-Identifier: Apache-2.0

// Inside of [ ] and { }, where the same letters mean other things: no keywords in braces, no names in brackets.

extension Lexer {
  mutating func leftBracket() throws(ParseError) -> Token {
    position += 1
    guard !isInBrackets else { throw error("unexpected left bracket '['") }
    isInBrackets = true
    hasColon = false
    place = .bracket
    return token(.leftBracket)
  }

  mutating func bracketToken() throws(ParseError) -> Token {
    let byte = bytes[position]
    if byte != UInt8(ascii: "{"), byte != UInt8(ascii: "@"), let kind = Lexer.symbol(byte) {
      position += 1
      return try token(kind, after: byte)
    }
    if byte == UInt8(ascii: "]") {
      position += 1
      isInBrackets = false
      place = .expression
      return token(.rightBracket)
    }
    if byte == UInt8(ascii: ":") { return try colonInBracket() }
    if startsNumber() {
      hasDuration = true
      place = .expression
      return try numberOrDuration()
    }
    if let token = durationFunction() { return token }
    position = start
    throw characterError("unexpected character in duration expression: ")
  }

  private mutating func colonInBracket() throws(ParseError) -> Token {
    position += 1
    guard hasDuration else { throw error("unexpected colon before duration in duration expression") }
    guard !hasColon else { throw error("unexpected repeated colon in duration expression") }
    hasColon = true
    return token(.colon)
  }

  mutating func colonOrDurationFunction() throws(ParseError) -> Token {
    if bytes[position] == UInt8(ascii: ":") {
      position += 1
      guard !hasColon else { throw error("unexpected colon ':'") }
      hasColon = true
      return token(.colon)
    }
    if let token = durationFunction() { return token }
    position = start
    throw characterError("unexpected character: ", ", expected ':'")
  }

  private mutating func durationFunction() -> Token? {
    while let byte = peek(), byte.isLetter { position += 1 }
    return keyword() == .durationFunction ? token(.durationFunction) : nil
  }

  mutating func bracesToken() throws(ParseError) -> Token {
    let byte = bytes[position]
    if byte.isLetter { return identifier() }
    if [UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`")].contains(byte) { return try string() }
    position += 1
    switch byte {
    case UInt8(ascii: ","): return token(.comma)
    case UInt8(ascii: "="): return peek() == UInt8(ascii: "~") ? longToken(.matches) : token(.equals)
    case UInt8(ascii: "!"):
      if peek() == UInt8(ascii: "~") { return longToken(.matchesNot) }
      if peek() == UInt8(ascii: "=") { return longToken(.binary(.notEqual)) }
      throw characterError("unexpected character after '!' inside braces: ")
    case UInt8(ascii: "{"): throw error("unexpected left brace '{'")
    case UInt8(ascii: "}"):
      place = .expression
      return token(.rightBrace)
    default:
      position = start
      throw characterError("unexpected character inside braces: ")
    }
  }
}
