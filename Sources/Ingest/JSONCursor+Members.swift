// SPDX-License-Identifier: Apache-2.0

// Walking through the objects and arrays that protocols wrap records in, member by member, without a tree.

import JSON

extension JSONCursor {
  /// Moves to the value of the next member of an object.
  ///
  /// - Parameter isFirst: true right behind the object's brace; false afterwards, which this sees to.
  /// - Returns: the member's name; nil behind the closing brace.
  mutating func nextMember(_ bytes: Span<UInt8>, _ isFirst: inout Bool) throws(JSONFault) -> JSONString? {
    guard try !closes(UInt8(ascii: "}"), bytes, &isFirst) else { return nil }
    return try key(bytes)
  }

  /// Moves to the next element of an array; false behind the closing bracket.
  mutating func nextElement(_ bytes: Span<UInt8>, _ isFirst: inout Bool) throws(JSONFault) -> Bool {
    guard try !closes(UInt8(ascii: "]"), bytes, &isFirst) else { return false }
    // A bracket behind a comma would otherwise end the next value's loop.
    guard try peek(bytes) != UInt8(ascii: "]") else { throw .unexpectedByte }
    return true
  }

  /// Moves past an object of which one member matters, an array, and hands each of its elements to `body`, which must
  /// move past it.
  mutating func eachElement(
    of names: WordTable, _ bytes: Span<UInt8>, _ body: (inout JSONCursor) throws(JSONFault) -> Void
  ) throws(JSONFault) {
    var isFirst = true
    while let name = try nextMember(bytes, &isFirst) {
      guard names.index(of: name, bytes) == 0 else {
        try skipValue(bytes)
        continue
      }
      guard try opens(UInt8(ascii: "["), bytes) else { continue }
      var isFirstElement = true
      while try nextElement(bytes, &isFirstElement) { try body(&self) }
    }
  }

  /// Moves past white space and an opening bracket, or past `null`, which protocols write for what is empty.
  ///
  /// - Returns: false for null.
  mutating func opens(_ bracket: UInt8, _ bytes: Span<UInt8>) throws(JSONFault) -> Bool {
    if try peek(bytes) == UInt8(ascii: "n") {
      try null(bytes)
      return false
    }
    try expect(bracket, bytes)
    return true
  }

  /// Moves past one value and tells where it stood.
  mutating func range(_ bytes: Span<UInt8>) throws(JSONFault) -> Range<Int> {
    _ = try peek(bytes)
    let start = position
    try skipValue(bytes)
    return start..<position
  }

  private mutating func closes(
    _ bracket: UInt8, _ bytes: Span<UInt8>, _ isFirst: inout Bool
  ) throws(JSONFault) -> Bool {
    if try peek(bytes) == bracket {
      position += 1
      return true
    }
    if !isFirst { try expect(UInt8(ascii: ","), bytes) }
    isFirst = false
    return false
  }
}

extension BodyReading {
  /// Reads a request: an object of which one member matters, an array, with nothing behind it.
  ///
  /// - Parameter names: the member's.
  mutating func readRequest(
    _ body: Span<UInt8>, elementsOf names: WordTable,
    _ read: (inout BodyReading, inout JSONCursor) throws(JSONFault) -> Void
  ) throws(BodyFault) {
    var cursor = JSONCursor(at: EventBody.start(body))
    do throws(JSONFault) {
      try cursor.expect(UInt8(ascii: "{"), body)
      try cursor.eachElement(of: names, body) { cursor throws(JSONFault) in try read(&self, &cursor) }
      cursor.skipWhitespace(body)
      guard cursor.position == body.count else { throw .trailingBytes }
    } catch {
      throw BodyFault(error, at: cursor.position, in: body)
    }
  }

  /// Reads an object of two members, what is known of a source and the records that come from it, in either order:
  /// records that stand first are passed over and gone back to.
  ///
  /// - Parameter names: of the source and of the records.
  mutating func readGroup(
    _ body: Span<UInt8>, _ cursor: inout JSONCursor, names: WordTable,
    source: (inout JSONCursor) throws(JSONFault) -> SourceLabels,
    records: (inout BodyReading, inout JSONCursor) throws(JSONFault) -> Void
  ) throws(JSONFault) {
    var hasSource = false
    var recordsAt: Int?
    var isFirst = true
    try cursor.expect(UInt8(ascii: "{"), body)
    labels.setSource(SourceLabels(), body)
    while let name = try cursor.nextMember(body, &isFirst) {
      switch names.index(of: name, body) {
      case 0:
        labels.setSource(try source(&cursor), body)
        hasSource = true
      case 1 where hasSource: try records(&self, &cursor)
      case 1: recordsAt = try cursor.range(body).lowerBound
      default: try cursor.skipValue(body)
      }
    }
    guard let recordsAt else { return }
    let end = cursor.position
    cursor.position = recordsAt
    try records(&self, &cursor)
    cursor.position = end
  }
}

extension WordTable {
  /// The index of a member's name, -1 for none of the words. Escapes are read: no encoder writes them in these names,
  /// and every decoder must.
  func index(of name: JSONString, _ bytes: Span<UInt8>) -> Int {
    guard name.hasEscapes else { return index(bytes, name.start, name.end) ?? -1 }
    var text: [UInt8] = []
    JSONCursor.append(name, of: bytes, to: &text)
    return index(text.span, 0, text.count) ?? -1
  }
}

extension BodyFault {
  init(_ fault: JSONFault, at position: Int, in bytes: Span<UInt8>) {
    reason = "broken JSON at byte \(position + 1): \(JSONError.message(fault, at: position, in: bytes))"
  }
}
