// SPDX-License-Identifier: Apache-2.0

// Finite numbers as decimal digits, laid out as Go's strconv.FormatFloat lays out 'f' and 'e'. Which of the two, and
// how numbers are written that are not finite, is for GeneralNumber and NumberText to say.

/// A finite number as `0.digits × 10^pointAt`: the fewest digits that read back as the same value, without zeros at
/// either end. Zero is the one digit 0.
struct ShortestDecimal {
  private let isNegative: Bool
  // In place: an array would be an allocation for each number of an answer. Swift writes no more than 18 digits.
  private var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
  private var count = 0
  private(set) var pointAt = 0

  init(_ value: Double) {
    isNegative = value.sign == .minus
    // Swift's text has the fewest digits: 5e-324, 0.1, 100.0, 1e+16.
    let text = value.magnitude.description
    read(text.utf8.span)
  }

  private mutating func read(_ text: Span<UInt8>) {
    var read = 0
    var hasPoint = false
    var exponent = 0
    for index in text.indices {
      let byte = text[index]
      if byte == UInt8(ascii: "e") {
        exponent = ShortestDecimal.integer(text, from: index + 1)
        break
      } else if byte == UInt8(ascii: ".") {
        hasPoint = true
      } else if byte != UInt8(ascii: "0") || read > 0 {
        digits[read] = byte
        read += 1
        if byte != UInt8(ascii: "0") { count = read }
        if !hasPoint { pointAt += 1 }
      } else if hasPoint {
        pointAt -= 1
      }
    }
    pointAt = count == 0 ? 1 : pointAt + exponent
    count = max(1, count)
  }

  /// What follows an `e`: `+16` or `-324`.
  private static func integer(_ text: Span<UInt8>, from sign: Int) -> Int {
    var magnitude = 0
    for index in (sign + 1)..<text.count { magnitude = magnitude * 10 + Int(text[index] - UInt8(ascii: "0")) }
    return text[sign] == UInt8(ascii: "-") ? -magnitude : magnitude
  }

  /// Half up, from the digits there are.
  mutating func round(to digitsMax: Int) {
    guard count > digitsMax else { return }
    let goesUp = digits[digitsMax] >= UInt8(ascii: "5")
    count = digitsMax
    // What is dropped goes on as zeros, which no number ends with.
    let dropped = UInt8(ascii: goesUp ? "9" : "0")
    while count > 0, digits[count - 1] == dropped { count -= 1 }
    guard goesUp else { return }
    if count > 0 {
      digits[count - 1] += 1
    } else {
      digits[0] = UInt8(ascii: "1")
      count = 1
      pointAt += 1
    }
  }

  /// Most bytes of a text without exponent, with all zeros between the digits and the point.
  var plainBytesMax: Int { digits.count + Int(pointAt.magnitude) + 3 }

  func appendPlain(to output: inout OutputSpan<UInt8>) {
    appendSign(to: &output)
    if pointAt <= 0 {
      output.append(UInt8(ascii: "0"))
      output.append(UInt8(ascii: "."))
      output.append(repeating: UInt8(ascii: "0"), count: -pointAt)
    }
    for index in 0..<count {
      if index == pointAt, index > 0 { output.append(UInt8(ascii: ".")) }
      output.append(digits[index])
    }
    output.append(repeating: UInt8(ascii: "0"), count: max(0, pointAt - count))
  }

  /// With two digits of the exponent at least.
  func appendScientific(to output: inout OutputSpan<UInt8>) {
    appendSign(to: &output)
    for index in 0..<count {
      if index == 1 { output.append(UInt8(ascii: ".")) }
      output.append(digits[index])
    }
    let exponent = pointAt - 1
    output.append(UInt8(ascii: "e"))
    output.append(UInt8(ascii: exponent < 0 ? "-" : "+"))
    let magnitude = exponent.magnitude
    if magnitude >= 100 { output.append(UInt8(ascii: "0") + UInt8(magnitude / 100)) }
    output.append(UInt8(ascii: "0") + UInt8(magnitude / 10 % 10))
    output.append(UInt8(ascii: "0") + UInt8(magnitude % 10))
  }

  private func appendSign(to output: inout OutputSpan<UInt8>) {
    if isNegative { output.append(UInt8(ascii: "-")) }
  }

  var plain: String {
    var bytes: [UInt8] = []
    bytes.append(addingCapacity: plainBytesMax) { appendPlain(to: &$0) }
    return String(decoding: bytes, as: UTF8.self)
  }

  var scientific: String {
    var bytes: [UInt8] = []
    bytes.append(addingCapacity: plainBytesMax) { appendScientific(to: &$0) }
    return String(decoding: bytes, as: UTF8.self)
  }
}
