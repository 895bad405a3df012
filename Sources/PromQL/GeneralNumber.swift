// SPDX-License-Identifier: Apache-2.0

// Numbers with an exponent where they are very small or large: in errors, in annotations, in answers.

/// Numbers as Go's `%g` prints them.
package enum GeneralNumber {
  /// Most bytes of an answer's number: `-0.0000012345678901234567`.
  package static let answerBytesMax = 25

  /// Appends a value as Prometheus' HTTP API writes it: with an exponent only below 1e-06 and from 1e21 on.
  /// https://github.com/prometheus/prometheus/blob/main/util/jsonutil/marshal.go
  ///
  /// - Parameter output: with room for `answerBytesMax` bytes.
  package static func append(answer value: Double, to output: inout OutputSpan<UInt8>) {
    let text = value.description
    let bytes = text.utf8.span
    guard value.isFinite, !hasExponent(bytes) else { return append(rareAnswer: value, to: &output) }
    // Swift's text is Go's but for the zero after a whole number; reading its digits first takes half as long again.
    let isWhole = bytes[bytes.count - 1] == UInt8(ascii: "0") && bytes[bytes.count - 2] == UInt8(ascii: ".")
    for index in 0..<(isWhole ? bytes.count - 2 : bytes.count) { output.append(bytes[index]) }
  }

  private static func hasExponent(_ bytes: Span<UInt8>) -> Bool {
    // At most e-324.
    for index in max(0, bytes.count - 5)..<bytes.count where bytes[index] == UInt8(ascii: "e") { return true }
    return false
  }

  private static func append(rareAnswer value: Double, to output: inout OutputSpan<UInt8>) {
    guard value.isFinite else {
      for byte in unusual(value).utf8 { output.append(byte) }
      return
    }
    let decimal = ShortestDecimal(value)
    if value.magnitude < 1e-6 || value.magnitude >= 1e21 {
      decimal.appendScientific(to: &output)
    } else {
      decimal.appendPlain(to: &output)
    }
  }

  /// With an exponent always, as the values of alerts are written: `1.5e+00`.
  package static func scientific(_ value: Double) -> String {
    value.isFinite ? ShortestDecimal(value).scientific : unusual(value)
  }

  /// As Go's `%g`: with an exponent below 1e-04 and from `digitsMax` digits before the point on, or six.
  ///
  /// - Parameter digitsMax: significant digits, nil for as many as read back as the same value.
  static func general(_ value: Double, digitsMax: Int? = nil) -> String {
    guard value.isFinite else { return unusual(value) }
    var decimal = ShortestDecimal(value)
    if let digitsMax { decimal.round(to: digitsMax) }
    let exponent = decimal.pointAt - 1
    return exponent < -4 || exponent >= digitsMax ?? 6 ? decimal.scientific : decimal.plain
  }

  /// What is not finite.
  static func unusual(_ value: Double) -> String {
    value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf"
  }
}
