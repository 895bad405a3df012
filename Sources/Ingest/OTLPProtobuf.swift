// SPDX-License-Identifier: Apache-2.0

// OTLP's logs as protobuf (opentelemetry-proto, logs/v1/logs.proto):
// ExportLogsServiceRequest{1: ResourceLogs{1: Resource{1: KeyValue}, 2: ScopeLogs{2: LogRecord}}}

import JSON

extension BodyReading {
  /// Reads every log record of an export request.
  mutating func readOTLPProtobuf(_ body: Span<UInt8>) throws(BodyFault) {
    var number = 0
    do throws(WireFault) {
      var request = WireReader(0..<body.count)
      while let resource = try request.next(1, body) { try readResource(body, resource, &number) }
    } catch {
      throw BodyFault(error)
    }
  }

  private mutating func readResource(
    _ body: Span<UInt8>, _ resource: WireReader, _ number: inout Int
  ) throws(WireFault) {
    var source = SourceLabels()
    if let attributes = try resource.last(1, .bytes, body) {
      source = try BodyReading.resourceLabels(body, WireReader(attributes.range))
    }
    labels.setSource(source, body)
    var scopes = resource
    while var records = try scopes.next(2, body) {
      while let record = try records.next(2, body) {
        number += 1
        try readRecord(body, record, number)
      }
    }
  }

  private static func resourceLabels(_ body: Span<UInt8>, _ resource: WireReader) throws(WireFault) -> SourceLabels {
    var found = SourceLabels()
    var members = resource
    while let message = try members.next(1, body) {
      let member = try OTLPMember(body, message)
      guard case .text(let range)? = member.value else { continue }
      // Texts of protobuf are UTF-8; what is not names no service.
      guard OTLPRecord.resourceNames.index(of: member.name, body) == 0, UTF8Length.isText(body, range) else { continue }
      found.take(JSONString(range), named: 0)
    }
    return found
  }

  private mutating func readRecord(_ body: Span<UInt8>, _ reader: WireReader, _ number: Int) throws(WireFault) {
    var record = OTLPRecord()
    var text: OTLPValue?
    attributes.begin()
    var fields = reader
    while let field = try fields.next(body) {
      switch (field.number, field.kind) {
      case (1, .fixed64): record.timeNs = Int64(clamping: field.value)
      case (11, .fixed64): record.observedNs = Int64(clamping: field.value)
      case (5, .bytes): text = try OTLPValue(body, WireReader(field.range))
      case (6, .bytes): try writeMember(body, WireReader(field.range))
      case (9, .bytes): record.hasTrace = field.range.contains { body[$0] != 0 }
      case (12, .bytes): record.name = field.range
      default: break
      }
    }
    // Behind the attributes, because the last of two members counts.
    if case .members(let range)? = text {
      var members = WireReader(range)
      while let member = try members.next(1, body) { try writeMember(body, member) }
    }
    if !record.name.isEmpty, !attributes.hasEventType {
      attributes.key(.eventType)
      attributes.string(body, record.name)
    }
    switch text {
    case .text(let range)?, .bytes(let range)?: settleBody(body.extracting(range), record, number: number)
    default: settleAttributes(record.context, number: number)
    }
  }

  private mutating func writeMember(_ body: Span<UInt8>, _ message: WireReader) throws(WireFault) {
    let member = try OTLPMember(body, message)
    guard attributes.key(member.name, body) else { return }
    switch member.value {
    case .text(let range)?: attributes.string(body, range)
    case .bool(let value)?: attributes.bool(value)
    case .integer(let value)?: attributes.integer(value)
    case .number(let value)?: attributes.number(value)
    case .bytes?, .members?, .values?: attributes.container()
    case nil: attributes.null()
    }
  }
}

/// KeyValue{1: key, 2: AnyValue}.
private struct OTLPMember {
  var name = CacheEvent.absent
  var value: OTLPValue?

  init(_ body: Span<UInt8>, _ message: WireReader) throws(WireFault) {
    var fields = message
    while let field = try fields.next(body) {
      guard field.kind == .bytes else { continue }
      if field.number == 1 { name = JSONString(field.range) }
      if field.number == 2 { value = try OTLPValue(body, WireReader(field.range)) }
    }
  }
}

/// AnyValue{1: string, 2: bool, 3: int64, 4: double, 5: ArrayValue, 6: KeyValueList{1: KeyValue}, 7: bytes}.
private enum OTLPValue {
  case text(Range<Int>)
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case values
  case members(Range<Int>)
  case bytes(Range<Int>)

  /// Nil for an empty value, or one of a kind that came later.
  init?(_ body: Span<UInt8>, _ message: WireReader) throws(WireFault) {
    var found: OTLPValue?
    var fields = message
    while let field = try fields.next(body) {
      switch (field.number, field.kind) {
      case (1, .bytes): found = .text(field.range)
      case (2, .varint): found = .bool(field.value != 0)
      case (3, .varint): found = .integer(Int64(bitPattern: field.value))
      case (4, .fixed64): found = .number(Double(bitPattern: field.value))
      case (5, .bytes): found = .values
      case (6, .bytes): found = .members(field.range)
      case (7, .bytes): found = .bytes(field.range)
      default: break
      }
    }
    guard let found else { return nil }
    self = found
  }
}

extension JSONString {
  fileprivate init(_ range: Range<Int>) {
    self.init(start: range.lowerBound, end: range.upperBound, hasEscapes: false)
  }
}

extension UTF8Length {
  fileprivate static func isText(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    let text = bytes.extracting(range)
    var index = 0
    while index < text.count {
      let length = ofCharacter(at: index, in: text)
      guard length > 0 else { return false }
      index += length
    }
    return true
  }
}
