// SPDX-License-Identifier: Apache-2.0

// Cuts a template into tokens. Trim markers and comments end here; the parser does not know of them.

struct Lexer {
  private var input: [UInt8]
  /// The place that is looked at.
  private var position = 0
  /// Where the token begins that is being read, and its line.
  private var start = 0
  private var line = 1
  private var parenthesisDepth = 0
  private var isInsideAction = false

  init(_ input: [UInt8]) { self.input = input }

  /// The next token; `end` and after an error `error`, again and again.
  mutating func next() -> Token {
    while true {
      // Nil after a comment, which is no token.
      if let token = isInsideAction ? insideAction() : textOrAction() { return token }
    }
  }

  // MARK: Between actions

  private mutating func textOrAction() -> Token? {
    guard let brace = index(of: "{{", from: position) else {
      position = input.count
      return take(position > start ? .text : .end)
    }
    let spaces = hasLeftTrimMarker(at: brace + 2) ? trailingSpaces(before: brace) : 0
    position = brace - spaces
    if position > start {
      let text = take(.text)
      skip(spaces)
      return text
    }
    skip(spaces)
    return leftDelimiter()
  }

  private mutating func leftDelimiter() -> Token? {
    let markerCount = hasLeftTrimMarker(at: position + 2) ? 2 : 0
    if starts(with: "/*", at: position + 2 + markerCount) {
      skip(2 + markerCount)
      return comment()
    }
    position += 2
    let token = take(.leftDelimiter)
    skip(markerCount)
    isInsideAction = true
    parenthesisDepth = 0
    return token
  }

  private mutating func comment() -> Token? {
    guard let end = index(of: "*/", from: position + 2) else { return fail("unclosed comment") }
    position = end + 2
    guard isAtRightDelimiter else { return fail("comment ends before closing delimiter") }
    closeAction()
    return nil
  }

  private func hasLeftTrimMarker(at index: Int) -> Bool {
    starts(with: "-", at: index) && index + 1 < input.count && isSpace(input[index + 1])
  }

  private func hasRightTrimMarker(at index: Int) -> Bool {
    index < input.count && isSpace(input[index]) && starts(with: "-}}", at: index + 1)
  }

  private var isAtRightDelimiter: Bool { starts(with: "}}", at: position) || hasRightTrimMarker(at: position) }

  // Behind the delimiter and the spaces that it trims, without a token.
  private mutating func closeAction() {
    let isTrimming = hasRightTrimMarker(at: position)
    skip(isTrimming ? 4 : 2)
    if isTrimming { skip(leadingSpaces(from: position)) }
  }

  private mutating func rightDelimiter() -> Token {
    let isTrimming = hasRightTrimMarker(at: position)
    if isTrimming { skip(2) }
    position += 2
    let token = take(.rightDelimiter)
    if isTrimming { skip(leadingSpaces(from: position)) }
    isInsideAction = false
    return token
  }

  private func trailingSpaces(before end: Int) -> Int {
    input[start..<end].reversed().prefix(while: isSpace).count
  }

  private func leadingSpaces(from start: Int) -> Int {
    input[start...].prefix(while: isSpace).count
  }

  // MARK: Inside of an action

