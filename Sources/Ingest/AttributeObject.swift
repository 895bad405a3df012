// SPDX-License-Identifier: Apache-2.0

// The attributes of a record as the JSON object that they stand for, so that a protocol with values of its own goes the
// way of every event, and what is rejected can be read by people. Only fields that mean something are written.

import JSON

/// An object being written into a buffer that is kept from record to record.
struct AttributeObject {
  /// For its reader to take out for as long as it borrows them.
  var bytes: [UInt8] = []
  private(set) var isEmpty = true
  /// Whether an `event_type` was written.
  private(set) var hasEventType = false
  /// OpenTelemetry's older name of an event's name, as an attribute.
  private static let eventName = "event.name"
  private let names = WordTable(EventField.allCases.map(\.rawValue) + [AttributeObject.eventName])
  private let fields = EventField.allCases.map { Array("\"\($0.rawValue)\":".utf8) } + [Array("\"event_type\":".utf8)]

  mutating func begin() {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(UInt8(ascii: "{"))
    isEmpty = true
    hasEventType = false
  }

  mutating func end() { bytes.append(UInt8(ascii: "}")) }

  /// Begins an object as the value of a member; `close` ends it.
  mutating func open() {
    bytes.append(UInt8(ascii: "{"))
    isEmpty = true
  }

  mutating func close() {
    bytes.append(UInt8(ascii: "}"))
    isEmpty = false
  }

  /// Writes the name of a member whose value is to follow at once.
  ///
  /// - Returns: false, and nothing is written, for a name that means nothing.
  mutating func key(_ name: JSONString, _ source: Span<UInt8>) -> Bool {
    let index = names.index(of: name, source)
    guard index >= 0 else { return false }
    key(index)
    return true
  }

  mutating func key(_ field: EventField) { key(field.index) }

  private mutating func key(_ index: Int) {
    if !isEmpty { bytes.append(UInt8(ascii: ",")) }
    isEmpty = false
    hasEventType = hasEventType || index == EventField.eventType.index || index == EventField.allCases.count
    bytes.append(contentsOf: fields[index])
  }

  // MARK: Values

  /// A text; bytes that are not UTF-8 become U+FFFD.
  mutating func string(_ source: Span<UInt8>, _ range: Range<Int>) {
    bytes.append(UInt8(ascii: "\""))
    var index = range.lowerBound
    // Nearly every text is plain to its end.
    while index + 8 <= range.upperBound, Word.stringMarks(in: Word.eight(source, index)) == 0 { index += 8 }
    raw(source, range.lowerBound..<index)
    while index < range.upperBound {
      let byte = source[index]
      if byte >= 0x80 {
        let length = UTF8Length.ofCharacter(at: index, in: source.extracting(0..<range.upperBound))
        if length == 0 { bytes += [0xef, 0xbf, 0xbd] }
        for offset in 0..<length { bytes.append(source[index + offset]) }
        index += max(length, 1)
        continue
      }
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      } else if byte < 0x20 {
        control(byte)
      } else {
        bytes.append(byte)
      }
      index += 1
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// A value that is JSON already.
  mutating func raw(_ source: Span<UInt8>, _ range: Range<Int>) {
    bytes.append(addingCapacity: range.count) { (output: inout OutputSpan<UInt8>) in
      for index in range { output.append(source[index]) }
    }
  }

  mutating func integer(_ value: some FixedWidthInteger) { bytes.append(contentsOf: value.description.utf8) }

  /// What JSON has no number for is written as a text, which no field takes for a number.
  mutating func number(_ value: Double) {
    bytes.append(contentsOf: (value.isFinite ? value.description : "\"\(value)\"").utf8)
  }

  mutating func bool(_ value: Bool) { bytes.append(contentsOf: (value ? "true" : "false").utf8) }
  mutating func null() { bytes.append(contentsOf: "null".utf8) }
  /// An array or object, which no field takes.
  mutating func container() { bytes.append(contentsOf: "[]".utf8) }

  private mutating func control(_ byte: UInt8) {
    bytes.append(contentsOf: "\\u00".utf8)
    bytes.append(byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
    let low = byte & 0x0f
    bytes.append(low < 10 ? 0x30 + low : 0x57 + low)
  }
}
