// SPDX-License-Identifier: Apache-2.0

// index, slice and len. Texts are indexed by bytes.

internal import TimeSeries

enum Indexing {
  static func count(_ value: Value) throws(Fault) -> Int {
    switch value.target {
    case .text(let text), .html(let text): return text.count
    case .labels(let labels): return labels.all.count
    case .arguments(let arguments): return arguments.elements.count
    case .samples(let samples): return samples.count
    case .emptyInterface: throw Fault("len of nil pointer")
    // Go's words.
    case .none: throw Fault("reflect: call of reflect.Value.Type on zero Value")
    case let other: throw Fault("len of type \(other.typeName ?? "nil")")
    }
  }

  /// What is found by going down one key or index after the other.
  static func element(_ value: Value, _ indices: ArraySlice<Value>) throws(Fault) -> Value {
    guard value.typeName != nil else { throw Fault("index of untyped nil") }
    var value = value
    for index in indices {
      switch value.target {
      case .text(let text), .html(let text):
        let position = try position(index, atMost: text.count)
        guard position < text.count else { throw Fault("reflect: string index out of range") }
        value = .integer(Int64(text[position]), .byte)
      case .samples(let samples):
        let position = try position(index, atMost: samples.count)
        guard position < samples.count else { throw Fault("reflect: slice index out of range") }
        value = .pointer(samples[position])
      case .labels(let labels): value = .text(labels[try key(index)] ?? "")
      case .arguments(let arguments): value = arguments[try key(index)] ?? .emptyInterface
      case .none, .emptyInterface: throw Fault("index of nil pointer")
      case let other: throw Fault("can't index item of type \(other.typeName ?? "nil")")
      }
    }
    return value
  }

  private static func key(_ index: Value) throws(Fault) -> String {
    if case .text(let text) = index { return String(decoding: text, as: UTF8.self) }
    guard let type = index.typeName else { throw Fault("value is nil; should be of type string") }
    throw Fault("value has type \(type); should be string")
  }

  private static func position(_ index: Value, atMost max: Int) throws(Fault) -> Int {
    guard case .integer(let position, _) = index else {
      guard let type = index.typeName else { throw Fault("cannot index slice/array with nil") }
      throw Fault("cannot index slice/array with type \(type)")
    }
    guard (0...Int64(max)).contains(position) else { throw Fault("index out of range: \(position)") }
    return Int(position)
  }

  /// `slice x 1 2` is Go's `x[1:2]`.
  static func slice(_ value: Value, _ indices: ArraySlice<Value>) throws(Fault) -> Value {
    guard let type = value.typeName else { throw Fault("slice of untyped nil") }
    guard indices.count <= 3 else { throw Fault("too many slice indexes: \(indices.count)") }
    switch value {
    case .text(let text): return .text(Array(text[try range(indices, text.count, isText: true)]))
    case .html(let text): return .html(Array(text[try range(indices, text.count, isText: true)]))
    case .samples(let samples): return .samples(Array(samples[try range(indices, samples.count, isText: false)]))
    default: throw Fault("can't slice item of type \(type)")
    }
  }

  private static func range(_ indices: ArraySlice<Value>, _ count: Int, isText: Bool) throws(Fault) -> Range<Int> {
    if isText, indices.count == 3 { throw Fault("cannot 3-index slice a string") }
    // A third index would bound the capacity, which templates cannot see.
    var bounds = [0, count, count]
    for (place, index) in indices.enumerated() { bounds[place] = try position(index, atMost: count) }
    guard bounds[0] <= bounds[1] else { throw Fault("invalid slice index: \(bounds[0]) > \(bounds[1])") }
    guard bounds[1] <= bounds[2] else { throw Fault("invalid slice index: \(bounds[1]) > \(bounds[2])") }
    return bounds[0]..<bounds[1]
  }
}
