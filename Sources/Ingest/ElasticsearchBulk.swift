// SPDX-License-Identifier: Apache-2.0

// Elasticsearch's bulk request (Elasticsearch: Bulk API): an action a line, and behind `create` and `index` the document
// in a line of its own. Documents are records like any other; each has its own answer, in order.

import JSON

/// One action of a bulk request. Ranges are of the request's bytes, within quotes, escapes as they came.
package struct BulkItem: Sendable {
  package enum Action: String, Sendable, CaseIterable {
    case create, index, update, delete
  }

  package enum Outcome: Sendable {
    /// Counted, or well formed and no event.
    case accepted, ignored
    /// The reason is among the batch's rejections, as the one of line `number`.
    case rejected
    /// Its id was counted before, in an earlier request or as an earlier item of this one.
    case seen
  }

  package let action: Action
  /// From 1.
  package let number: Int
  /// Empty where the action names no index.
  package let index: Range<Int>
  /// Empty where the action names no id.
  package let id: Range<Int>
  package fileprivate(set) var outcome = Outcome.ignored
}

extension EventDecoder {
  /// Counts the documents of a bulk request.
  ///
  /// - Parameters:
  ///   - index: for actions that name none; tells ids apart.
  ///   - seen: numbers of items that were counted before and do not count now.
  /// - Returns: the batch, without the items that were seen, and every item in order.
  /// - Throws: an action that is none, since nobody knows which line is a document from there on. Nothing is counted.
  package func decode(
    bulk body: Span<UInt8>, index: [UInt8], seen: Set<Int> = [], receivedAtMs: Int64
  ) throws(BodyFault) -> (batch: DecodedBatch, items: [BulkItem]) {
    var items: [BulkItem] = []
    let batch = try read(receivedAtMs: receivedAtMs) { reading throws(BodyFault) in
      items = try reading.readBulk(body, index: index, seen: seen)
    }
    return (batch, items)
  }
}

extension BodyReading {
  private static let actionNames = WordTable(BulkItem.Action.allCases.map(\.rawValue))
  private static let metadataNames = WordTable(["_index", "_id"])

  fileprivate mutating func readBulk(
    _ body: Span<UInt8>, index: [UInt8], seen: Set<Int>
  ) throws(BodyFault) -> [BulkItem] {
    var items: [BulkItem] = []
    // Of this request alone: it may hold many.
    var ids = BulkIDs(index: index)
    var lines = BulkLines(from: EventBody.start(body))
    while let action = lines.next(body) {
      var item = try BodyReading.bulkItem(body, action, number: items.count + 1, line: lines.number)
      let document = item.action == .delete ? nil : lines.next(body, includingEmpty: true)
      if seen.contains(item.number) || ids.isCounted(item, body) {
        item.outcome = .seen
      } else {
        item.outcome = settle(item, body, action, document)
        if case .accepted = item.outcome { ids.count(item, body) }
      }
      items.append(item)
    }
    return items
  }

  private mutating func settle(
    _ item: BulkItem, _ body: Span<UInt8>, _ action: Range<Int>, _ document: Range<Int>?
  ) -> BulkItem.Outcome {
    let range = document ?? action
    let outcome: RecordOutcome =
      switch item.action {
      case .update, .delete:
        rejected(because: "\(item.action.rawValue): not supported: events are only ever added: use create or index")
      case .create, .index:
        document.map { settleDocument(body.extracting($0)) } ?? rejected(because: "the request ends before the document")
      }
    note(outcome, body, range.lowerBound, range.upperBound, number: item.number)
    switch outcome {
    case .accepted: return .accepted
    case .ignored: return .ignored
    case .rejected: return .rejected
    }
  }

  private mutating func settleDocument(_ line: Span<UInt8>) -> RecordOutcome {
    guard line.count <= settings.lineBytesMax else { return rejected(EventFault(.tooLong), line, place: "") }
    var cursor = JSONCursor()
    do throws(JSONFault) {
      try reader.readObject(line, &cursor)
      cursor.skipWhitespace(line)
      guard cursor.position == line.count else { throw .trailingBytes }
      return settleObject(line)
    } catch {
      return rejected(EventFault(.json(error), at: cursor.position), line, place: "column \(cursor.position + 1)")
    }
  }

