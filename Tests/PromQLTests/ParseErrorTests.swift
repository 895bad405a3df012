// SPDX-License-Identifier: Apache-2.0

import PromQL
import Testing

private func message(_ query: String) -> String {
  do throws(ParseError) {
    return "accepted: \(try Expr(parsing: query))"
  } catch {
    return error.description
  }
}

@Test(arguments: [
  ("", "unknown position: parse error: no expression found in input"),
  ("# nothing", "1:1: parse error: no expression found in input"),
  ("rat(a[5m])", #"1:1: parse error: unknown function with name "rat""#),
  ("a +\n  rat(b)", #"2:3: parse error: unknown function with name "rat""#),
  ("1 +", "1:4: parse error: unexpected end of input"),
  ("a b", #"1:3: parse error: unexpected identifier "b""#),
  ("a a:b", #"1:3: parse error: unexpected metric identifier "a:b""#),
  ("a 'a very long string'", #"1:3: parse error: unexpected string "'a very lo"..."#),
  ("*1", "1:1: parse error: unexpected <op:*>"),
  ("a offset", "1:9: parse error: unexpected end of input in offset, expected number, duration, step(), or range()"),
  ("a @", "1:4: parse error: unexpected end of input in @, expected timestamp"),
  ("a @ start", "1:10: parse error: unexpected end of input in @, expected timestamp"),
  ("a[", "1:3: parse error: unexpected end of input in duration expression"),
  ("a[5m", "1:5: parse error: unclosed left bracket"),
  ("a[5m:1m:1m]", "1:8: parse error: unexpected colon ':'"),
  ("a[5m 5m]", #"1:6: parse error: unexpected duration "5m" in subquery or range, expected ":" or "]""#),
  ("a[5m:1m 1m]", #"1:9: parse error: unexpected duration "1m" in subquery selector, expected "]""#),
  ("a]", "1:2: parse error: unexpected right bracket ']'"),
  ("a)", "1:3: parse error: unexpected right parenthesis ')'"),
  ("(a", "1:3: parse error: unclosed left parenthesis"),
  ("()", #"1:2: parse error: unexpected ")""#),
  ("a{", "1:3: parse error: unexpected end of input inside braces"),
  ("a{b}", #"1:4: parse error: unexpected "}" in label matching, expected label matching operator"#),
  ("a{b=1}", "1:5: parse error: unexpected character inside braces: '1'"),
  ("a{b=c}", #"1:5: parse error: unexpected identifier "c" in label matching, expected string"#),
  (#"a{b="c" d="e"}"#, #"1:9: parse error: unexpected identifier "d" in label matching, expected "," or "}""#),
  (#"a{,}"#, #"1:3: parse error: unexpected "," in label matching, expected identifier or "}""#),
  (#"a{b=~"["}"#, "1:3: parse error: error parsing regexp: missing closing ]: `[`"),
  ("sum(a b)", #"1:7: parse error: unexpected identifier "b" in aggregation"#),
  ("sum by a (b)", #"1:8: parse error: unexpected identifier "a" in grouping opts, expected "(""#),
  ("sum by (a b) (c)", #"1:11: parse error: unexpected identifier "b" in grouping opts, expected "," or ")""#),
  ("sum by (1) (c)", #"1:9: parse error: unexpected number "1" in grouping opts, expected label"#),
  (#"sum by ("") (c)"#, #"1:9: parse error: invalid label name for grouping: """#),
  ("a + group_left b", "1:5: parse error: unexpected <group_left>"),
  ("rate(a[5m],)", "1:11: parse error: trailing commas not allowed in function call args"),
  ("rate(,)", #"1:6: parse error: unexpected ",""#),
  ("sum()", "1:1: parse error: no arguments for aggregate expression provided"),
  ("topk(a)", "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1"),
  ("!a", "1:1: parse error: unexpected character after '!': 'a'"),
  ("a =~ b", "1:3: parse error: unexpected character after '=': '~'"),
  ("a $ b", "1:3: parse error: unexpected character: '$'"),
  ("é", "1:1: parse error: unexpected character: 'é'"),
])
func grammarIsExplained(query: String, expected: String) {
  #expect(message(query) == expected)
}

@Test(arguments: [
  ("2.5.", #"1:1: parse error: bad number or duration syntax: "2.5.""#),
  ("0deadbeef", #"1:1: parse error: bad number or duration syntax: "0de""#),
  ("1__0", #"1:1: parse error: bad number or duration syntax: "1__""#),
  ("1_ + 1", #"1:1: parse error: error parsing number: strconv.ParseFloat: parsing "1_": invalid syntax"#),
  ("1e400", #"1:1: parse error: error parsing number: strconv.ParseFloat: parsing "1e400": value out of range"#),
  ("a[5m1h]", #"1:3: parse error: not a valid duration string: "5m1h""#),
  ("a[5m5m]", #"1:3: parse error: not a valid duration string: "5m5m""#),
  ("a[5hs]", #"1:3: parse error: unknown unit "hs" in duration "5hs""#),
  ("a[1.5h]", #"1:3: parse error: unknown unit "." in duration "1.5h""#),
  ("a[1000y]", "1:3: parse error: duration out of range"),
  ("a[0s]", "1:3: parse error: duration must be greater than 0"),
  ("a[-5m]", "1:3: parse error: duration must be greater than 0"),
  ("a[1h:0]", "1:6: parse error: duration must be greater than 0"),
  ("a offset 1e30", "1:10: parse error: duration out of range"),
  ("a offset NaN", "1:10: parse error: duration out of range"),
  ("a @ Inf", "1:1: parse error: timestamp out of bounds for @ modifier: +Inf"),
  ("a @ 9223372036854775808", "1:1: parse error: timestamp out of bounds for @ modifier: 9223372036854775808.000000"),
  (#""a"#, "1:1: parse error: unterminated quoted string"),
  ("'a\nb'", "1:1: parse error: unterminated quoted string"),
  ("`a", "1:1: parse error: unterminated raw string"),
  (#""\z""#, "1:1: parse error: unknown escape sequence U+007A 'z'"),
  (#""\'""#, "1:1: parse error: unknown escape sequence U+0027 '''"),
  (#""\xg0""#, "1:1: parse error: illegal character U+0067 'g' in escape sequence"),
  (#""\400""#, "1:1: parse error: escape sequence is an invalid Unicode code point"),
  (#""\ud800""#, "1:1: parse error: escape sequence is an invalid Unicode code point"),
  (#""\x4"#, "1:1: parse error: escape sequence not terminated"),
])
func literalsAreExplained(query: String, expected: String) {
  #expect(message(query) == expected)
}

@Test(arguments: [
  ("rate(a)", #"1:6: parse error: expected type range vector in call to function "rate", got instant vector"#),
  ("rate(1)", #"1:6: parse error: expected type range vector in call to function "rate", got scalar"#),
  ("abs('a')", #"1:5: parse error: expected type instant vector in call to function "abs", got string"#),
  ("rate()", #"1:1: parse error: expected 1 argument(s) in call to "rate", got 0"#),
  ("label_join(a, 'b')", #"1:1: parse error: expected at least 3 argument(s) in call to "label_join", got 2"#),
  ("round(a, 1, 2)", #"1:1: parse error: expected at most 2 argument(s) in call to "round", got 3"#),
  ("sum(a[5m])", "1:5: parse error: expected type instant vector in aggregation expression, got range vector"),
  ("topk('a', b)", "1:6: parse error: expected type scalar in aggregation parameter, got string"),
  ("count_values(1, b)", "1:14: parse error: expected type string in aggregation parameter, got scalar"),
  ("1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"),
  ("a + bool b", "1:3: parse error: bool modifier can only be used on comparison operators"),
  ("1 and 1", #"1:1: parse error: set operator "and" not allowed in binary scalar expression"#),
  ("a or 1", #"1:1: parse error: set operator "or" not allowed in binary scalar expression"#),
  ("a and on(b) group_left(c) d", #"1:1: parse error: no grouping allowed for "and" operation"#),
  ("a + on(b) group_left(b) d", #"1:3: parse error: label "b" must not occur in ON and GROUP clause at once"#),
  ("1 + on(b) a", "1:1: parse error: vector matching only allowed between instant vectors"),
  ("a[5m] + 1", "1:1: parse error: binary expression must contain only scalar and instant vector types"),
  ("1 + 'a'", "1:5: parse error: binary expression must contain only scalar and instant vector types"),
  ("-'a'", #"1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "string""#),
  ("+a[5m]", #"1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "range vector""#),
  ("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
  (#"{a=~".*",b!="c",d=""}"#, "1:1: parse error: vector selector must contain at least one non-empty matcher"),
  (#"a{__name__="b"}"#, #"1:1: parse error: metric name must not be set twice: "a" or "b""#),
  (#"a{"b"}"#, #"1:1: parse error: metric name must not be set twice: "a" or "b""#),
  ("a[5m][5m]", "1:6: parse error: ranges only allowed for vector selectors"),
  ("(a)[5m]", "1:4: parse error: ranges only allowed for vector selectors"),
  ("a offset 1m[5m]", "1:12: parse error: no offset modifiers allowed before range"),
  ("a @ 1 [5m]", "1:7: parse error: no @ modifiers allowed before range"),
  ("1[5m:]", "1:1: parse error: subquery is only allowed on instant vector, got scalar instead"),
  ("a[5m][5m:]", "1:1: parse error: subquery is only allowed on instant vector, got matrix instead"),
  ("a offset 1m offset 2m", "1:1: parse error: offset may not be set multiple times"),
  ("a @ 1 @ 2", "1:1: parse error: @ <timestamp> may not be set multiple times"),
  ("(a) offset 1m", "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery"),
  ("1 @ 1", "1:1: parse error: @ modifier must be preceded by an instant vector selector or range vector selector or a subquery"),
])
func typesAreExplained(query: String, expected: String) {
  #expect(message(query) == expected)
}

@Test(arguments: [
  (#"info(a)"#, #"1:1: parse error: function "info" is not enabled"#),
  ("1 + step()", #"1:5: parse error: function "step" is not enabled"#),
  ("start()", #"1:1: parse error: function "start" is not enabled"#),
  ("max_of(1, 2)", #"1:1: parse error: function "max_of" is not enabled"#),
  ("limitk(1, a)", "1:1: parse error: limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions"),
  ("a + fill(0) b", "1:1: parse error: binop fill modifiers are experimental and not enabled"),
  ("a[5m] smoothed", "1:1: parse error: smoothed modifier is experimental and not enabled"),
  ("a ANCHORED", "1:1: parse error: anchored modifier is experimental and not enabled"),
  ("a[5m + 1m]", "1:3: parse error: experimental duration expression is not enabled"),
  ("a[(5m)]", "1:4: parse error: experimental duration expression is not enabled"),
  ("a offset step()", "1:10: parse error: experimental duration expression is not enabled"),
  ("a </ 1", #"1:3: parse error: operator "</" cuts native histograms, which are not supported"#),
  ("holt_winters(a[5m], 1, 1)", #"1:1: parse error: unknown function with name "holt_winters""#),
])
func experimentsAreRefusedByName(query: String, expected: String) {
  #expect(message(query) == expected)
}

@Test func errorsSayWhere() {
  #expect { try Expr(parsing: "a +\n\n é") } throws: { error in
    guard let error = error as? ParseError else { return false }
    return error.line == 3 && error.column == 2 && error.range == 6..<8 && error.message == "unexpected character: 'é'"
  }
}

@Test(arguments: ["a + b", "a[5m]", "a offset 5m", "a @ 1", "a b", "1", "rate(a[5m])", "", "{}"])
func selectorAloneIsNothingElse(text: String) {
  #expect(throws: ParseError.self) { try VectorSelector(parsing: text) }
}
