// SPDX-License-Identifier: Apache-2.0

// OTLP's logs as JSON (OpenTelemetry Protocol, "JSON Protobuf Encoding"): names in lowerCamelCase, ids in hexadecimal,
// 64-bit numbers as texts or numbers. Members may come in any order: what cannot be read where it stands, because
// something behind it decides, is passed over and gone back to.

import JSON

extension BodyReading {
  private static let requestNames = WordTable(["resourceLogs"])
  private static let resourceLogsNames = WordTable(["resource", "scopeLogs"])
  private static let resourceNames = WordTable(["attributes"])
  private static let scopeNames = WordTable(["logRecords"])
  private static let recordNames = WordTable([
    "timeUnixNano", "observedTimeUnixNano", "body", "attributes", "traceId", "eventName",
  ])
  private static let memberNames = WordTable(["key", "value"])
  private static let listNames = WordTable(["values"])
  private static let valueNames = WordTable([
    "stringValue", "boolValue", "intValue", "doubleValue", "arrayValue", "kvlistValue", "bytesValue",
  ])

  /// Reads every log record of an export request.
  mutating func readOTLPJSON(_ body: Span<UInt8>) throws(BodyFault) {
    var number = 0
    try readRequest(body, elementsOf: BodyReading.requestNames) { reading, cursor throws(JSONFault) in
      try reading.readGroup(body, &cursor, names: BodyReading.resourceLogsNames) { cursor throws(JSONFault) in
        try BodyReading.resourceLabels(body, &cursor)
      } records: { reading, cursor throws(JSONFault) in
        try reading.readScopes(body, &cursor, &number)
      }
    }
  }

  private static func resourceLabels(_ body: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONFault) -> SourceLabels {
    var found = SourceLabels()
    guard try cursor.opens(UInt8(ascii: "{"), body) else { return found }
    try cursor.eachElement(of: resourceNames, body) { cursor throws(JSONFault) in
      let member = try OTLPMember(body, &cursor)
      if OTLPRecord.resourceNames.index(of: member.name, body) == 0, case .text(let value)? = member.value {
        found.take(value, named: 0)
      }
    }
    return found
  }

  private mutating func readScopes(
    _ body: Span<UInt8>, _ cursor: inout JSONCursor, _ number: inout Int
  ) throws(JSONFault) {
    guard try cursor.opens(UInt8(ascii: "["), body) else { return }
    var isFirst = true
    while try cursor.nextElement(body, &isFirst) {
      try cursor.expect(UInt8(ascii: "{"), body)
      try cursor.eachElement(of: BodyReading.scopeNames, body) { cursor throws(JSONFault) in
        number += 1
        try readRecord(body, &cursor, number)
      }
    }
  }

  private mutating func readRecord(
    _ body: Span<UInt8>, _ cursor: inout JSONCursor, _ number: Int
  ) throws(JSONFault) {
    var record = OTLPRecord()
    var text: OTLPValue?
    attributes.begin()
    try cursor.expect(UInt8(ascii: "{"), body)
    var isFirst = true
    while let name = try cursor.nextMember(body, &isFirst) {
      switch BodyReading.recordNames.index(of: name, body) {
      case 0: record.timeNs = try OTLPValue.integer(body, &cursor) ?? 0
      case 1: record.observedNs = try OTLPValue.integer(body, &cursor) ?? 0
      case 2: text = try OTLPValue(body, &cursor)
      case 3: try writeMembers(body, &cursor)
      case 4:
        let id = try cursor.range(body)
        record.hasTrace = OTLPValue.isIdentity(body, id)
      case 5: record.name = try cursor.range(body)
      default: try cursor.skipValue(body)
      }
    }
    // Behind the attributes, because the last of two members counts.
    if case .members(let start)? = text {
      var list = JSONCursor(at: start)
      do throws(JSONFault) {
        try writeList(body, &list)
      } catch {
        cursor = list
        throw error
      }
    }
    if !attributes.hasEventType, record.name.count > 2, body[record.name.lowerBound] == UInt8(ascii: "\"") {
      attributes.key(.eventType)
      attributes.raw(body, record.name)
    }
    if case .text(let string)? = text {
      settleBody(string, body, record, number: number)
    } else {
      settleAttributes(record.context, number: number)
    }
  }