  /// `{"create":{"_index":"…","_id":"…"}}`.
  private static func bulkItem(
    _ body: Span<UInt8>, _ range: Range<Int>, number: Int, line: Int
  ) throws(BodyFault) -> BulkItem {
    let text = body.extracting(0..<range.upperBound)
    var cursor = JSONCursor(at: range.lowerBound)
    var action: BulkItem.Action?
    var index = 0..<0
    var id = 0..<0
    do throws(JSONFault) {
      try cursor.expect(UInt8(ascii: "{"), text)
      let name = actionNames.index(of: try cursor.key(text), text)
      if name >= 0 { action = BulkItem.Action.allCases[name] }
      try cursor.expect(UInt8(ascii: "{"), text)
      var isFirst = true
      while let member = try cursor.nextMember(text, &isFirst) {
        let value = try value(text, &cursor)
        switch metadataNames.index(of: member, text) {
        case 0: index = value
        case 1: id = value
        default: break
        }
      }
      try cursor.expect(UInt8(ascii: "}"), text)
      cursor.skipWhitespace(text)
      guard cursor.position == text.count else { throw .trailingBytes }
    } catch {
      let place = cursor.position - range.lowerBound + 1
      let message = JSONError.message(error, at: cursor.position, in: text)
      throw BodyFault(reason: "Malformed action/metadata line [\(line)], column \(place): \(message)")
    }
    guard let action else {
      throw BodyFault(
        reason: "Malformed action/metadata line [\(line)]: expected create, index, update or delete")
    }
    return BulkItem(action: action, number: number, index: index, id: id)
  }

  /// A text without its quotes, or a number; empty for anything else.
  private static func value(_ text: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONFault) -> Range<Int> {
    let value = try cursor.range(text)
    let first = text[value.lowerBound]
    if first == UInt8(ascii: "\"") { return value.lowerBound + 1..<value.upperBound - 1 }
    return first &- 0x30 <= 9 || first == UInt8(ascii: "-") ? value : 0..<0
  }
}

/// The lines of a bulk request.
private struct BulkLines {
  private var start: Int
  /// Of the line that was read last, from 1.
  private(set) var number = 0

  init(from start: Int) {
    self.start = start
  }

  /// The next line without the white space around it; nil at the end.
  ///
  /// - Parameter includingEmpty: whether an empty line is one, as in a document's place.
  mutating func next(_ body: Span<UInt8>, includingEmpty: Bool = false) -> Range<Int>? {
    while start < body.count {
      let end = EventBody.lineEnd(body, from: start)
      number += 1
      var range = start..<end
      start = end + 1
      while !range.isEmpty, body[range.lowerBound] <= 0x20 { range = range.lowerBound + 1..<range.upperBound }
      while !range.isEmpty, body[range.upperBound - 1] <= 0x20 { range = range.lowerBound..<range.upperBound - 1 }
      if !range.isEmpty || includingEmpty { return range }
    }
    return nil
  }
}

/// The ids that one request has counted, so that it counts none twice.
private struct BulkIDs {
  private let index: [UInt8]
  private var names: LabelInterner?
  /// By number of the name.
  private var areCounted: [Bool] = []
  private var name: [UInt8] = []
  /// More than any body holds.
  private static let most = 1 << 30

  init(index: [UInt8]) {
    self.index = index
  }

  mutating func isCounted(_ item: BulkItem, _ body: Span<UInt8>) -> Bool {
    guard !item.id.isEmpty else { return false }
    return areCounted[number(item, body)]
  }

  mutating func count(_ item: BulkItem, _ body: Span<UInt8>) {
    guard !item.id.isEmpty else { return }
    areCounted[number(item, body)] = true
  }

  private mutating func number(_ item: BulkItem, _ body: Span<UInt8>) -> Int {
    name.removeAll(keepingCapacity: true)
    if item.index.isEmpty { name.append(contentsOf: index) }
    for position in item.index { name.append(body[position]) }
    // In no text of JSON.
    name.append(0)
    for position in item.id { name.append(body[position]) }
    var names = self.names ?? LabelInterner(outsideMax: BulkIDs.most, seed: UInt64.random(in: 0...UInt64.max))
    self.names = nil
    let number = names.number(name.span, 0, name.count)
    self.names = names
    while areCounted.count <= number { areCounted.append(false) }
    return number
  }
}
