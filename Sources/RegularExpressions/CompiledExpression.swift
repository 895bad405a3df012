// SPDX-License-Identifier: Apache-2.0

// RE2's object, one function for each of cre2.h. What a pattern means to Rampart is RegularExpression's.

internal import CRE2

/// Owns one RE2.
@safe final class CompiledExpression: Sendable {
  /// Which dialect, and what RE2 may take: its program and the states it caches. Without room for more states it forgets
  /// the old ones, or goes on in linear time without; only a program that is too large is refused.
  struct Options {
    let dotMatchesLineFeed: Bool
    let memoryBytesMax: Int64
  }

  // RE2 documents that one object may be used by several threads; it guards the states that it caches.
  private nonisolated(unsafe) let expression: OpaquePointer
  private let isAnchored: Bool

  init(_ pattern: String, isAnchored: Bool, _ options: Options) throws(RegularExpressionError) {
    self.isAnchored = isAnchored
    let compiled = unsafe withCharacters(pattern) {
      unsafe cre2_compile($0, $1, options.dotMatchesLineFeed ? 1 : 0, options.memoryBytesMax)
    }
    guard let compiled = unsafe compiled else { throw RegularExpressionError(.tooLarge, pattern) }
    unsafe expression = compiled
    // From here on deinit frees it, also when this throws.
    let code = unsafe cre2_error_code(expression)
    guard code == CRE2_OK else { throw RegularExpressionError(Self.meaning(code), refusedPart ?? pattern) }
  }

  deinit {
    unsafe cre2_free(expression)
  }

  func matches(_ text: String) -> Bool {
    unsafe withCharacters(text) { text, size in
      unsafe isMatch(cre2_match(expression, text, size, 0, isAnchored ? 1 : 0, nil, 0))
    }
  }

  func matches(_ text: Span<UInt8>) -> Bool {
    unsafe text.withUnsafeBufferPointer { bytes in
      unsafe bytes.withMemoryRebound(to: CChar.self) { bytes in
        unsafe isMatch(cre2_match(expression, bytes.baseAddress, bytes.count, 0, isAnchored ? 1 : 0, nil, 0))
      }
    }
  }

  /// Where the whole and each group matched, as UTF-8 offsets; nil for a group that took no part. Nil without a match.
  ///
  /// - Parameter start: where the search begins, as an offset; `^` and `\b` see what lies before.
  func groups(in text: String, from start: Int = 0) -> [Range<Int>?]? {
    let count = unsafe cre2_group_count(expression) + 1
    var ranges = [cre2_range](repeating: cre2_range(start: -1, end: -1), count: count)
    let found = unsafe withCharacters(text) { text, size in
      unsafe isMatch(cre2_match(expression, text, size, start, isAnchored ? 1 : 0, &ranges, count))
    }
    return found ? ranges.map { $0.start < 0 ? nil : $0.start..<$0.end } : nil
  }

  /// Nil when no group has the name.
  func groupIndex(_ name: String) -> Int? {
    let index = unsafe withCharacters(name) { unsafe cre2_group_index(expression, $0, $1) }
    return index < 0 ? nil : index
  }

  /// Instructions, which a search may have to look at for each byte.
  var programSize: Int {
    unsafe cre2_program_size(expression)
  }

  private var refusedPart: String? {
    var size = 0
    let start = unsafe cre2_error_argument(expression, &size)
    guard size > 0, let start = unsafe start else { return nil }
    return unsafe String(decoding: UnsafeRawBufferPointer(start: start, count: size), as: UTF8.self)
  }

  private func isMatch(_ result: cre2_match) -> Bool {
    precondition(result != CRE2_NO_MEMORY, "no memory for RE2 to match in")
    return result == CRE2_MATCH
  }

  private static func meaning(_ error: cre2_error) -> RegularExpressionError.Code {
    switch error {
    case CRE2_BAD_ESCAPE: .invalidEscape
    case CRE2_BAD_CHAR_CLASS: .invalidCharacterClass
    case CRE2_BAD_CHAR_RANGE: .invalidCharacterRange
    case CRE2_MISSING_BRACKET: .missingBracket
    case CRE2_MISSING_PAREN: .missingParenthesis
    case CRE2_UNEXPECTED_PAREN: .unexpectedParenthesis
    case CRE2_TRAILING_BACKSLASH: .trailingBackslash
    case CRE2_REPEAT_ARGUMENT: .missingRepetitionArgument
    case CRE2_REPEAT_SIZE: .invalidRepetitionCount
    case CRE2_REPEAT_OP: .invalidNestedRepetition
    case CRE2_BAD_PERL_OP: .unsupportedSyntax
    case CRE2_BAD_UTF8: .invalidUTF8
    case CRE2_BAD_NAMED_CAPTURE: .invalidGroupName
    case CRE2_PATTERN_TOO_LARGE: .tooLarge
    default: .internalError
    }
  }
}

// The bytes as C's characters, valid inside of `body`; native strings are not copied.
private func withCharacters<Result>(_ text: String, _ body: (UnsafePointer<CChar>?, Int) -> Result) -> Result {
  var text = text
  return text.withUTF8 { bytes in
    unsafe bytes.withMemoryRebound(to: CChar.self) { unsafe body($0.baseAddress, $0.count) }
  }
}
