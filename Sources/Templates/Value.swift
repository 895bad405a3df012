// SPDX-License-Identifier: Apache-2.0

// What expressions give. The cases are the types that Go's values have in Prometheus' templates: functions and messages
// tell them apart.

internal import TimeSeries

indirect enum Value {
  /// Go's invalid value: nil, or a field of nothing.
  case none
  /// An `interface {}` that is nil: an element of a map of arguments that does not exist.
  case emptyInterface
  case bool(Bool)
  case integer(Int64, IntegerType)
  case float(Double)
  case text([UInt8])
  /// What safeHtml gives: text of a type of its own.
  case html([UInt8])
  case labels(Labels)
  case arguments(Arguments)
  case samples([Pointer])
  case sample(Sample)
  case time(Instant)
  /// The dot of an alert's template.
  case alert(Alert)
  case pointer(Pointer)
}

/// Integers whose types functions tell apart, with 64 bits all.
enum IntegerType: String {
  case int
  case int64
  case byte = "uint8"
  case duration = "time.Duration"
  case month = "time.Month"
  case weekday = "time.Weekday"
}

/// What a pointer of Go points at: a sample, a time or a duration.
final class Pointer {
  let target: Value

  init(_ target: Value) { self.target = target }
}

struct Sample {
  let labels: Labels
  let value: Double
}

struct Alert {
  let labels: Labels
  let externalLabels: Labels
  let externalURL: [UInt8]
  let value: Double
}

/// What `args` gives: `arg0`, `arg1` and so on.
struct Arguments {
  /// At most `TemplateLimits.argumentDepthMax`: of maps inside of each other.
  let depth: Int
  /// Ascending by key.
  let elements: [(key: String, value: Value)]

  init(_ values: [Value]) throws(Fault) {
    depth = values.reduce(0) { max($0, $1.argumentDepth) } + 1
    guard depth <= TemplateLimits.argumentDepthMax else { throw Fault("arguments are nested too deeply") }
    let keyed = values.enumerated().map { (key: "arg\($0.offset)", value: $0.element) }
    elements = keyed.sorted { $0.key < $1.key }
  }

  subscript(_ key: String) -> Value? { elements.first { $0.key == key }?.value }
}

extension Value {
  fileprivate var argumentDepth: Int {
    if case .arguments(let arguments) = self { return arguments.depth }
    return 0
  }

  static func text(_ text: String) -> Value { .text(Array(text.utf8)) }

  /// As Go's `%T`; nil for no value.
  var typeName: String? {
    switch self {
    case .none, .emptyInterface: nil
    case .bool: "bool"
    case .integer(_, let type): type.rawValue
    case .float: "float64"
    case .text: "string"
    case .html: "template.HTML"
    case .labels: "map[string]string"
    case .arguments: "map[string]interface {}"
    case .samples: "template.queryResult"
    case .sample: "template.sample"
    case .time: "time.Time"
    case .alert:
      "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }"
    case .pointer(let pointer): "*" + (pointer.target.typeName ?? "")
    }
  }

  /// What conditions ask: whether it is anything but the zero of its type.
  var isTrue: Bool {
    switch self {
    case .none, .emptyInterface: false
    case .bool(let value): value
    case .integer(let value, _): value != 0
    case .float(let value): value != 0
    case .text(let text), .html(let text): !text.isEmpty
    case .labels(let labels): !labels.all.isEmpty
    case .arguments(let arguments): !arguments.elements.isEmpty
    case .samples(let samples): !samples.isEmpty
    case .sample, .time, .alert, .pointer: true
    }
  }

  /// Behind a pointer what it points at.
  var target: Value {
    if case .pointer(let pointer) = self { return pointer.target }
    return self
  }

  /// Bytes that a function has to look at: the measure of its work.
  var sizeBytes: Int {
    switch self {
    case .text(let text), .html(let text): text.count
    case .samples(let samples): samples.count * 8
    case .arguments(let arguments): arguments.elements.count * 8
    case .none, .emptyInterface, .bool, .integer, .float, .labels, .sample, .time, .alert, .pointer: 8
    }
  }
}
