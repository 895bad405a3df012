// SPDX-License-Identifier: Apache-2.0

internal import CRE2

// One expression of RE2: linear in the text whatever the pattern, which is why queries of strangers may hold patterns.
// Only this file touches C. https://github.com/google/re2/wiki/Syntax

/// Owns the expression and frees it. RE2 locks its own caches: any number of threads may match at once.
@safe
final class CompiledExpression: @unchecked Sendable {
  // A quarter of RE2's own default: a query may hold hundreds. Two thirds are for the program, enough for any pattern of
  // 64 KiB that repeats nothing. The rest is for states of its automaton; beyond that RE2 is slower, still linear.
  static let memoryBytesMax: Int64 = 2 << 20

  /// Without the whole match.
  let groupCount: Int
  private let expression: OpaquePointer

  init(_ pattern: String) throws(RegularExpressionError) {
    var pattern = pattern
    let compiled = pattern.withUTF8 { bytes in
      unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
        unsafe cre2_compile(characters.baseAddress, characters.count, Self.memoryBytesMax)
      }
    }
    guard let compiled = unsafe compiled else { throw RegularExpressionError(.tooLarge, part: pattern) }
    unsafe expression = unsafe compiled
    unsafe groupCount = Int(cre2_group_count(compiled))
    // From here on deinit frees it, also when this throws.
    if let error = error() { throw error }
  }

  deinit {
    unsafe cre2_free(expression)
  }

  /// The names of the groups, the first for group 1; nil where a group has none.
  var groupNames: [String?] {
    (0..<groupCount).map { group in
      unsafe cre2_group_name(expression, CInt(group + 1)).map { unsafe String(cString: $0) }
    }
  }

  func matches(_ text: String, isAnchored: Bool) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      unsafe match(bytes, isAnchored, offsets: nil, groupCount: -1)
    }
  }

  /// Where the whole match and then each group lie, in bytes; nil without a match.
  func groupRanges(in text: String, isAnchored: Bool) -> [Range<Int>?]? {
    var text = text
    var offsets = [Int](repeating: -1, count: 2 * (groupCount + 1))
    let matches = text.withUTF8 { bytes in
      unsafe offsets.withUnsafeMutableBufferPointer { offsets in
        unsafe match(bytes, isAnchored, offsets: offsets.baseAddress, groupCount: groupCount)
      }
    }
    guard matches else { return nil }
    return (0...groupCount).map { group in
      let start = offsets[2 * group]
      return start < 0 ? nil : start..<offsets[2 * group + 1]
    }
  }

  private func match(
    _ bytes: UnsafeBufferPointer<UInt8>, _ isAnchored: Bool, offsets: UnsafeMutablePointer<Int>?, groupCount: Int
  ) -> Bool {
    unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
      let answer = unsafe cre2_match(
        expression, characters.baseAddress, characters.count, isAnchored, offsets, CInt(groupCount))
      precondition(answer >= 0, "no memory for the groups of a regular expression")
      return answer == 1
    }
  }

  private func error() -> RegularExpressionError? {
    guard let code = Self.code(of: unsafe cre2_error_code(expression)) else { return nil }
    var count = 0
    guard let part = unsafe cre2_error_argument(expression, &count) else { return RegularExpressionError(code, part: "") }
    let bytes = unsafe UnsafeRawBufferPointer(start: part, count: count)
    return RegularExpressionError(code, part: unsafe String(decoding: bytes, as: UTF8.self))
  }

  private static func code(of error: cre2_error) -> RegularExpressionError.Code? {
    switch error {
    case CRE2_NO_ERROR: nil
    case CRE2_BAD_ESCAPE: .invalidEscape
    case CRE2_BAD_CHARACTER_CLASS: .invalidCharacterClass
    case CRE2_BAD_CHARACTER_RANGE: .invalidCharacterRange
    case CRE2_MISSING_BRACKET: .missingBracket
    case CRE2_MISSING_PARENTHESIS: .missingParenthesis
    case CRE2_UNEXPECTED_PARENTHESIS: .unexpectedParenthesis
    case CRE2_TRAILING_BACKSLASH: .trailingBackslash
    case CRE2_REPEAT_ARGUMENT: .missingRepeatArgument
    case CRE2_REPEAT_SIZE: .invalidRepeatSize
    case CRE2_REPEAT_OPERATOR: .invalidRepeatOperator
    case CRE2_BAD_PERL_OPERATOR: .invalidPerlOperator
    case CRE2_BAD_UTF8: .invalidUTF8
    case CRE2_BAD_NAMED_CAPTURE: .invalidNamedCapture
    case CRE2_PATTERN_TOO_LARGE: .tooLarge
    default: .internalFault
    }
  }
}
