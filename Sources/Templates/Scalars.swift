// SPDX-License-Identifier: Apache-2.0

// Text as Go has it: bytes that are UTF-8 by convention. Lengths and indices count bytes, formats count characters.

enum Scalars {
  /// The character at a position and how many bytes it takes: U+FFFD and one for a byte that is no UTF-8.
  ///
  /// - Parameter position: before the end.
  static func scalar(in bytes: ArraySlice<UInt8>, at position: Int) -> (scalar: Unicode.Scalar, count: Int) {
    if bytes[position] < 0x80 { return (Unicode.Scalar(bytes[position]), 1) }
    var decoder = Unicode.UTF8()
    // No character is longer than four bytes.
    var iterator = bytes[position..<min(position + 4, bytes.endIndex)].makeIterator()
    guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return ("\u{fffd}", 1) }
    return (scalar, UTF8.width(scalar))
  }

  static func count(_ bytes: [UInt8]) -> Int {
    var position = 0
    var count = 0
    while position < bytes.count {
      position += scalar(in: bytes[...], at: position).count
      count += 1
    }
    return count
  }

  /// The first characters, or all where there are fewer.
  static func prefix(_ bytes: [UInt8], _ scalarsMax: Int) -> [UInt8] {
    // No character is shorter than a byte.
    guard bytes.count > scalarsMax else { return bytes }
    var position = 0
    for _ in 0..<scalarsMax where position < bytes.count {
      position += scalar(in: bytes[...], at: position).count
    }
    return Array(bytes[..<position])
  }

  static func append(_ scalar: Unicode.Scalar, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: UTF8.encode(scalar)!)
  }

  /// Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols, and of the spaces the one of ASCII.
  static func isPrinted(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    case .spaceSeparator: scalar == " "
    default: true
    }
  }

  /// What names are made of.
  static func isAlphanumeric(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber: true
    default: scalar == "_"
    }
  }

  /// `U+00A0`, and the character itself where it prints: `U+002A '*'`.
  static func numbered(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16, uppercase: true)
    let number = "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    return isPrinted(scalar) ? "\(number) '\(scalar)'" : number
  }
}
