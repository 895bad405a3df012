// SPDX-License-Identifier: Apache-2.0

// Loki's push request as JSON (Grafana Loki HTTP API, "Ingest logs"):
// {"streams":[{"stream":{"app":"api"},"values":[["1736560000000000000","line",{"trace_id":"…"}]]}]}

import JSON

extension BodyReading {
  private static let requestNames = WordTable(["streams"])
  private static let streamNames = WordTable(["stream", "values"])

  /// Reads every entry of a push request as a line.
  mutating func readLokiJSON(_ body: Span<UInt8>) throws(BodyFault) {
    var number = 0
    try readRequest(body, elementsOf: BodyReading.requestNames) { reading, cursor throws(JSONFault) in
      try reading.readGroup(body, &cursor, names: BodyReading.streamNames) { cursor throws(JSONFault) in
        try BodyReading.lokiLabels(body, &cursor)
      } records: { reading, cursor throws(JSONFault) in
        try reading.readLokiValues(body, &cursor, &number)
      }
    }
  }

  private static func lokiLabels(_ body: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONFault) -> SourceLabels {
    var found = SourceLabels()
    guard try cursor.opens(UInt8(ascii: "{"), body) else { return found }
    var isFirst = true
    while let name = try cursor.nextMember(body, &isFirst) {
      if try cursor.peek(body) == UInt8(ascii: "\"") {
        found.take(try cursor.string(body), named: SourceLabels.lokiNames.index(of: name, body))
      } else {
        try cursor.skipValue(body)
      }
    }
    return found
  }

  private mutating func readLokiValues(
    _ body: Span<UInt8>, _ cursor: inout JSONCursor, _ number: inout Int
  ) throws(JSONFault) {
    guard try cursor.opens(UInt8(ascii: "["), body) else { return }
    var isFirst = true
    while try cursor.nextElement(body, &isFirst) {
      number += 1
      try cursor.expect(UInt8(ascii: "["), body)
      let time = try BodyReading.nanoseconds(body, &cursor)
      try cursor.expect(UInt8(ascii: ","), body)
      guard try cursor.peek(body) == UInt8(ascii: "\"") else { throw .unexpectedByte }
      let line = try cursor.string(body)
      // Structured metadata says nothing of a cache.
      while try cursor.peek(body) == UInt8(ascii: ",") {
        cursor.position += 1
        try cursor.skipValue(body)
      }
      try cursor.expect(UInt8(ascii: "]"), body)
      settleLokiLine(line, body, RecordContext(nanoseconds: time), number: number)
    }
  }

  private mutating func settleLokiLine(_ line: JSONString, _ body: Span<UInt8>, _ context: RecordContext, number: Int) {
    guard line.hasEscapes else {
      let text = body.extracting(line.start..<line.end)
      return note(settleEntry(text, context), text, context, number: number)
    }
    let buffer = takeEntry(line, body)
    defer { entry = buffer }
    note(settleEntry(buffer.span, context), buffer.span, context, number: number)
  }

  /// Nanoseconds since 1970, as a text or, against the letter, as a number.
  private static func nanoseconds(_ body: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONFault) -> Int64 {
    guard try cursor.peek(body) == UInt8(ascii: "\"") else {
      guard let integer = try cursor.number(body).integer else { throw .invalidNumber }
      return integer
    }
    let start = cursor.position
    let text = try cursor.string(body)
    guard let time = Decimal.integer(body, text.start, text.end) else {
      cursor.position = start
      throw .invalidNumber
    }
    return time
  }
}

extension RecordContext {
  /// The record's time as a protocol gives it, in ns since 1970; 0 where it gives none.
  ///
  /// A time that is no whole millisecond was read from a clock: a body that repeats it is the same body.
  init(nanoseconds: Int64) {
    guard nanoseconds != 0 else { return }
    let (milliseconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
    // Towards the past, as times before 1970 need it. Not by `floor`, which the earliest times overflow.
    timestampMs = rest < 0 ? milliseconds - 1 : milliseconds
    hasIdentity = rest != 0
  }
}

/// Whole numbers as protocols write them in texts.
enum Decimal {
  /// Nil for anything but digits with a sign in front, or beyond 64 bits.
  static func integer(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int64? {
    var index = start
    let isNegative = index < end && bytes[index] == UInt8(ascii: "-")
    if isNegative { index += 1 }
    guard index < end, end - index <= 19 else { return nil }
    var value: UInt64 = 0
    while index < end {
      let digit = bytes[index] &- 0x30
      guard digit <= 9 else { return nil }
      value = value * 10 + UInt64(digit)
      index += 1
    }
    return Int64(exactly: value).map { isNegative ? -$0 : $0 }
  }
}
