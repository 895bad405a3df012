// SPDX-License-Identifier: Apache-2.0

// Letters made large and small, one for one as in Go's strings; titles as golang.org/x/text/cases makes them.

enum LetterCase {
  static func upper(_ text: [UInt8]) -> [UInt8] { mapped(text, upper) }

  static func lower(_ text: [UInt8]) -> [UInt8] { mapped(text, lower) }

  /// Each word's first letter large, the others as they are. Points and apostrophes inside of a word do not end it.
  static func title(_ text: [UInt8]) -> [UInt8] {
    var isInsideWord = false
    var isBehindMark = false
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      let isMark = isMiddle(scalar)
      if isMark, isBehindMark { isInsideWord = false }
      if scalar.properties.isCased {
        if isInsideWord {
          Scalars.append(scalar, to: &result)
        } else {
          result.append(contentsOf: scalar.properties.titlecaseMapping.utf8)
        }
        isInsideWord = true
      } else {
        Scalars.append(scalar, to: &result)
        if endsWord(scalar) { isInsideWord = false }
      }
      isBehindMark = isMark
    }
    return result
  }

  // Unicode's classes MidLetter and MidNumLet, which hold a word together (https://unicode.org/reports/tr29/).
  private static func isMiddle(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "'", ".", ":", "\u{b7}", "\u{387}", "\u{55f}", "\u{5f4}", "\u{2018}", "\u{2019}", "\u{2024}", "\u{2027}",
      "\u{fe13}",
      "\u{fe52}", "\u{fe55}", "\u{ff07}", "\u{ff0e}", "\u{ff1a}":
      true
    default: false
    }
  }

  private static func endsWord(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .otherLetter: isWordByItself(scalar)
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter: false
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation, .format: false
    default: !isMiddle(scalar)
    }
  }

  // The large scripts that are written without spaces: Thai, Lao, Myanmar, Khmer, kana and ideographs.
  private static func isWordByItself(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x0e00...0x0eff, 0x1000...0x109f, 0x1780...0x17ff, 0x3040...0x30ff, 0x31f0...0x31ff: true
    default: scalar.properties.isIdeographic
    }
  }

  private static func mapped(_ text: [UInt8], _ letter: (Unicode.Scalar) -> Unicode.Scalar) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      Scalars.append(letter(scalar), to: &result)
    }
    return result
  }

  // Swift knows Unicode's full mappings, of one letter to several; Go's are one to one. Where the full one is longer,
  // the simple one is that to the title's letter, or there is none: `ß` stays.
  private static func upper(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    single(scalar.properties.uppercaseMapping) ?? single(scalar.properties.titlecaseMapping) ?? scalar
  }

  // Only `İ` has a longer one, which begins with its simple one.
  private static func lower(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    scalar.properties.lowercaseMapping.unicodeScalars.first ?? scalar
  }

  private static func single(_ text: String) -> Unicode.Scalar? {
    text.unicodeScalars.count == 1 ? text.unicodeScalars.first : nil
  }
}
