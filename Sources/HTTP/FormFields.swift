// SPDX-License-Identifier: Apache-2.0

// Fields of an HTML form as APIs use them: in the query, or in a body of application/x-www-form-urlencoded.
// https://url.spec.whatwg.org/#application/x-www-form-urlencoded

/// Names and values in the order they were sent, percent-decoded. Bytes that are not UTF-8 are repaired.
package struct FormFields: Sendable {
  package struct Field: Sendable, Equatable {
    package let name: String
    package let value: String
  }

  /// Most fields; what follows is not read.
  package static let fieldsMax = 1_000

  package private(set) var fields: [Field] = []

  /// - Parameter body: of a form; fields of the query may follow by `append`.
  package init(body: Span<UInt8>) {
    var start = 0
    while start <= body.count, fields.count < FormFields.fieldsMax {
      var end = start
      var equals: Int?
      while end < body.count, body[end] != UInt8(ascii: "&") {
        if equals == nil, body[end] == UInt8(ascii: "=") { equals = end }
        end += 1
      }
      if end > start {
        let name = FormFields.text(body, start, equals ?? end)
        fields.append(Field(name: name, value: equals.map { FormFields.text(body, $0 + 1, end) } ?? ""))
      }
      start = end + 1
    }
  }

  /// Appends the fields of a request's query.
  package mutating func append(queryOf exchange: Exchange) {
    var fields = self.fields
    exchange.forEachQuery { name, value in
      guard fields.count < FormFields.fieldsMax else { return }
      fields.append(Field(name: FormFields.text(name), value: FormFields.text(value)))
    }
    self.fields = fields
  }

  /// The value of the first field of that name; nil where there is none.
  package subscript(_ name: String) -> String? {
    fields.first { $0.name == name }?.value
  }

  /// The values of all fields of that name, in order.
  package func all(_ name: String) -> [String] {
    fields.filter { $0.name == name }.map(\.value)
  }

  /// Of encoded bytes.
  private static func text(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> String {
    var raw: [UInt8] = []
    raw.reserveCapacity(end - start)
    for index in start..<end { raw.append(bytes[index] == UInt8(ascii: "+") ? 0x20 : bytes[index]) }
    var decoded: [UInt8] = []
    PercentDecoding.decode(raw.span, into: &decoded)
    return String(decoding: decoded, as: UTF8.self)
  }

  /// Of bytes that are decoded already.
  private static func text(_ bytes: Span<UInt8>) -> String {
    var raw: [UInt8] = []
    raw.reserveCapacity(bytes.count)
    for index in 0..<bytes.count { raw.append(bytes[index]) }
    return String(decoding: raw, as: UTF8.self)
  }
}
