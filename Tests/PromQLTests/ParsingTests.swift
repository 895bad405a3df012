// SPDX-License-Identifier: Apache-2.0

import PromQL
import Testing
import TimeSeries

@Test(arguments: [
  ("1 + 2 * 3 ^ 4", "(1 + (2 * (3 ^ 4)))"),
  ("1 - 2 - 3", "((1 - 2) - 3)"),
  ("2 ^ 3 ^ 2", "(2 ^ (3 ^ 2))"),
  ("a atan2 b * c", "((a atan2 b) * c)"),
  ("a and b or c unless d", "((a and b) or (c unless d))"),
  ("a or b and c", "(a or (b and c))"),
  ("a > b == c", "((a > b) == c)"),
  ("a + b < c * d", "((a + b) < (c * d))"),
  ("-2 ^ 2", "(-(2 ^ 2))"),
  ("-a * b", "((-a) * b)"),
  ("-a ^ b * c", "((-(a ^ b)) * c)"),
  ("2 ^ -1 * 3", "((2 ^ -1) * 3)"),
  ("2 ^ -a ^ b", "(2 ^ (-(a ^ b)))"),
  ("-2 ^ ---1 * 3", "((-(2 ^ -1)) * 3)"),
  ("a + -b @ 1 offset 1m", "(a + (-b @ 1.000 offset 1m))"),
  ("a ^ b offset 5m", "(a ^ b offset 5m)"),
  ("++a - -+-1", "(a - 1)"),
  ("or or or", "(or or or)"),
  ("by and offset offset 5m", "(by and offset offset 5m)"),
  ("a AND b Or c uNLESS d", "((a and b) or (c unless d))"),
  ("(1 + 2) * 3", "((1 + 2) * 3)"),
  ("a # no\n + # b\r\n c", "(a + c)"),
])
func operatorsBindAsInPrometheus(query: String, tree: String) throws {
  #expect(try Expr(parsing: query).grouped == tree)
}

@Test(arguments: [
  ("0", 0), ("1", 1), (".5", 0.5), ("5.", 5), ("5e-3", 0.005), ("5E+3", 5_000), ("0xc", 12), ("0XFf", 255), ("0755", 493),
  ("09", 9), ("08.5", 8.5), ("1_000", 1_000), ("1_0.5_0", 10.5), ("0x_1F", 31), ("0_7", 7), ("+1", 1), ("-1", -1), ("--1", 1),
  ("-0x10", -16), ("Inf", .infinity), ("-inf", -.infinity), ("+INF", .infinity), ("99999999999999999999", 1e20),
  ("1h30m", 5_400), ("1y2w3d4h5m6s7ms", 33_019_506.007), ("-5m", -300), ("0s", 0), ("1e308", 1e308), ("1e-400", 0),
  ("0x7fffffffffffffff", 9_223_372_036_854_775_808), ("0x1e5", 485),
] as [(String, Double)])
func numbersAreReadAsInGo(query: String, value: Double) throws {
  #expect(try Expr(parsing: query).node == .number(value))
}

@Test func notANumberIsANumber() throws {
  guard case .number(let value) = try Expr(parsing: "nAn").node else { Issue.record("no number"); return }
  #expect(value.isNaN)
}

