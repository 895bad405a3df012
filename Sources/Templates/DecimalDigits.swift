// SPDX-License-Identifier: Apache-2.0

// A float's decimal digits: the fewest that read back as it, or as many exact ones as a format asks for. Rounding the
// former would round twice: 1.005 is a little less than it looks.

/// A finite number's magnitude as `0.digits × 10^pointAt`, without zeros at either end. Zero has no digits.
struct DecimalDigits {
  /// From 0 to 9 each.
  private(set) var digits: [UInt8] = []
  private(set) var pointAt = 0

  /// The fewest digits that make this number again.
  init(shortest value: Double) {
    // Swift's text has these: 5e-324, 0.1, 100.0, 1e+16.
    let text = value.magnitude.description
    let parts = text.utf8.split(separator: UInt8(ascii: "e"), maxSplits: 1)
    var isBehindPoint = false
    for byte in parts[0] {
      if byte == UInt8(ascii: ".") {
        isBehindPoint = true
      } else {
        digits.append(byte - UInt8(ascii: "0"))
        if !isBehindPoint { pointAt += 1 }
      }
    }
    if parts.count > 1 { pointAt += Int(String(Substring(parts[1]))) ?? 0 }
    trim()
  }

  /// All digits of the exact value: at most 767.
  init(exact value: Double) {
    guard value != 0 else { return }
    let fraction = value.significandBitPattern
    let isNormal = value.exponentBitPattern > 0
    let significand = isNormal ? fraction | 1 << 52 : fraction
    let exponent = (isNormal ? Int(value.exponentBitPattern) : 1) - 1075
    var number = LargeNumber(significand)
    // m × 2^-k is m × 5^k ÷ 10^k.
    number.multiply(by: exponent < 0 ? 5 : 2, count: abs(exponent))
    digits = number.digits
    pointAt = digits.count + min(0, exponent)
    trim()
  }

  private mutating func trim() {
    while digits.last == 0 { digits.removeLast() }
    let zeros = digits.prefix { $0 == 0 }.count
    digits.removeFirst(zeros)
    pointAt = digits.isEmpty ? 0 : pointAt - zeros
  }

  /// To a number of digits; exact halves go to the even one.
  mutating func round(to count: Int) {
    guard count >= 0 else {
      self = DecimalDigits(exact: 0)
      return
    }
    guard count < digits.count else { return }
    let isHalf = digits[count] == 5 && digits.count == count + 1
    let goesUp = isHalf ? count > 0 && digits[count - 1] % 2 == 1 : digits[count] >= 5
    digits.removeSubrange(count...)
    if goesUp { increment() } else { trim() }
  }

  private mutating func increment() {
    while digits.last == 9 { digits.removeLast() }
    if digits.isEmpty {
      digits = [1]
      pointAt += 1
    } else {
      digits[digits.count - 1] += 1
    }
  }

  /// With zeros outside of the digits there are.
  subscript(_ index: Int) -> UInt8 { digits.indices.contains(index) ? digits[index] : 0 }
}

/// A natural number of any size.
private struct LargeNumber {
  private static let base: UInt64 = 1_000_000_000
  /// Nine digits each, the lowest first.
  private var limbs: [UInt64]

  init(_ value: UInt64) {
    limbs = [value % Self.base, value / Self.base % Self.base, value / Self.base / Self.base]
  }

  /// - Parameter factor: at most 5.
  mutating func multiply(by factor: UInt64, count: Int) {
    // 5^12 and a limb fit into 64 bits together.
    let step = 12
    let power = (0..<step).reduce(1) { result, _ in result * factor }
    for _ in 0..<count / step { multiply(by: power) }
    for _ in 0..<count % step { multiply(by: factor) }
  }

  private mutating func multiply(by factor: UInt64) {
    var carry: UInt64 = 0
    for index in limbs.indices {
      let product = limbs[index] * factor + carry
      limbs[index] = product % Self.base
      carry = product / Self.base
    }
    if carry > 0 { limbs.append(carry) }
  }

  var digits: [UInt8] {
    var digits: [UInt8] = []
    for limb in limbs {
      var rest = limb
      for _ in 0..<9 {
        digits.append(UInt8(rest % 10))
        rest /= 10
      }
    }
    return digits.reversed()
  }
}
