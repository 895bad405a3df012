// SPDX-License-Identifier: Apache-2.0

// Integers and floats with their verbs.

extension Printer {
  // MARK: Integers

  mutating func printInteger(_ integer: Int64, isUnsigned: Bool, _ verb: Unicode.Scalar, _ value: Value) {
    switch verb {
    case "v" where flags.sharpV && isUnsigned:
      let outer = flags
      flags.sharp = true
      printDigits(integer, radix: 16, isUpper: false, prefix: "0x")
      flags = outer
    case "v", "d": printDigits(integer, radix: 10, isUpper: false, prefix: "")
    case "b": printDigits(integer, radix: 2, isUpper: false, prefix: flags.sharp ? "0b" : "")
    case "o": printDigits(integer, radix: 8, isUpper: false, prefix: flags.sharp ? "0" : "")
    case "O": printDigits(integer, radix: 8, isUpper: false, prefix: flags.sharp ? "0o0" : "0o")
    case "x": printDigits(integer, radix: 16, isUpper: false, prefix: flags.sharp ? "0x" : "")
    case "X": printDigits(integer, radix: 16, isUpper: true, prefix: flags.sharp ? "0X" : "")
    case "c": printCharacter(integer) { Array(String($0).utf8) }
    case "q":
      let onlyASCII = flags.plus
      printCharacter(integer) { Quoting.quotedBytes($0, onlyASCII: onlyASCII) }
    case "U": printCodePoint(UInt64(bitPattern: integer))
    default: complain(about: value, verb)
    }
  }

  private mutating func printDigits(_ integer: Int64, radix: Int, isUpper: Bool, prefix: String) {
    if precision == 0, integer == 0 { return append(repeating: UInt8(ascii: " "), count: width ?? 0) }
    let sign = integer < 0 ? "-" : flags.plus ? "+" : flags.space ? " " : ""
    var digits = String(integer.magnitude, radix: radix, uppercase: isUpper)
    // The zero flag asks for leading zeros, which a precision does too.
    let isZeroPadded = precision == nil && flags.zero && !flags.minus
    let count = precision ?? (isZeroPadded ? (width ?? 0) - sign.utf8.count : 0)
    guard hasRoom(count) else { return }
    digits = String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
    // An octal number that begins with a zero shows its base already.
    let shownPrefix = radix == 8 && prefix.hasSuffix("0") && digits.hasPrefix("0") ? String(prefix.dropLast()) : prefix
    pad(Array((sign + shownPrefix + digits).utf8), withZeros: false)
  }

  private mutating func printCharacter(_ integer: Int64, _ shown: (Unicode.Scalar) -> [UInt8]) {
    pad(shown(UInt32(exactly: integer).flatMap(Unicode.Scalar.init) ?? "\u{fffd}"))
  }

  // `U+00E9`, with the sharp flag `U+00E9 'é'`.
  private mutating func printCodePoint(_ number: UInt64) {
    let digits = String(number, radix: 16, uppercase: true)
    let count = max(4, precision ?? 0)
    guard hasRoom(count) else { return }
    var text = "U+" + String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
    if flags.sharp, let scalar = UInt32(exactly: number).flatMap(Unicode.Scalar.init), Scalars.isPrinted(scalar) {
      text += " '\(scalar)'"
    }
    pad(Array(text.utf8), withZeros: false)
  }

  // MARK: Floats

  mutating func printFloat(_ number: Double, _ verb: Unicode.Scalar, _ value: Value) {
    switch verb {
    case "v", "g": printFloat(number, .general, precision)
    case "G": printFloat(number, .general, precision, isUpper: true)
    case "e": printFloat(number, .scientific, precision ?? 6)
    case "E": printFloat(number, .scientific, precision ?? 6, isUpper: true)
    case "f", "F": printFloat(number, .plain, precision ?? 6)
    case "x": printFloat(number, .hexadecimal, precision)
    case "X": printFloat(number, .hexadecimal, precision, isUpper: true)
    case "b": printFloat(number, .binary, nil)
    default: complain(about: value, verb)
    }
  }

  private mutating func printFloat(
    _ number: Double, _ format: FloatText.Format, _ precision: Int?, isUpper: Bool = false
  ) {
    // Exact digits take long, the more the farther the number is from one.
    let distance = precision == nil ? 0 : abs(Int(number.exponentBitPattern) - 1023)
    guard hasRoom(precision ?? 0, steps: 1 + distance / 8) else { return }
    var text = FloatText.text(number, format, precision: precision)
    if isUpper, number.isFinite { text = text.uppercased() }
    var sign = text.first == "-" || text.first == "+" ? String(text.removeFirst()) : ""
    if sign != "-" { sign = flags.plus ? "+" : flags.space ? " " : number.isInfinite ? "+" : "" }
    guard number.isFinite else { return pad(Array((sign + text).utf8), withZeros: false) }
    if flags.sharp, format != .binary { text = withPoint(text, format, precision) }
    let digits = Array(text.utf8)
    if flags.zero, !flags.minus, let width, width > sign.utf8.count + digits.count {
      append(sign)
      append(repeating: UInt8(ascii: "0"), count: width - sign.utf8.count - digits.count)
      return append(digits)
    }
    pad(Array(sign.utf8) + digits)
  }

  // The sharp flag: a point always, and the zeros at the end that `%g` leaves out.
  private func withPoint(_ text: String, _ format: FloatText.Format, _ precision: Int?) -> String {
    let isHexadecimal = format == .hexadecimal
    let end = text.firstIndex { isHexadecimal ? "pP".contains($0) : "eE".contains($0) } ?? text.endIndex
    var number = String(text[..<end])
    var missing = format == .general || isHexadecimal ? precision ?? 6 : 0
    // Leading zeros are not significant, but that of `0` itself is.
    missing -= number.drop { "0.".contains($0) }.count { $0 != "." }
    if !number.contains(".") {
      if number == "0" { missing -= 1 }
      number += "."
    }
    return number + String(repeating: "0", count: max(0, missing)) + text[end...]
  }
}