  private mutating func insideAction() -> Token {
    if isAtRightDelimiter { return parenthesisDepth == 0 ? rightDelimiter() : fail("unclosed left paren") }
    guard position < input.count else { return fail("unclosed action") }
    switch input[position] {
    case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): return spaces()
    case UInt8(ascii: "="): return one(.assign)
    case UInt8(ascii: ":"): return declare()
    case UInt8(ascii: "|"): return one(.pipe)
    case UInt8(ascii: "\""): return quoted(.string, "unterminated quoted string")
    case UInt8(ascii: "'"): return quoted(.characterConstant, "unterminated character constant")
    case UInt8(ascii: "`"): return rawString()
    case UInt8(ascii: "$"): return name(.variable, alone: .variable)
    case UInt8(ascii: "."): return dot()
    case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return number()
    case UInt8(ascii: "("): return leftParenthesis()
    case UInt8(ascii: ")"): return rightParenthesis()
    default: return word()
    }
  }

  private mutating func spaces() -> Token {
    // The space of a trim marker belongs to the delimiter.
    while position < input.count, isSpace(input[position]), !hasRightTrimMarker(at: position) { position += 1 }
    return take(.space)
  }

  private mutating func one(_ kind: Token.Kind) -> Token {
    position += 1
    return take(kind)
  }

  private mutating func declare() -> Token {
    guard starts(with: ":=", at: position) else { return fail("expected :=") }
    position += 2
    return take(.declare)
  }

  // Whether escapes mean anything is the parser's to see.
  private mutating func quoted(_ kind: Token.Kind, _ unterminated: String) -> Token {
    let quote = input[position]
    position += 1
    while position < input.count, input[position] != quote {
      if input[position] == UInt8(ascii: "\\") { position += 1 }
      guard position < input.count, input[position] != UInt8(ascii: "\n") else { return fail(unterminated) }
      position += 1
    }
    return position < input.count ? one(kind) : fail(unterminated)
  }

  private mutating func rawString() -> Token {
    guard let end = index(of: "`", from: position + 1) else { return fail("unterminated raw quoted string") }
    position = end + 1
    return take(.rawString)
  }

  private mutating func dot() -> Token {
    // At the very end Go takes it for a number, so it is refused as one.
    let isNumber = position + 1 == input.count || ("0"..."9").contains(Unicode.Scalar(input[position + 1]))
    return isNumber ? number() : name(.field, alone: .keyword(.dot))
  }

  // A field or a variable, whose first byte is looked at.
  private mutating func name(_ kind: Token.Kind, alone: Token.Kind) -> Token {
    position += 1
    if isAtTerminator { return take(alone) }
    skipAlphanumerics()
    return isAtTerminator ? take(kind) : fail("bad character \(shownScalar)")
  }

  private mutating func word() -> Token {
    let scalar = Scalars.scalar(in: input[...], at: position).scalar
    guard Scalars.isAlphanumeric(scalar) else {
      if scalar.isASCII, Scalars.isPrinted(scalar) { return one(.character) }
      return fail("unrecognized character in action: \(Scalars.numbered(scalar))")
    }
    skipAlphanumerics()
    guard isAtTerminator else { return fail("bad character \(shownScalar)") }
    let word = String(decoding: input[start..<position], as: UTF8.self)
    if let keyword = Token.Keyword(rawValue: word) { return take(.keyword(keyword)) }
    return take(word == "true" || word == "false" ? .bool : .identifier)
  }

  private mutating func skipAlphanumerics() {
    while position < input.count {
      let (scalar, count) = Scalars.scalar(in: input[...], at: position)
      guard Scalars.isAlphanumeric(scalar) else { return }
      position += count
    }
  }

  // What may follow a name. `.X.Y` is two fields, and `$x+2` is refused.
  private var isAtTerminator: Bool {
    guard position < input.count else { return true }
    let byte = input[position]
    return isSpace(byte) || ".,|:)(".utf8.contains(byte) || starts(with: "}}", at: position)
  }

  private var shownScalar: String { Scalars.numbered(Scalars.scalar(in: input[...], at: position).scalar) }

  private mutating func leftParenthesis() -> Token {
    parenthesisDepth += 1
    return one(.leftParenthesis)
  }

  private mutating func rightParenthesis() -> Token {
    parenthesisDepth -= 1
    position += 1
    return parenthesisDepth < 0 ? fail("unexpected right paren") : take(.rightParenthesis)
  }

  // MARK: Numbers

  // Takes what looks like a number; the parser sees whether it is one.
  private mutating func number() -> Token {
    guard skipNumber() else { return fail(badNumber) }
    guard position < input.count, "+-".utf8.contains(input[position]) else { return take(.number) }
    guard skipNumber(), input[position - 1] == UInt8(ascii: "i") else { return fail(badNumber) }
    return take(.complex)
  }

  private var badNumber: String { "bad number syntax: \(Quoting.quoted(Array(input[start..<position])))" }

  private mutating func skipNumber() -> Bool {
    skip(oneOf: "+-")
    var digits = "0123456789_"
    // A leading zero means octal for integers alone.
    if skip(oneOf: "0") {
      if skip(oneOf: "xX") {
        digits = "0123456789abcdefABCDEF_"
      } else if skip(oneOf: "oO") {
        digits = "01234567_"
      } else if skip(oneOf: "bB") {
        digits = "01_"
      }
    }
    skip(runOf: digits)
    if skip(oneOf: ".") { skip(runOf: digits) }
    if skip(oneOf: digits.count == 11 ? "eE" : digits.count == 23 ? "pP" : "") {
      skip(oneOf: "+-")
      skip(runOf: "0123456789_")
    }
    skip(oneOf: "i")
    guard position < input.count else { return true }
    let (scalar, count) = Scalars.scalar(in: input[...], at: position)
    guard Scalars.isAlphanumeric(scalar) else { return true }
    // The message shows what does not belong there.
    position += count
    return false
  }

  @discardableResult
  private mutating func skip(oneOf bytes: String) -> Bool {
    guard position < input.count, bytes.utf8.contains(input[position]) else { return false }
    position += 1
    return true
  }

  private mutating func skip(runOf bytes: String) {
    while skip(oneOf: bytes) {}
  }

  // MARK: Tokens

  private mutating func take(_ kind: Token.Kind) -> Token {
    let token = Token(kind: kind, position: start, value: Array(input[start..<position]), line: line)
    skip(0)
    return token
  }

  // Goes on behind what was read and `count` bytes more.
  private mutating func skip(_ count: Int) {
    position += count
    line += input[start..<position].count { $0 == UInt8(ascii: "\n") }
    start = position
  }

  // Nothing is read behind an error.
  private mutating func fail(_ message: String) -> Token {
    let token = Token(kind: .error, position: start, value: Array(message.utf8), line: line)
    input = []
    position = 0
    start = 0
    return token
  }

  private func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n")
  }

  private func starts(with text: String, at index: Int) -> Bool {
    index + text.utf8.count <= input.count && input[index...].starts(with: text.utf8)
  }

  private func index(of text: String, from start: Int) -> Int? {
    let first = text.utf8.first!
    var index = start
    while index + text.utf8.count <= input.count {
      if input[index] == first, starts(with: text, at: index) { return index }
      index += 1
    }
    return nil
  }
}
