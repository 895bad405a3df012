// SPDX-License-Identifier: Apache-2.0

internal import PromQL

// Numbers as Prometheus' API writes them: Go's shortest form that reads back the same, with an exponent only for the
// very small and the very large. https://github.com/prometheus/prometheus/blob/main/util/jsonutil/marshal.go

enum PrometheusNumber {
  /// Most bytes of a value.
  static let valueBytesMax = GeneralNumber.answerBytesMax
  /// Most bytes of a time: `-9223372036854775.808`.
  static let timeBytesMax = 21

  /// Appends a value without quotes.
  static func append(_ value: Double, to bytes: inout [UInt8]) {
    bytes.append(addingCapacity: valueBytesMax) { append(value, to: &$0) }
  }

  /// Appends a time in ms as seconds, with three decimals where it has any.
  static func append(timeMs: Int64, to bytes: inout [UInt8]) {
    bytes.append(addingCapacity: timeBytesMax) { append(timeMs: timeMs, to: &$0) }
  }

  /// - Parameter output: with room for `valueBytesMax` bytes.
  static func append(_ value: Double, to output: inout OutputSpan<UInt8>) {
    // Most values are counts, whose digits cost a third of what those of fractions do.
    if value == value.rounded(), abs(value) < 1e15, value != 0 || value.sign == .plus {
      append(Int64(value), to: &output)
    } else {
      GeneralNumber.append(answer: value, to: &output)
    }
  }

  /// - Parameter output: with room for `timeBytesMax` bytes.
  static func append(timeMs: Int64, to output: inout OutputSpan<UInt8>) {
    let (seconds, rest) = timeMs.magnitude.quotientAndRemainder(dividingBy: 1000)
    if timeMs < 0 { output.append(UInt8(ascii: "-")) }
    append(Int64(seconds), to: &output)
    guard rest != 0 else { return }
    output.append(UInt8(ascii: "."))
    for divisor: UInt64 in [100, 10, 1] { output.append(UInt8(ascii: "0") + UInt8(rest / divisor % 10)) }
  }

  private static func append(_ value: Int64, to output: inout OutputSpan<UInt8>) {
    if value < 0 { output.append(UInt8(ascii: "-")) }
    // The last digit comes first. An Int64 has 19.
    var digits = InlineArray<20, UInt8>(repeating: 0)
    var first = digits.count
    var rest = value.magnitude
    repeat {
      first -= 1
      digits[first] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    } while rest != 0
    for index in first..<digits.count { output.append(digits[index]) }
  }
}
