// SPDX-License-Identifier: Apache-2.0

// Versions as SemVer 2.0 orders them (https://semver.org/#spec-item-11), read as flagd reads them: a leading `v` and a
// version without minor or patch number are accepted. Ranges of the text, so that reading allocates nothing and a number
// may have any number of digits.

/// Where the parts of a version lie in its text.
struct SemanticVersion: Sendable {
  /// Major, minor and patch; empty, which means 0, where the text leaves one out.
  private let numbers: (Range<Int>, Range<Int>, Range<Int>)
  /// Without its hyphen; empty for a release.
  private let prerelease: Range<Int>

  /// - Returns: nil when the text is no version.
  init?(_ text: Span<UInt8>) {
    var position = text.count > 0 && text[0] == UInt8(ascii: "v") ? 1 : 0
    guard let major = SemanticVersion.number(text, &position) else { return nil }
    var rest = (position..<position, position..<position)
    var isWhole = false
    if SemanticVersion.take(UInt8(ascii: "."), text, &position) {
      guard let minor = SemanticVersion.number(text, &position) else { return nil }
      rest.0 = minor
      if SemanticVersion.take(UInt8(ascii: "."), text, &position) {
        guard let patch = SemanticVersion.number(text, &position) else { return nil }
        rest.1 = patch
        isWhole = true
      }
    }
    var prerelease = position..<position
    if isWhole, SemanticVersion.take(UInt8(ascii: "-"), text, &position) {
      guard let range = SemanticVersion.identifiers(text, &position, areOrdered: true) else { return nil }
      prerelease = range
    }
    if isWhole, SemanticVersion.take(UInt8(ascii: "+"), text, &position) {
      guard SemanticVersion.identifiers(text, &position, areOrdered: false) != nil else { return nil }
    }
    guard position == text.count else { return nil }
    numbers = (major, rest.0, rest.1)
    self.prerelease = prerelease
  }

  /// - Returns: negative, 0 or positive as the first precedes, equals or follows the second. Build metadata has no say.
  static func order(
    _ left: SemanticVersion, in leftText: Span<UInt8>, _ right: SemanticVersion, in rightText: Span<UInt8>
  ) -> Int {
    let major = numericOrder(leftText, left.numbers.0, rightText, right.numbers.0)
    if major != 0 { return major }
    let minor = numericOrder(leftText, left.numbers.1, rightText, right.numbers.1)
    if minor != 0 { return minor }
    let patch = numericOrder(leftText, left.numbers.2, rightText, right.numbers.2)
    if patch != 0 { return patch }
    // A release follows all that led to it.
    if left.prerelease.isEmpty || right.prerelease.isEmpty {
      return (left.prerelease.isEmpty ? 1 : 0) - (right.prerelease.isEmpty ? 1 : 0)
    }
    return prereleaseOrder(leftText, left.prerelease, rightText, right.prerelease)
  }

  // MARK: Order

  private static func prereleaseOrder(
    _ leftText: Span<UInt8>, _ left: Range<Int>, _ rightText: Span<UInt8>, _ right: Range<Int>
  ) -> Int {
    var (leftStart, rightStart) = (left.lowerBound, right.lowerBound)
    while leftStart < left.upperBound, rightStart < right.upperBound {
      let own = leftStart..<identifierEnd(leftText, leftStart, left.upperBound)
      let other = rightStart..<identifierEnd(rightText, rightStart, right.upperBound)
      let order = identifierOrder(leftText, own, rightText, other)
      if order != 0 { return order }
      (leftStart, rightStart) = (own.upperBound + 1, other.upperBound + 1)
    }
    // All equal so far: more identifiers follow fewer.
    return (leftStart < left.upperBound ? 1 : 0) - (rightStart < right.upperBound ? 1 : 0)
  }

  private static func identifierOrder(
    _ leftText: Span<UInt8>, _ left: Range<Int>, _ rightText: Span<UInt8>, _ right: Range<Int>
  ) -> Int {
    switch (isNumeric(leftText, left), isNumeric(rightText, right)) {
    case (true, true): numericOrder(leftText, left, rightText, right)
    case (true, false): -1
    case (false, true): 1
    case (false, false): textOrder(leftText, left, rightText, right)
    }
  }

  /// Of numbers without leading zeros the one with more digits is greater. Nothing is 0.
  private static func numericOrder(
    _ leftText: Span<UInt8>, _ left: Range<Int>, _ rightText: Span<UInt8>, _ right: Range<Int>
  ) -> Int {
    let isLeftZero = left.isEmpty || left.count == 1 && leftText[left.lowerBound] == UInt8(ascii: "0")
    let isRightZero = right.isEmpty || right.count == 1 && rightText[right.lowerBound] == UInt8(ascii: "0")
    if isLeftZero || isRightZero { return (isRightZero ? 1 : 0) - (isLeftZero ? 1 : 0) }
    return left.count == right.count ? textOrder(leftText, left, rightText, right) : left.count - right.count
  }

  private static func textOrder(
    _ leftText: Span<UInt8>, _ left: Range<Int>, _ rightText: Span<UInt8>, _ right: Range<Int>
  ) -> Int {
    for offset in 0..<min(left.count, right.count) {
      let difference = Int(leftText[left.lowerBound + offset]) - Int(rightText[right.lowerBound + offset])
      if difference != 0 { return difference }
    }
    return left.count - right.count
  }

  private static func isNumeric(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
    for index in range where !isDigit(text[index]) { return false }
    return true
  }

  private static func identifierEnd(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
    var position = start
    while position < end, text[position] != UInt8(ascii: ".") { position += 1 }
    return position
  }

  // MARK: Reading

  private static func take(_ byte: UInt8, _ text: Span<UInt8>, _ position: inout Int) -> Bool {
    guard position < text.count, text[position] == byte else { return false }
    position += 1
    return true
  }

  /// Digits without a leading zero.
  private static func number(_ text: Span<UInt8>, _ position: inout Int) -> Range<Int>? {
    let start = position
    while position < text.count, isDigit(text[position]) { position += 1 }
    let isPadded = position - start > 1 && text[start] == UInt8(ascii: "0")
    return position == start || isPadded ? nil : start..<position
  }

  /// - Parameter areOrdered: numbers among them must have no leading zeros, as those of a pre-release.
  private static func identifiers(_ text: Span<UInt8>, _ position: inout Int, areOrdered: Bool) -> Range<Int>? {
    let start = position
    repeat {
      let identifierStart = position
      while position < text.count, isIdentifierByte(text[position]) { position += 1 }
      let identifier = identifierStart..<position
      guard !identifier.isEmpty else { return nil }
      let isPadded = identifier.count > 1 && text[identifierStart] == UInt8(ascii: "0") && isNumeric(text, identifier)
      if areOrdered, isPadded { return nil }
    } while take(UInt8(ascii: "."), text, &position)
    return start..<position
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

  private static func isIdentifierByte(_ byte: UInt8) -> Bool {
    let lowered = byte | 0x20
    return isDigit(byte) || byte == UInt8(ascii: "-") || lowered >= UInt8(ascii: "a") && lowered <= UInt8(ascii: "z")
  }
}
