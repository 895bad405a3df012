// SPDX-License-Identifier: Apache-2.0

// Names what of Prometheus' experimental features an expression uses that this engine does not know. Asked only for
// expressions that could not be parsed, so that a guess does no harm.

enum Experimental {
  private static let functions: Set<String> = [
    "double_exponential_smoothing", "end", "histogram_quantiles", "info", "mad_over_time", "max_of", "min_of", "range",
    "sort_by_label", "sort_by_label_desc", "start", "start_timestamp", "step", "ts_of_first_over_time",
    "ts_of_last_over_time", "ts_of_max_over_time", "ts_of_min_over_time",
  ]
  private static let aggregations: Set<String> = ["limitk", "limit_ratio"]
  private static let modifiers: Set<String> = ["anchored", "smoothed", "fill", "fill_left", "fill_right"]

  /// As `function info`, nil where there is none.
  static func feature(of expression: String) -> String? {
    var cursor = NotationCursor(expression)
    var isInBrackets = false
    var before = ""
    while let byte = cursor.next {
      if byte == 0x22 || byte == 0x27 || byte == 0x60 {
        guard (try? cursor.quoted()) != nil else { return nil }
        before = "\""
      } else if byte.isNotationLetter {
        let word = cursor.run { $0.isNotationLetter || $0.isNotationDigit }
        if let feature = feature(of: word, before: before) { return feature }
        before = word
      } else if byte.isNotationDigit {
        _ = cursor.run { $0.isNotationDigit || $0.isNotationLetter || $0 == 0x2e }
        before = "0"
      } else {
        let sign = cursor.sign()
        if sign == "</" || sign == ">/" { return "operator \(sign)" }
        if sign == "[" || sign == "]" { isInBrackets = sign == "[" }
        let follows = isInBrackets || before == "offset"
        if follows, ["+", "-", "*", "/", "%", "^", "("].contains(sign) { return "duration expression" }
        if sign != " " { before = sign }
      }
    }
    return nil
  }

  private static func feature(of word: String, before: String) -> String? {
    // `@ start()` is no function.
    if functions.contains(word), before != "@" { return "function \(word)" }
    if aggregations.contains(word) { return "aggregation \(word)" }
    if modifiers.contains(word) { return "modifier \(word)" }
    return nil
  }
}

extension NotationCursor {
  /// One sign, or two where they are an operator of their own.
  fileprivate mutating func sign() -> String {
    if skip("</") { return "</" }
    if skip(">/") { return ">/" }
    guard let byte = next else { return "" }
    _ = skip(Character(UnicodeScalar(byte)))
    return String(UnicodeScalar(byte))
  }
}
