// SPDX-License-Identifier: Apache-2.0

// Which verb means what for which type.

internal import TimeSeries

extension Printer {
  mutating func print(_ value: Value, _ verb: Unicode.Scalar) {
    guard hasRoom() else { return }
    switch (verb, value.typeName) {
    case ("T", let type?): printText(Array(type.utf8), "s", value)
    case ("T", nil), ("v", nil): pad(Array("<nil>".utf8))
    // `%w` wraps errors, which are no values here.
    case (_, nil), ("w", _): complain(about: value, verb)
    default: printPart(value, verb, depth: 0)
    }
  }

  // A value, or an element of one.
  private mutating func printPart(_ value: Value, _ verb: Unicode.Scalar, depth: Int) {
    guard hasRoom() else { return }
    if !isComplaining, !flags.sharpV, "vsxXq".unicodeScalars.contains(verb), let spoken = value.spoken {
      return printText(Array(spoken.utf8), verb, value)
    }
    switch value {
    case .none, .emptyInterface: append(flags.sharpV ? "interface {}(nil)" : "<nil>")
    case .bool(let truth): printBool(truth, verb, value)
    case .integer(let integer, let type): printInteger(integer, isUnsigned: type == .byte, verb, value)
    case .float(let number): printFloat(number, verb, value)
    case .text(let text), .html(let text): printText(text, verb, value)
    case .labels, .arguments: printMap(value, verb, depth)
    case .samples(let samples): printList(samples.map { .pointer($0) }, value, verb, depth)
    case .sample, .alert: printStructure(value, verb, depth)
    case .time(let instant): printText(Array(instant.description.utf8), "s", value)
    case .pointer(let pointer): printPointer(pointer, verb, depth)
    }
  }

  /// `%!d(string=text)`
  mutating func complain(about value: Value, _ verb: Unicode.Scalar) {
    let wasComplaining = isComplaining
    isComplaining = true
    append("%!\(verb)(")
    if let type = value.typeName {
      append(type + "=")
      printPart(value, "v", depth: 0)
    } else {
      append("<nil>")
    }
    append(")")
    isComplaining = wasComplaining
  }

  // MARK: Simple types

  private mutating func printBool(_ truth: Bool, _ verb: Unicode.Scalar, _ value: Value) {
    guard verb == "t" || verb == "v" else { return complain(about: value, verb) }
    pad(Array(truth ? "true".utf8 : "false".utf8))
  }

  private mutating func printText(_ text: [UInt8], _ verb: Unicode.Scalar, _ value: Value) {
    switch verb {
    case "v" where flags.sharpV, "q": printQuoted(text)
    case "v", "s": pad(precision.map { Scalars.prefix(text, $0) } ?? text)
    case "x", "X": printBytes(text, isUpper: verb == "X")
    default: complain(about: value, verb)
    }
  }

  private mutating func printQuoted(_ text: [UInt8]) {
    let text = precision.map { Scalars.prefix(text, $0) } ?? text
    let backquote = [UInt8(ascii: "`")]
    if flags.sharp, Quoting.canBackquote(text) {
      pad(backquote + text + backquote)
    } else {
      pad(Quoting.quotedBytes(text, onlyASCII: flags.plus))
    }
  }

  // Two digits a byte; with a space flag apart, with a sharp one after 0x.
  private mutating func printBytes(_ text: [UInt8], isUpper: Bool) {
    let bytes = text.prefix(precision ?? text.count)
    guard !bytes.isEmpty else { return append(repeating: padding, count: width ?? 0) }
    let prefix = flags.sharp ? (isUpper ? "0X" : "0x") : ""
    let pairs = bytes.map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: isUpper)
    }
    let shown = prefix + pairs.joined(separator: flags.space ? " " + prefix : "")
    let count = (width ?? 0) - shown.utf8.count
    if !flags.minus { append(repeating: padding, count: count) }
    append(shown)
    if flags.minus { append(repeating: padding, count: count) }
  }

  private var padding: UInt8 { UInt8(ascii: flags.zero && !flags.minus ? "0" : " ") }

  // MARK: Compound types

  private mutating func printMap(_ value: Value, _ verb: Unicode.Scalar, _ depth: Int) {
    append(flags.sharpV ? "\(value.typeName ?? ""){" : "map[")
    for (index, element) in value.elements.enumerated() {
      if index > 0 { append(flags.sharpV ? ", " : " ") }
      printPart(.text(element.key), verb, depth: depth + 1)
      append(":")
      printPart(element.value, verb, depth: depth + 1)
    }
    append(flags.sharpV ? "}" : "]")
  }

  private mutating func printList(_ elements: [Value], _ list: Value, _ verb: Unicode.Scalar, _ depth: Int) {
    append(flags.sharpV ? "\(list.typeName ?? ""){" : "[")
    for (index, element) in elements.enumerated() {
      if index > 0 { append(flags.sharpV ? ", " : " ") }
      printPart(element, verb, depth: depth + 1)
    }
    append(flags.sharpV ? "}" : "]")
  }

  private mutating func printStructure(_ value: Value, _ verb: Unicode.Scalar, _ depth: Int) {
    append(flags.sharpV ? "\(value.typeName ?? ""){" : "{")
    for (index, field) in value.elements.enumerated() {
      if index > 0 { append(flags.sharpV ? ", " : " ") }
      if flags.plusV || flags.sharpV { append(field.key + ":") }
      printPart(field.value, verb, depth: depth + 1)
    }
    append("}")
  }

  // Go prints addresses for pointers inside of lists, which say nothing; here they look the same everywhere.
  private mutating func printPointer(_ pointer: Pointer, _ verb: Unicode.Scalar, _ depth: Int) {
    let isNumber = "vbodxX".unicodeScalars.contains(verb)
    if depth > 0, !isNumber { return complain(about: .pointer(pointer), verb) }
    append("&")
    printPart(pointer.target, verb, depth: depth + 1)
  }
}

extension Value {
  /// Of a map ascending by key, of a structure in the order of its fields.
  fileprivate var elements: [(key: String, value: Value)] {
    switch self {
    case .labels(let labels): labels.all.map { ($0.name, .text($0.value)) }
    case .arguments(let arguments): arguments.elements
    case .sample(let sample): [("Labels", .labels(sample.labels)), ("Value", .float(sample.value))]
    case .alert(let alert):
      [
        ("Labels", .labels(alert.labels)), ("ExternalLabels", .labels(alert.externalLabels)),
        ("ExternalURL", .text(alert.externalURL)), ("Value", .float(alert.value)),
      ]
    default: []
    }
  }
}
