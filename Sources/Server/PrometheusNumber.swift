// SPDX-License-Identifier: Apache-2.0

internal import PromQL

// Numbers as Prometheus' API writes them: Go's shortest form that reads back the same, with an exponent only for the
// very small and the very large. https://github.com/prometheus/prometheus/blob/main/util/jsonutil/marshal.go

enum PrometheusNumber {
  /// Appends a value without quotes.
  static func append(_ value: Double, to bytes: inout [UInt8]) {
    // Most values are counts; going through a String costs five times as much.
    if value == value.rounded(), abs(value) < 1e15, value != 0 || value.sign == .plus {
      return append(Int64(value), to: &bytes)
    }
    bytes.append(contentsOf: GeneralNumber.ofAnswer(value).utf8)
  }

  /// Appends a time in ms as seconds, with three decimals where it has any.
  static func append(timeMs: Int64, to bytes: inout [UInt8]) {
    let (seconds, rest) = timeMs.magnitude.quotientAndRemainder(dividingBy: 1000)
    if timeMs < 0 { bytes.append(UInt8(ascii: "-")) }
    append(Int64(seconds), to: &bytes)
    guard rest != 0 else { return }
    bytes.append(UInt8(ascii: "."))
    for divisor: UInt64 in [100, 10, 1] { bytes.append(UInt8(ascii: "0") + UInt8(rest / divisor % 10)) }
  }

  private static func append(_ value: Int64, to bytes: inout [UInt8]) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    let start = bytes.count
    var rest = value.magnitude
    repeat {
      bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest != 0
    bytes[start...].reverse()
  }
}
