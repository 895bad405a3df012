// SPDX-License-Identifier: Apache-2.0

// Building the tree. A key given twice in one object is refused: which of the two the writer meant is a guess.

extension JSONValue {
  /// Parses a whole document; anything but white space after it is an error.
  ///
  /// - Parameter depthMax: most levels of arrays and objects.
  package init(parsing bytes: Span<UInt8>, depthMax: Int = 64) throws(JSONError) {
    var parser = JSONTreeParser(depthMax: depthMax)
    do throws(JSONFault) {
      self = try parser.document(bytes)
    } catch {
      throw JSONError(error, at: parser.cursor.position, in: bytes)
    }
  }

  package init(parsing bytes: [UInt8], depthMax: Int = 64) throws(JSONError) {
    try self.init(parsing: bytes.span, depthMax: depthMax)
  }

  package init(parsing text: String, depthMax: Int = 64) throws(JSONError) {
    try self.init(parsing: Array(text.utf8), depthMax: depthMax)
  }
}

private struct JSONTreeParser {
  let depthMax: Int
  var cursor = JSONCursor()

  init(depthMax: Int) {
    self.depthMax = depthMax
  }

  mutating func document(_ bytes: Span<UInt8>) throws(JSONFault) -> JSONValue {
    let value = try value(bytes, depth: 0)
    cursor.skipWhitespace(bytes)
    guard cursor.position == bytes.count else { throw .trailingBytes }
    return value
  }

  private mutating func value(_ bytes: Span<UInt8>, depth: Int) throws(JSONFault) -> JSONValue {
    switch try cursor.peek(bytes) {
    case UInt8(ascii: "{"): return .object(try members(bytes, depth: depth + 1))
    case UInt8(ascii: "["): return .array(try elements(bytes, depth: depth + 1))
    case UInt8(ascii: "\""): return .string(JSONCursor.text(try cursor.string(bytes), of: bytes))
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool(try cursor.bool(bytes))
    case UInt8(ascii: "n"):
      try cursor.null(bytes)
      return .null
    default:
      let number = try cursor.number(bytes)
      return number.integer.map(JSONValue.integer) ?? .number(number.value)
    }
  }

  private mutating func members(_ bytes: Span<UInt8>, depth: Int) throws(JSONFault) -> [JSONMember] {
    guard depth <= depthMax else { throw .tooDeep }
    try cursor.expect(UInt8(ascii: "{"), bytes)
    var members: [JSONMember] = []
    if try isClosed(by: UInt8(ascii: "}"), bytes) { return members }
    var names: Set<String> = []
    repeat {
      _ = try cursor.peek(bytes)
      let keyStart = cursor.position
      let name = JSONCursor.text(try cursor.key(bytes), of: bytes)
      guard names.insert(name).inserted else {
        cursor.position = keyStart
        throw .duplicateKey
      }
      members.append(JSONMember(name: name, value: try value(bytes, depth: depth)))
    } while try isContinued(orClosedBy: UInt8(ascii: "}"), bytes)
    return members
  }

  private mutating func elements(_ bytes: Span<UInt8>, depth: Int) throws(JSONFault) -> [JSONValue] {
    guard depth <= depthMax else { throw .tooDeep }
    try cursor.expect(UInt8(ascii: "["), bytes)
    var elements: [JSONValue] = []
    if try isClosed(by: UInt8(ascii: "]"), bytes) { return elements }
    repeat {
      elements.append(try value(bytes, depth: depth))
    } while try isContinued(orClosedBy: UInt8(ascii: "]"), bytes)
    return elements
  }

  private mutating func isClosed(by close: UInt8, _ bytes: Span<UInt8>) throws(JSONFault) -> Bool {
    guard try cursor.peek(bytes) == close else { return false }
    cursor.position += 1
    return true
  }

  private mutating func isContinued(orClosedBy close: UInt8, _ bytes: Span<UInt8>) throws(JSONFault) -> Bool {
    if try isClosed(by: close, bytes) { return false }
    try cursor.expect(UInt8(ascii: ","), bytes)
    return true
  }
}