@Test(arguments: [
  (#""a""#, "a"), (#"'a"b'"#, "a\"b"), (#""a\"b""#, "a\"b"), (#"'\''"#, "'"), (#"`a\n"'`"#, #"a\n"'"#), ("`a\nb`", "a\nb"),
  (#""\a\b\f\n\r\t\v\\""#, "\u{7}\u{8}\u{c}\n\r\t\u{b}\\"), (#""\x41\101\u0041\U00000041""#, "AAAA"),
  (#""\xe2\x98\xba\u263a☺""#, "☺☺☺"), (#""\U0001f600""#, "😀"), ("\"\"", ""), (#""\xff""#, "\u{fffd}"), ("'#no comment'", "#no comment"),
])
func stringsAreReadAsInGo(query: String, value: String) throws {
  #expect(try Expr(parsing: query).node == .string(value))
}

@Test(arguments: [
  ("a[5m]", 300_000), ("a[ 1h30m ]", 5_400_000), ("a[1.5]", 1_500), ("a[90]", 90_000), ("a[0.0001]", 1), ("a[0.29]", 290),
  ("a[+5m]", 300_000), ("a[1y]", 31_536_000_000), ("a[0x10]", 16_000), ("a[1ms]", 1),
] as [(String, Int64)])
func rangesAreDurationsOrSeconds(query: String, rangeMs: Int64) throws {
  guard case .matrix(let selector, let read) = try Expr(parsing: query).node else { Issue.record("no range"); return }
  #expect(read == rangeMs && selector.name == "a")
}

@Test(arguments: [
  ("a[1h:5m]", 300_000), ("a[1h:]", nil), ("a[1h : 30]", 30_000), ("rate(a[5m])[1h:1m]", 60_000), ("(a + b)[1h:1m]", 60_000),
] as [(String, Int64?)])
func subqueriesHaveStepsOrNone(query: String, stepMs: Int64?) throws {
  guard case .subquery(let subquery) = try Expr(parsing: query).node else { Issue.record("no subquery"); return }
  #expect(subquery.rangeMs == 3_600_000 && subquery.stepMs == stepMs)
}

@Test(arguments: [
  // query, name before the braces, matchers
  ("a", "a", [#"__name__="a""#]),
  ("a:b:c", "a:b:c", [#"__name__="a:b:c""#]),
  (":a", ":a", [#"__name__=":a""#]),
  (#"a{b="c"}"#, "a", [#"b="c""#, #"__name__="a""#]),
  (#"a { b != "c" , d =~ 'e|f' , g !~ `h` , }"#, "a", [#"b!="c""#, #"d=~"e|f""#, #"g!~"h""#, #"__name__="a""#]),
  (#"{"my.metric", "a.b"="x"}"#, nil, [#"__name__="my.metric""#, #"a.b="x""#]),
  (#"{'my metric'}"#, nil, [#"__name__="my metric""#]),
  (#"{__name__=~"a.*", by="x", or="y", on="z", inf="w"}"#, nil, [#"__name__=~"a.*""#, #"by="x""#, #"or="y""#, #"on="z""#, #"inf="w""#]),
  (#"a{b="1", b!="2"}"#, "a", [#"b="1""#, #"b!="2""#, #"__name__="a""#]),
  ("a{}", "a", [#"__name__="a""#]),
  ("sum", "sum", [#"__name__="sum""#]),
  (#"start{b="c"}"#, "start", [#"b="c""#, #"__name__="start""#]),
  ("limitk", "limitk", [#"__name__="limitk""#]),
  ("FILL", "FILL", [#"__name__="FILL""#]),
  ("step", "step", [#"__name__="step""#]),
  ("anchored", "anchored", [#"__name__="anchored""#]),
] as [(String, String?, [String])])
func selectorsHaveNamesAndMatchers(query: String, name: String?, matchers: [String]) throws {
  guard case .selector(let selector) = try Expr(parsing: query).node else { Issue.record("no selector"); return }
  #expect(selector.name == name)
  #expect(selector.matchers.map { "\($0.name)\($0.operation.rawValue)\"\($0.value)\"" } == matchers)
  #expect(try VectorSelector(parsing: query) == selector)
}

@Test(arguments: [
  ("a offset 5m", nil, 300_000), ("a offset -5m", nil, -300_000), ("a offset 90", nil, 90_000), ("a offset 1h30m", nil, 5_400_000),
  ("a[1m] offset 5m", nil, 300_000), ("a[1h:1m] offset - 5m", nil, -300_000), ("a @ 10", .time(10_000), 0),
  ("a @ 1609746000.1234", .time(1_609_746_000_123), 0), ("a @ -1.5", .time(-1_500), 0), ("a @ 1m", .time(60_000), 0),
  ("a @ start()", .start, 0), ("a @ END ( )", .end, 0), ("a[1m] @ end() offset 5m", .end, 300_000),
  ("a offset 5m @ 1e3", .time(1_000_000), 300_000), ("a[1h:] @ +7 offset 5m", .time(7_000), 300_000), ("a offset 0s offset 5m", nil, 300_000),
] as [(String, AtModifier?, Int64)])
func timesAreShifted(query: String, at: AtModifier?, offsetMs: Int64) throws {
  var expected = TimeShift()
  expected.at = at
  expected.offsetMs = offsetMs
  switch try Expr(parsing: query).node {
  case .selector(let selector), .matrix(let selector, _): #expect(selector.shift == expected)
  case .subquery(let subquery): #expect(subquery.shift == expected)
  default: Issue.record("nothing to shift")
  }
}

@Test(arguments: [
  ("sum(a)", "sum(a)"),
  ("SUM BY (b, c,) (a)", "sum by (b, c) (a)"),
  ("sum(a) without (b)", "sum without (b) (a)"),
  ("sum by () (a)", "sum(a)"),
  ("sum without () (a)", "sum without () (a)"),
  ("topk by (b) (5, a)", "topk by (b) (5, a)"),
  (#"count_values("v", a) by (b)"#, #"count_values by (b) ("v", a)"#),
  (#"sum by ("a.b", 'c', on, bool, by, atan2, "without", "inf") (a)"#, #"sum by ("a.b", c, on, bool, by, atan2, "without", "inf") (a)"#),
  ("sum(sum by (b) (a))", "sum(sum by (b) (a))"),
  ("sum by (a:b) (c)", #"sum by ("a:b") (c)"#),
])
func aggregationsGroupBeforeOrAfter(query: String, printed: String) throws {
  #expect(try Expr(parsing: query).description == printed)
}

@Test(arguments: [
  ("a + b", "oneToOne [] false []"),
  ("a and b", "manyToMany [] false []"),
  ("a and on() b", #"manyToMany [] true []"#),
  ("a * on(x) b", #"oneToOne ["x"] true []"#),
  ("a * ignoring(x, y) b", #"oneToOne ["x", "y"] false []"#),
  ("a * on(x) group_left b", #"manyToOne ["x"] true []"#),
  ("a * on(x) group_left(y) b", #"manyToOne ["x"] true ["y"]"#),
  ("a * ignoring(x) group_right(y, z) b", #"oneToMany ["x"] false ["y", "z"]"#),
  ("a > bool on(x) b", #"oneToOne ["x"] true []"#),
  ("a + 1", "nil"),
  ("1 + on() 1", "nil"),
])
func vectorsAreMatched(query: String, matching: String) throws {
  guard case .binary(let binary) = try Expr(parsing: query).node else { Issue.record("no operation"); return }
  let read = binary.matching.map { "\($0.cardinality) \($0.labels) \($0.isOn) \($0.included)" } ?? "nil"
  #expect(read == matching)
  #expect(binary.returnsBool == query.contains("bool"))
}

@Test func placesAreThoseOfTheText() throws {
  let query = " sum( rate(a{b=\"c\"}[5m] offset 1m) ) + -(2)"
  var texts: [String] = []
  try Expr(parsing: query).visit { expr in
    texts.append(String(decoding: Array(query.utf8)[expr.range], as: UTF8.self))
  }
  #expect(
    texts == [
      "sum( rate(a{b=\"c\"}[5m] offset 1m) ) + -(2)", "sum( rate(a{b=\"c\"}[5m] offset 1m) )", "rate(a{b=\"c\"}[5m] offset 1m)",
      "a{b=\"c\"}[5m] offset 1m", "-(2)", "(2)", "2",
    ])
}

@Test(arguments: [
  ("1", .scalar), ("'a'", .string), ("a", .vector), ("a[5m]", .matrix), ("a[5m:]", .matrix), ("time()", .scalar), ("sum(a)", .vector),
  ("1 + 2", .scalar), ("1 + a", .vector), ("a and b", .vector), ("-a", .vector), ("(((1)))", .scalar), ("scalar(a) + 1", .scalar),
] as [(String, ValueType)])
func everyExpressionHasAType(query: String, type: ValueType) throws {
  #expect(try Expr(parsing: query).valueType == type)
}
