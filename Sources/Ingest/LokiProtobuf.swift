// SPDX-License-Identifier: Apache-2.0

// Loki's push request as protobuf (Grafana Loki, pkg/push/push.proto), after snappy:
// PushRequest{1: StreamAdapter{1: labels, 2: EntryAdapter{1: Timestamp{1: seconds, 2: nanos}, 2: line, 3: metadata}, 3: hash}}

import JSON

extension BodyReading {
  /// Reads every entry of a push request as a line.
  mutating func readLokiProtobuf(_ body: Span<UInt8>) throws(BodyFault) {
    var number = 0
    do throws(WireFault) {
      var request = WireReader(0..<body.count)
      while let stream = try request.next(1, body) { try readLokiStream(body, stream, &number) }
    } catch {
      throw BodyFault(error)
    }
  }

  private mutating func readLokiStream(
    _ body: Span<UInt8>, _ stream: WireReader, _ number: inout Int
  ) throws(WireFault) {
    var source = SourceLabels()
    if let text = try stream.last(1, .bytes, body) { source = BodyReading.lokiLabels(body, text.range) }
    labels.setSource(source, body)
    var entries = stream
    while let entry = try entries.next(2, body) {
      number += 1
      try readLokiEntry(body, entry, number)
    }
  }

  private mutating func readLokiEntry(_ body: Span<UInt8>, _ entry: WireReader, _ number: Int) throws(WireFault) {
    var time: Int64 = 0
    var line = 0..<0
    var fields = entry
    while let field = try fields.next(body) {
      guard field.kind == .bytes else { continue }
      if field.number == 1 {
        time = try BodyReading.nanoseconds(body, WireReader(field.range))
      } else if field.number == 2 {
        line = field.range
      }
    }
    let text = body.extracting(line)
    let context = RecordContext(nanoseconds: time)
    note(settleEntry(text, context), text, context, number: number)
  }

  /// Of a google.protobuf.Timestamp, 0 for one that 64 bits of ns do not hold.
  private static func nanoseconds(_ body: Span<UInt8>, _ timestamp: WireReader) throws(WireFault) -> Int64 {
    var seconds: Int64 = 0
    var nanos: Int64 = 0
    var fields = timestamp
    while let field = try fields.next(body) {
      guard field.kind == .varint else { continue }
      if field.number == 1 { seconds = Int64(bitPattern: field.value) }
      if field.number == 2 { nanos = Int64(bitPattern: field.value) }
    }
    let (scaled, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, sumOverflows) = scaled.addingReportingOverflow(nanos)
    return overflows || sumOverflows ? 0 : sum
  }

  /// Of labels as PromQL writes them: `{app="api", job="x"}`. What does not fit ends the reading: they are defaults.
  private static func lokiLabels(_ body: Span<UInt8>, _ range: Range<Int>) -> SourceLabels {
    let text = body.extracting(0..<range.upperBound)
    var found = SourceLabels()
    var cursor = JSONCursor(at: range.lowerBound)
    while cursor.position < text.count {
      while cursor.position < text.count, "{, \t".utf8.contains(text[cursor.position]) { cursor.position += 1 }
      let start = cursor.position
      while cursor.position < text.count, text[cursor.position] != UInt8(ascii: "=") { cursor.position += 1 }
      let name = JSONString(start: start, end: cursor.position, hasEscapes: false)
      cursor.position += 1
      // Go's quoting is JSON's but for control characters.
      guard cursor.position < text.count, text[cursor.position] == UInt8(ascii: "\""),
        let value = try? cursor.string(text)
      else { break }
      found.take(value, named: SourceLabels.lokiNames.index(of: name, text))
    }
    return found
  }
}
