// SPDX-License-Identifier: Apache-2.0

// Floats as Go's strconv.FormatFloat writes them.

enum FloatText {
  enum Format {
    /// `%f`
    case plain
    /// `%e`
    case scientific
    /// `%g`: scientific when the exponent is small or large
    case general
    /// `%x`: a hexadecimal significand and a power of two
    case hexadecimal
    /// `%b`: a whole significand and a power of two
    case binary
  }

  /// - Parameter precision: digits behind the point, or of `general` in all; nil for as many as read back as the same.
  static func text(_ value: Double, _ format: Format, precision: Int?) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    let sign = value.sign == .minus ? "-" : ""
    switch format {
    case .hexadecimal: return sign + hexadecimal(value, precision)
    case .binary: return sign + binary(value)
    case .plain, .scientific, .general: return sign + decimal(value, format, precision)
    }
  }

  private static func decimal(_ value: Double, _ format: Format, _ precision: Int?) -> String {
    guard let precision else {
      let digits = DecimalDigits(shortest: value)
      switch format {
      case .scientific: return scientific(digits, max(0, digits.digits.count - 1))
      case .general: return general(digits, digits.digits.count, decidesAt: 6)
      default: return plain(digits, max(0, digits.digits.count - digits.pointAt))
      }
    }
    var digits = DecimalDigits(exact: value)
    switch format {
    case .scientific:
      digits.round(to: precision + 1)
      return scientific(digits, precision)
    case .general:
      let count = max(1, precision)
      digits.round(to: count)
      // What has all its digits in front of the point is written out as long as there are so many.
      let isWhole = count > digits.digits.count && digits.digits.count >= digits.pointAt
      return general(digits, count, decidesAt: isWhole ? digits.digits.count : count)
    default:
      digits.round(to: digits.pointAt + precision)
      return plain(digits, precision)
    }
  }

  private static func general(_ digits: DecimalDigits, _ count: Int, decidesAt exponentMax: Int) -> String {
    let exponent = digits.pointAt - 1
    if exponent < -4 || exponent >= exponentMax { return scientific(digits, min(count, digits.digits.count) - 1) }
    let shown = count > digits.pointAt ? digits.digits.count : count
    return plain(digits, max(0, shown - digits.pointAt))
  }

  private static func plain(_ digits: DecimalDigits, _ precision: Int) -> String {
    var text: [UInt8] = []
    for index in 0..<max(1, digits.pointAt) { text.append(character(digits.pointAt > 0 ? digits[index] : 0)) }
    if precision > 0 { text.append(UInt8(ascii: ".")) }
    for index in 0..<precision { text.append(character(digits[digits.pointAt + index])) }
    return String(decoding: text, as: UTF8.self)
  }

  private static func scientific(_ digits: DecimalDigits, _ precision: Int) -> String {
    var text: [UInt8] = [character(digits[0])]
    if precision > 0 { text.append(UInt8(ascii: ".")) }
    for index in 0..<max(0, precision) { text.append(character(digits[index + 1])) }
    let exponent = digits.digits.isEmpty ? 0 : digits.pointAt - 1
    return String(decoding: text, as: UTF8.self) + "e" + signed(exponent)
  }

  private static func character(_ digit: UInt8) -> UInt8 { UInt8(ascii: "0") + digit }

  // With two digits at least.
  private static func signed(_ exponent: Int) -> String {
    (exponent < 0 ? "-" : "+") + (exponent.magnitude < 10 ? "0" : "") + String(exponent.magnitude)
  }

  // MARK: Powers of two

  private static func binary(_ value: Double) -> String {
    let isNormal = value.exponentBitPattern > 0
    let significand = isNormal ? value.significandBitPattern | 1 << 52 : value.significandBitPattern
    let exponent = (isNormal ? Int(value.exponentBitPattern) : 1) - 1075
    return "\(significand)p\(exponent < 0 ? "" : "+")\(exponent)"
  }

  private static func hexadecimal(_ value: Double, _ precision: Int?) -> String {
    var exponent = value == 0 ? 0 : Int(value.exponent)
    // The leading one in bit 60, then 15 digits of four bits.
    var significand = value == 0 ? 0 : (value.significand.significandBitPattern | 1 << 52) << 8
    if let precision, precision < 15 {
      let shift = UInt64(60 - precision * 4)
      let remainder = significand & (1 << shift - 1)
      let half: UInt64 = 1 << (shift - 1)
      significand >>= shift
      if remainder > half || remainder == half && significand & 1 == 1 { significand += 1 }
      significand <<= shift
      if significand >> 61 != 0 {
        significand >>= 1
        exponent += 1
      }
    }
    let digits = String(significand & (1 << 60 - 1) | 1 << 60, radix: 16).dropFirst()
    let trimmed = digits.reversed().drop { $0 == "0" }.reversed()
    let zeros = String(repeating: "0", count: max(0, (precision ?? 0) - digits.count))
    let shown = precision.map { String(digits.prefix($0)) + zeros } ?? String(trimmed)
    return "0x\(significand >> 60)\(shown.isEmpty ? "" : "." + shown)p\(signed(exponent))"
  }
}
