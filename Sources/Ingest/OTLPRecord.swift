// SPDX-License-Identifier: Apache-2.0

// What a log record of OpenTelemetry means, whichever way it was encoded (OpenTelemetry: Logs Data Model). An event is
// its attributes and, before them, the members of its body; or its body is a text like any line. The name of the event
// is its `event_type` where neither gives one.

import JSON

/// The fields of a log record that are no attributes.
struct OTLPRecord {
  /// In ns since 1970, 0 where absent.
  var timeNs: Int64 = 0
  var observedNs: Int64 = 0
  /// Whether it belongs to a trace, whose id is the correlation id of an event that has none.
  var hasTrace = false
  /// The name of the event: in protobuf its bytes, in JSON with its quotes. Empty where it has none.
  var name = 0..<0

  var context: RecordContext {
    var context = RecordContext(nanoseconds: timeNs != 0 ? timeNs : observedNs)
    context.hasIdentity = context.hasIdentity || hasTrace
    return context
  }

  /// The attribute of a resource that names the service.
  static let resourceNames = WordTable(["service.name"])
}

extension BodyReading {
  /// Settles a record that is all in `attributes`, which ends with it.
  mutating func settleAttributes(_ context: RecordContext, number: Int) {
    let object = takeAttributes()
    defer { attributes.bytes = object }
    guard object.count <= settings.lineBytesMax else {
      return note(rejected(EventFault(.tooLong), object.span, place: ""), object.span, context, number: number)
    }
    let outcome = readAttributes(object.span) ? settleObject(object.span, context) : .ignored
    note(outcome, object.span, context, number: number)
  }

  /// Settles a record with a text as its body. Where its attributes are an event the text is a remark on it.
  mutating func settleBody(_ text: Span<UInt8>, _ record: OTLPRecord, number: Int) {
    var context = record.context
    if !attributes.isEmpty {
      let object = takeAttributes()
      defer { attributes.bytes = object }
      if readAttributes(object.span) {
        if reader.isEvent(object.span) {
          let outcome = settleObject(object.span, context)
          return note(outcome, object.span, context, number: number)
        }
        context = lent(by: object.span, to: context)
        // The protocol's own time is nearer than an attribute for the same purpose.
        context.timestampMs = record.context.timestampMs ?? context.timestampMs
      }
    }
    note(settleEntry(text, context), text, context, number: number)
  }

  /// The same for a text that is a JSON string.
  mutating func settleBody(_ text: JSONString, _ bytes: Span<UInt8>, _ record: OTLPRecord, number: Int) {
    guard text.hasEscapes else {
      return settleBody(bytes.extracting(text.start..<text.end), record, number: number)
    }
    let buffer = takeEntry(text, bytes)
    settleBody(buffer.span, record, number: number)
    entry = buffer
  }

  /// Taken out while its bytes are borrowed; to be put back for the next record.
  private mutating func takeAttributes() -> [UInt8] {
    attributes.end()
    var object: [UInt8] = []
    swap(&object, &attributes.bytes)
    return object
  }

  /// False for what is nested deeper than any event.
  private mutating func readAttributes(_ object: Span<UInt8>) -> Bool {
    var cursor = JSONCursor()
    return (try? reader.readObject(object, &cursor)) != nil
  }
}
