// SPDX-License-Identifier: Apache-2.0

import PromQL
import Testing

@Test(arguments: [
  (#"sum(a{z="1",b="2"})by(c)"#, #"sum by (c) (a{b="2",z="1"})"#),
  (#"{"a.b", x="y"}"#, #"{__name__="a.b",x="y"}"#),
  (#"{__name__="a"}"#, #"{__name__="a"}"#),
  (#"a{"b.c"="d\"\n\u0000é😀"}"#, #"a{"b.c"="d\"\n\x00é😀"}"#),
  ("a[90m]offset 1w@1.5", "a[1h30m] @ 1.500 offset 1w"),
  ("a[5m:]offset-5m", "a[5m:] offset -5m"),
  ("a@start()", "a @ start()"),
  ("a @ -0.0015", "a @ -0.002"),
  ("a[13w]", "a[13w]"),
  ("a[91d]", "a[13w]"),
  ("a[90d]", "a[90d]"),
  ("a[1001ms]", "a[1s1ms]"),
  ("1e3 + 1e-7 + 1e21", "1000 + 0.0000001 + 1000000000000000000000"),
  ("-Inf + NaN + Inf", "-Inf + NaN + +Inf"),
  ("0.1+2.50", "0.1 + 2.5"),
  ("a>bool on(b)group_left c", "a > bool on (b) group_left () c"),
  ("a*ignoring()group_right(d)c", "a * ignoring () group_right (d) c"),
  ("a*ignoring()c", "a * c"),
  ("- ( - a )", "-(-a)"),
  ("label_join( a,'b' , 'c' )", #"label_join(a, "b", "c")"#),
])
func printsAsPrometheusDoes(query: String, printed: String) throws {
  let expr = try Expr(parsing: query)
  #expect(expr.description == printed)
  #expect(try Expr(parsing: printed).description == printed)
}

@Test func breaksWhatIsLongerThanALine() throws {
  let query = """
    histogram_quantile(0.99, sum by (le, cache) (rate(cache_duration_seconds_bucket{tier="L1",environment="production-eu-1"}[5m]))) > 0.5
    """
  let lines = [
    "  histogram_quantile(",
    "    0.99,",
    "    sum by (le, cache) (",
    "      rate(cache_duration_seconds_bucket{environment=\"production-eu-1\",tier=\"L1\"}[5m])",
    "    )",
    "  )",
    ">",
    "  0.5",
  ]
  #expect(try Expr(parsing: query).prettified == lines.joined(separator: "\n"))
}

@Test(arguments: [
  ("a + b", "a + b"),
  ("aaaa + bbbb", "  aaaa\n+\n  bbbb"),
  ("a + ignoring(job) b", "  a\n+ ignoring (job)\n  b"),
  ("rate(foo[1m])", "rate(\n  foo[1m]\n)"),
  ("sum(foo_bar) without(a)", "sum without (a) (\n  foo_bar\n)"),
  ("topk(10, foo_bar)", "topk(\n  10,\n  foo_bar\n)"),
  ("(foo_bar_baz)", "(\n  foo_bar_baz\n)"),
  ("-rate(foo[1m])", "-rate(\n  foo[1m]\n)"),
  ("(-foo_bar_baz)", "(\n  -foo_bar_baz\n)"),
  ("rate(foo[1m])[1h:1m] offset 5m", "rate(\n  foo[1m]\n)[1h:1m] offset 5m"),
  // A subquery that fits is not indented, as in Prometheus.
  ("rate(a[5m:1m])", "rate(\na[5m:1m]\n)"),
])
func breaksAtTheOutermost(query: String, pretty: String) throws {
  #expect(try Expr(parsing: query).prettified(lineBytesMax: 10) == pretty)
}

@Test func printedQueriesReadAsTheSameTree() throws {
  var read = 0
  for query in ConformanceQueries.all {
    let expr: Expr
    do throws(ParseError) {
      expr = try Expr(parsing: query.text)
    } catch {
      let isExperimental = error.message.hasSuffix("is not enabled") || error.message.contains("is experimental and must be enabled")
      #expect(isExperimental, "\(query.place): \(query.text): \(error)")
      continue
    }
    read += 1
    for printed in [expr.description, expr.prettified, expr.prettified(lineBytesMax: 10)] {
      #expect(try Expr(parsing: printed).withoutPlaces == expr.withoutPlaces, "\(query.place): \(query.text): \(printed)")
    }
  }
  print("printedQueriesReadAsTheSameTree: \(read) of \(ConformanceQueries.all.count) queries, the others are experimental")
}
