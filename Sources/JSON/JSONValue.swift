// SPDX-License-Identifier: Apache-2.0

// A JSON document as a tree, for configuration, flags and answers: things of at most some kilobytes that are looked at
// by name. Telemetry never becomes one of these (`JSONCursor`).

/// One JSON value.
package enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  /// A literal without fraction and exponent that fits.
  case integer(Int64)
  /// Any other number; finite when it was parsed.
  case number(Double)
  case string(String)
  case array([JSONValue])
  /// In document order.
  case object([JSONMember])

  /// Looks a member up, linear in their number; nil when absent or when this is not an object.
  package subscript(_ key: String) -> JSONValue? {
    members?.first { $0.name == key }?.value
  }

  package var isNull: Bool { self == .null }

  package var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  package var integer: Int64? {
    if case .integer(let value) = self { value } else { nil }
  }

  /// An integer or a number.
  package var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  package var string: String? {
    if case .string(let value) = self { value } else { nil }
  }

  package var array: [JSONValue]? {
    if case .array(let values) = self { values } else { nil }
  }

  package var members: [JSONMember]? {
    if case .object(let members) = self { members } else { nil }
  }

  package func write(to writer: inout JSONWriter) {
    switch self {
    case .null: writer.null()
    case .bool(let value): writer.bool(value)
    case .integer(let value): writer.integer(value)
    case .number(let value): writer.number(value)
    case .string(let value): writer.string(value)
    case .array(let values):
      writer.beginArray()
      for value in values { value.write(to: &writer) }
      writer.endArray()
    case .object(let members):
      writer.beginObject()
      for member in members {
        writer.key(member.name)
        member.value.write(to: &writer)
      }
      writer.endObject()
    }
  }

  /// Compact JSON.
  package var text: String {
    var writer = JSONWriter()
    write(to: &writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}

/// One name and value of an object.
package struct JSONMember: Equatable, Sendable {
  package let name: String
  package let value: JSONValue

  package init(name: String, value: JSONValue) {
    self.name = name
    self.value = value
  }
}
