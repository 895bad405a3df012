// SPDX-License-Identifier: Apache-2.0

// Values as text: Go's fmt with its verbs, flags, widths and precisions. Which verb means what for which type is in
// Printer+Verbs, the reading of formats in Printer+Formats. https://pkg.go.dev/fmt

struct Printer {
  struct Flags {
    var minus = false
    var plus = false
    var sharp = false
    var space = false
    var zero = false
    /// `%+v`: structures with the names of their fields.
    var plusV = false
    /// `%#v`: values as Go would write them down.
    var sharpV = false
  }

  private var bytes: [UInt8] = []
  private let bytesMax: Int
  private var isFull = false
  /// Of the same measure as an execution's steps; below 0 nothing more is printed.
  private(set) var stepsLeft: Int

  var flags = Flags()
  var width: Int?
  var precision: Int?
  /// Inside of a message about a wrong verb, where times and durations are but numbers.
  var isComplaining = false

  init(bytesMax: Int, stepsMax: Int) {
    self.bytesMax = bytesMax
    stepsLeft = stepsMax
  }

  /// Nil when it is larger than the caller allowed.
  var result: [UInt8]? { isFull ? nil : bytes }

  /// As an action prints it; nil when it is larger.
  static func printed(_ value: Value, atMost bytesMax: Int) -> [UInt8]? {
    switch value {
    case .none: return Array("<no value>".utf8)
    case .text(let text), .html(let text): return text
    default: break
    }
    // Each element prints a byte at least, so that the output bounds the work.
    var printer = Printer(bytesMax: bytesMax, stepsMax: TemplateLimits.stepsMax)
    printer.printAll([value.target])
    return printer.result
  }

  /// For messages: with `%v`, or another verb.
  static func shown(_ value: Value, _ verb: Unicode.Scalar = "v") -> String {
    var printer = Printer(bytesMax: TemplateLimits.outputBytesMax, stepsMax: TemplateLimits.stepsMax)
    printer.print(value, verb)
    return String(decoding: printer.result ?? [], as: UTF8.self)
  }

  /// Go's Sprint: spaces between operands when neither is a text.
  mutating func printAll(_ values: [Value]) {
    var isBehindText = true
    for value in values {
      if !isBehindText, !value.isText { append(" ") }
      print(value, "v")
      isBehindText = value.isText
    }
  }

  /// Go's Sprintln: spaces between all.
  mutating func printLine(_ values: [Value]) {
    for (index, value) in values.enumerated() {
      if index > 0 { append(" ") }
      print(value, "v")
    }
    append("\n")
  }

  // MARK: Output

  mutating func append(_ text: String) { append(Array(text.utf8)) }

  mutating func append(_ text: some Collection<UInt8>) {
    guard !isFull, text.count <= bytesMax - bytes.count else {
      isFull = true
      return
    }
    bytes.append(contentsOf: text)
  }

  mutating func append(repeating byte: UInt8, count: Int) {
    guard count > 0 else { return }
    guard !isFull, count <= bytesMax - bytes.count else {
      isFull = true
      return
    }
    bytes.append(contentsOf: repeatElement(byte, count: count))
  }

  /// Whether there is room left for a number of bytes; when not, nothing more is printed.
  mutating func hasRoom(_ count: Int = 0, steps: Int = 1) -> Bool {
    stepsLeft -= steps
    if stepsLeft < 0 || count > bytesMax - bytes.count { isFull = true }
    return !isFull
  }

  /// With the width's spaces, or zeros in front where the flag asks for them.
  mutating func pad(_ text: [UInt8], withZeros: Bool) {
    let count = (width ?? 0) == 0 ? 0 : width! - Scalars.count(text)
    let padding = UInt8(ascii: withZeros && !flags.minus ? "0" : " ")
    if !flags.minus { append(repeating: padding, count: count) }
    append(text)
    if flags.minus { append(repeating: padding, count: count) }
  }

  mutating func pad(_ text: [UInt8]) { pad(text, withZeros: flags.zero) }
}

extension Value {
  /// Of the kind `string`.
  var isText: Bool {
    switch self {
    case .text, .html: true
    default: false
    }
  }
}
