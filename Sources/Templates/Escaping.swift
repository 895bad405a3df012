// SPDX-License-Identifier: Apache-2.0

// Text made safe for HTML, for JavaScript and for the query of a URL, as Go's text/template and net/url do it.

enum Escaping {
  static func html(_ text: [UInt8]) -> [UInt8] {
    replacing(text) { byte in
      switch byte {
      case 0: "\u{fffd}"
      case UInt8(ascii: "\""): "&#34;"
      case UInt8(ascii: "'"): "&#39;"
      case UInt8(ascii: "&"): "&amp;"
      case UInt8(ascii: "<"): "&lt;"
      case UInt8(ascii: ">"): "&gt;"
      default: nil
      }
    }
  }

  /// Spaces become `+`; letters, digits and `-_.~` stay.
  static func urlQuery(_ text: [UInt8]) -> [UInt8] {
    replacing(text) { byte in
      switch byte {
      case UInt8(ascii: " "): "+"
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        nil
      case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"): nil
      default: "%" + hexadecimal(UInt32(byte), digits: 2)
      }
    }
  }

  private static func replacing(_ text: [UInt8], _ replacement: (UInt8) -> String?) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    for byte in text {
      if let replacement = replacement(byte) {
        result.append(contentsOf: replacement.utf8)
      } else {
        result.append(byte)
      }
    }
    return result
  }

  static func javaScript(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var position = 0
    while position < text.count {
      let (scalar, count) = Scalars.scalar(in: text[...], at: position)
      if let escape = javaScriptEscape(scalar) {
        result.append(contentsOf: escape.utf8)
      } else {
        result.append(contentsOf: text[position..<position + count])
      }
      position += count
    }
    return result
  }

  private static func javaScriptEscape(_ scalar: Unicode.Scalar) -> String? {
    switch scalar {
    case "\\": "\\\\"
    case "'": "\\'"
    case "\"": "\\\""
    case "<", ">", "&", "=": "\\u" + hexadecimal(scalar.value, digits: 4)
    case _ where scalar < " " || !scalar.isASCII && !Scalars.isPrinted(scalar):
      "\\u" + hexadecimal(scalar.value, digits: 4)
    default: nil
    }
  }

  private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
