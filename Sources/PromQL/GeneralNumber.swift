// SPDX-License-Identifier: Apache-2.0

// Numbers with an exponent where they are very small or large: in errors, in annotations, in answers.

/// Numbers as Go's `%g` prints them.
package enum GeneralNumber {
  /// As Prometheus' HTTP API writes values: with an exponent only below 1e-06 and from 1e21 on.
  /// https://github.com/prometheus/prometheus/blob/main/util/jsonutil/marshal.go
  package static func ofAnswer(_ value: Double) -> String {
    guard value.isFinite else { return unusual(value) }
    let decimal = Decimal(value)
    let hasExponent = value != 0 && (value.magnitude < 1e-6 || value.magnitude >= 1e21)
    return decimal.sign + (hasExponent ? decimal.scientific : decimal.plain)
  }

  /// As Go's `%g`: with an exponent below 1e-04 and from `digitsMax` digits before the point on, or six.
  ///
  /// - Parameter digitsMax: significant digits, nil for as many as read back as the same value.
  static func general(_ value: Double, digitsMax: Int? = nil) -> String {
    guard value.isFinite else { return unusual(value) }
    var decimal = Decimal(value)
    if let digitsMax { decimal.round(to: digitsMax) }
    let exponent = decimal.pointAt - 1
    guard exponent < -4 || exponent >= digitsMax ?? 6 else { return decimal.sign + decimal.plain }
    return decimal.sign + decimal.scientific
  }

  private static func unusual(_ value: Double) -> String {
    value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf"
  }
}

/// A finite number as `0.digits × 10^pointAt`, without zeros at either end of the digits.
private struct Decimal {
  let sign: String
  var digits: [UInt8]
  var pointAt: Int

  init(_ value: Double) {
    sign = value.sign == .minus ? "-" : ""
    // Swift's description has the fewest digits that read back as the same value: 5e-324, 0.1, 1e+16.
    let parts = value.magnitude.description.split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    digits = Array(mantissa.joined().utf8)
    pointAt = mantissa[0].utf8.count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
    trim()
  }

  private mutating func trim() {
    while digits.last == 0x30 { digits.removeLast() }
    let zeros = digits.prefix { $0 == 0x30 }.count
    digits.removeFirst(zeros)
    pointAt = digits.isEmpty ? 1 : pointAt - zeros
    if digits.isEmpty { digits = [0x30] }
  }

  /// Half up, from the digits there are.
  mutating func round(to count: Int) {
    guard digits.count > count else { return }
    let goesUp = digits[count] >= 0x35
    digits.removeLast(digits.count - count)
    guard goesUp else { return trim() }
    digits.insert(0x30, at: 0)
    var index = digits.count - 1
    while digits[index] == 0x39 {
      digits[index] = 0x30
      index -= 1
    }
    digits[index] += 1
    pointAt += 1
    trim()
  }

  var plain: String {
    let text = String(decoding: digits, as: UTF8.self)
    if pointAt <= 0 { return "0." + String(repeating: "0", count: -pointAt) + text }
    if pointAt >= digits.count { return text + String(repeating: "0", count: pointAt - digits.count) }
    return "\(text.prefix(pointAt)).\(text.dropFirst(pointAt))"
  }

  var scientific: String {
    let text = String(decoding: digits, as: UTF8.self)
    let exponent = pointAt - 1
    let size = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
    return "\(text.prefix(1))\(digits.count > 1 ? "." : "")\(text.dropFirst())e\(exponent < 0 ? "-" : "+")\(size)"
  }
}
