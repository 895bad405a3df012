// SPDX-License-Identifier: Apache-2.0

// Go's Sprintf: formats with verbs, and what it says of those that are wrong.

extension Printer {
  // Go's bound of widths and precisions; beyond it the digits are taken for no number.
  private static let sizeMax = 1_000_000

  mutating func printFormatted(_ format: [UInt8], _ values: [Value]) {
    var reading = Reading(rest: format[...])
    while hasRoom(), let percent = reading.rest.firstIndex(of: UInt8(ascii: "%")) {
      append(reading.rest[..<percent])
      reading.rest = reading.rest[(percent + 1)...]
      printOne(&reading, values)
    }
    append(reading.rest)
    // Arguments taken out of order are not counted.
    if !reading.isReordered, reading.next < values.count { complain(aboutExtra: values[reading.next...]) }
  }

  /// Where a format is read, and which argument is next.
  private struct Reading {
    var rest: ArraySlice<UInt8>
    var next = 0
    var isReordered = false
    /// Whether the last `[n]` named an argument there is.
    var isIndexGood = true
    var isBehindIndex = false

    mutating func take(_ byte: UInt8) -> Bool {
      guard rest.first == byte else { return false }
      rest = rest.dropFirst()
      return true
    }

    /// Digits; nil without any, and with too many of them, which are all taken.
    mutating func number() -> Int? {
      var number: Int?
      while let digit = rest.first.flatMap(NumberLiteral.digit), digit < 10 {
        if number ?? 0 > Printer.sizeMax {
          rest = []
          return nil
        }
        number = (number ?? 0) * 10 + Int(digit)
        rest = rest.dropFirst()
      }
      return number
    }

    /// `[n]`, which makes the n-th argument the next one.
    mutating func index(_ count: Int) {
      isBehindIndex = false
      guard rest.first == UInt8(ascii: "[") else { return }
      isReordered = true
      guard rest.count >= 3, let end = rest.firstIndex(of: UInt8(ascii: "]")) else {
        isIndexGood = false
        rest = rest.dropFirst()
        return
      }
      var inner = Reading(rest: rest[rest.startIndex + 1..<end])
      let number = inner.number()
      let isNumber = number != nil && inner.rest.isEmpty && inner.rest.startIndex == end
      rest = rest[(end + 1)...]
      isBehindIndex = isNumber
      if let number, isNumber, number >= 1, number <= count {
        next = number - 1
      } else {
        isIndexGood = false
      }
    }

    /// The next argument as a width or a precision.
    mutating func size(_ values: [Value]) -> Int? {
      guard next < values.count else { return nil }
      defer { next += 1 }
      guard case .integer(let size, _) = values[next], size.magnitude <= UInt64(Printer.sizeMax) else { return nil }
      return Int(size)
    }
  }

  // One verb with what stands in front of it; the percent sign is taken.
  private mutating func printOne(_ reading: inout Reading, _ values: [Value]) {
    reading.isIndexGood = true
    readFlags(&reading)
    reading.index(values.count)
    readWidth(&reading, values)
    readPrecision(&reading, values)
    if !reading.isBehindIndex { reading.index(values.count) }
    guard let start = reading.rest.indices.first else { return append("%!(NOVERB)") }
    let (verb, count) = Scalars.scalar(in: reading.rest, at: start)
    reading.rest = reading.rest.dropFirst(count)
    if verb == "%" { return append("%") }
    guard reading.isIndexGood else { return append("%!\(verb)(BADINDEX)") }
    guard reading.next < values.count else { return append("%!\(verb)(MISSING)") }
    if verb == "v" || verb == "w" {
      (flags.sharpV, flags.sharp) = (flags.sharp, false)
      (flags.plusV, flags.plus) = (flags.plus, false)
    }
    print(values[reading.next], verb)
    reading.next += 1
  }

  private mutating func readFlags(_ reading: inout Reading) {
    flags = Flags()
    (width, precision) = (nil, nil)
    while let byte = reading.rest.first {
      switch byte {
      case UInt8(ascii: "#"): flags.sharp = true
      case UInt8(ascii: "0"): flags.zero = true
      case UInt8(ascii: "+"): flags.plus = true
      case UInt8(ascii: "-"): flags.minus = true
      case UInt8(ascii: " "): flags.space = true
      default: return
      }
      reading.rest = reading.rest.dropFirst()
    }
  }

  private mutating func readWidth(_ reading: inout Reading, _ values: [Value]) {
    guard reading.take(UInt8(ascii: "*")) else {
      width = reading.number()
      // The index belongs to the verb, so nothing may stand between them.
      if reading.isBehindIndex, width != nil { reading.isIndexGood = false }
      return
    }
    width = reading.size(values)
    if width == nil { append("%!(BADWIDTH)") }
    if let size = width, size < 0 {
      width = -size
      flags.minus = true
      flags.zero = false
    }
    reading.isBehindIndex = false
  }

  private mutating func readPrecision(_ reading: inout Reading, _ values: [Value]) {
    // A point at the very end is the verb.
    guard reading.rest.count > 1, reading.take(UInt8(ascii: ".")) else { return }
    if reading.isBehindIndex { reading.isIndexGood = false }
    reading.index(values.count)
    guard reading.take(UInt8(ascii: "*")) else {
      precision = reading.number() ?? 0
      return
    }
    precision = reading.size(values).flatMap { $0 < 0 ? nil : $0 }
    if precision == nil { append("%!(BADPREC)") }
    reading.isBehindIndex = false
  }

  private mutating func complain(aboutExtra values: ArraySlice<Value>) {
    flags = Flags()
    (width, precision) = (nil, nil)
    append("%!(EXTRA ")
    for (offset, value) in values.enumerated() {
      if offset > 0 { append(", ") }
      guard let type = value.typeName else {
        append("<nil>")
        continue
      }
      append(type + "=")
      print(value, "v")
    }
    append(")")
  }
}