  /// Writes an array of members.
  private mutating func writeMembers(_ body: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONFault) {
    guard try cursor.opens(UInt8(ascii: "["), body) else { return }
    var isFirst = true
    while try cursor.nextElement(body, &isFirst) { try writeMember(body, &cursor) }
  }

  private mutating func writeMember(_ body: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONFault) {
    let member = try OTLPMember(body, &cursor)
    guard attributes.key(member.name, body) else { return }
    switch member.value {
    case .text(let string)?: attributes.raw(body, string.start - 1..<string.end + 1)
    case .raw(let range)?: attributes.raw(body, range)
    case .members?, .other?: attributes.container()
    case nil: attributes.null()
    }
  }

  /// Writes the members of `{"values":[…]}`.
  private mutating func writeList(_ body: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONFault) {
    guard try cursor.opens(UInt8(ascii: "{"), body) else { return }
    try cursor.eachElement(of: BodyReading.listNames, body) { cursor throws(JSONFault) in
      try writeMember(body, &cursor)
    }
  }

  /// `{"key":"…","value":{…}}`.
  private struct OTLPMember {
    var name = CacheEvent.absent
    var value: OTLPValue?

    init(_ body: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONFault) {
      try cursor.expect(UInt8(ascii: "{"), body)
      var isFirst = true
      while let key = try cursor.nextMember(body, &isFirst) {
        switch memberNames.index(of: key, body) {
        case 0: name = try cursor.name(body)
        case 1: value = try OTLPValue(body, &cursor)
        default: try cursor.skipValue(body)
        }
      }
    }
  }

  /// `{"stringValue":"…"}` and its like.
  private enum OTLPValue {
    case text(JSONString)
    /// A number or a bool, as JSON.
    case raw(Range<Int>)
    /// Where its object begins.
    case members(Int)
    case other

    /// Nil for an empty value, or one of a kind that came later.
    init?(_ body: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONFault) {
      guard try cursor.opens(UInt8(ascii: "{"), body) else { return nil }
      var found: OTLPValue?
      var isFirst = true
      while let name = try cursor.nextMember(body, &isFirst) {
        let kind = valueNames.index(of: name, body)
        if kind == 0, try cursor.peek(body) == UInt8(ascii: "\"") {
          found = .text(try cursor.string(body))
          continue
        }
        let range = try cursor.range(body)
        switch kind {
        case 1, 3: found = .raw(range)
        case 2: found = .raw(OTLPValue.unquoted(body, range))
        case 5: found = .members(range.lowerBound)
        case 4, 6: found = .other
        default: break
        }
      }
      guard let found else { return nil }
      self = found
    }

    /// Whether a hexadecimal id has a digit that is not zero.
    static func isIdentity(_ body: Span<UInt8>, _ range: Range<Int>) -> Bool {
      guard body[range.lowerBound] == UInt8(ascii: "\"") else { return false }
      for index in range.dropFirst().dropLast() where body[index] != UInt8(ascii: "0") { return true }
      return false
    }

    /// A 64-bit number, as a text or as a number; nil for null.
    static func integer(_ body: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONFault) -> Int64? {
      let range = try cursor.range(body)
      if body[range.lowerBound] == UInt8(ascii: "n") { return nil }
      let digits = unquoted(body, range)
      guard let value = Decimal.integer(body, digits.lowerBound, digits.upperBound) else {
        cursor.position = range.lowerBound
        throw .invalidNumber
      }
      return value
    }

    /// The digits within quotes; anything else is left as it is.
    private static func unquoted(_ body: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
      guard range.count > 2, body[range.lowerBound] == UInt8(ascii: "\"") else { return range }
      let inner = range.lowerBound + 1..<range.upperBound - 1
      return Decimal.integer(body, inner.lowerBound, inner.upperBound) == nil ? range : inner
    }
  }
}
