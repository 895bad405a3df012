// SPDX-License-Identifier: Apache-2.0

internal import Crypto

// Entity tags of answers, and the weak comparison of If-None-Match (RFC 9110, section 13.1.2).

enum EntityTag {
  private static let digits = Array("0123456789abcdef".utf8)

  /// A quoted tag: the first twelve bytes of the SHA-256 of the body, which tell any answers apart that a client will ever hold.
  static func text(of body: [UInt8]) -> String {
    var text: [UInt8] = [UInt8(ascii: "\"")]
    text.reserveCapacity(26)
    for byte in SHA256.hash(data: body).prefix(12) {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    text.append(UInt8(ascii: "\""))
    return String(decoding: text, as: UTF8.self)
  }

  /// Whether a header value names a tag: quoted or bare, weak, in a list, or `*`.
  static func isListed(_ tag: String, in header: Span<UInt8>) -> Bool {
    let bare = Array(tag.utf8.dropFirst().dropLast())
    var start = 0
    while start < header.count {
      var end = start
      while end < header.count, header[end] != UInt8(ascii: ",") { end += 1 }
      if matches(header.extracting(start..<end), bare) { return true }
      start = end + 1
    }
    return false
  }

  private static func matches(_ item: Span<UInt8>, _ bare: [UInt8]) -> Bool {
    var low = 0
    var high = item.count
    while low < high, item[low] == UInt8(ascii: " ") || item[low] == UInt8(ascii: "\t") { low += 1 }
    while low < high, item[high - 1] == UInt8(ascii: " ") || item[high - 1] == UInt8(ascii: "\t") { high -= 1 }
    if high - low == 1, item[low] == UInt8(ascii: "*") { return true }
    if high - low > 2, item[low] == UInt8(ascii: "W"), item[low + 1] == UInt8(ascii: "/") { low += 2 }
    if high - low >= 2, item[low] == UInt8(ascii: "\""), item[high - 1] == UInt8(ascii: "\"") {
      low += 1
      high -= 1
    }
    guard high - low == bare.count else { return false }
    for index in bare.indices where item[low + index] != bare[index] { return false }
    return true
  }
}
