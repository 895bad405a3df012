// SPDX-License-Identifier: Apache-2.0

import PromQL
import Testing
import TimeSeries

// The test language itself: what it reads, and that it notices what is wrong.

@Test(arguments: [
  ("m 1 2 3", "1.0 2.0 3.0"), ("m 1+2x3", "1.0 3.0 5.0 7.0"), ("m 10-2x2", "10.0 8.0 6.0"), ("m 5x2", "5.0 5.0 5.0"),
  // Four times 0 and no hexadecimal number.
  ("m 0x3", "0.0 0.0 0.0 0.0"), ("m _ 1 _x2 stale", "_ 1.0 _ _ stale"), ("m -1-1x1 -Inf NaN", "-1.0 -2.0 -inf nan"),
  ("m .5 5. 1e-3+1e-3x1", "0.5 5.0 0.001 0.002"), ("m {{schema:1 sum:2}} {{count:1}}+{{count:2}}x1 1", "h h h 1.0"), ("m", ""),
])
func pointsAreRead(line: String, points: String) throws {
  let texts = try SeriesNotation(line).points.map { point in
    switch point {
    case .omitted: "_"
    case .nativeHistogram: "h"
    case .sample(let value): StaleMarker.isStale(value) ? "stale" : "\(value)"
    }
  }
  #expect(texts.joined(separator: " ") == points)
}

@Test(arguments: [
  (#"m{a="1", b='2',} 1"#, #"m{a="1",b="2"}"#), (#"{__name__="m"} 1"#, "m"), ("{} 1", ""),
  (#"{"my.metric","a.b"="x"} 1"#, #"my.metric{a.b="x"}"#), ("m{a=\"\\\"\\u00e9\\x41\"} 1", #"m{a="\"éA"}"#), (#"m{a=""} 1"#, "m"),
])
func labelsAreRead(line: String, labels: String) throws {
  #expect(try SeriesNotation(line).labels.description == labels)
}

@Test(arguments: [
  ("m{a=1} 1", "column 5: a quoted string is missing"), (#"m{a="1" 1"#, "column 9: a comma or a closing brace is missing"),
  ("m 1y", "column 4: a space is missing"), ("m 1x", "column 5: a count of at most 10000000 is missing after x"),
  ("m 1x10000001", "column 13: a count of at most 10000000 is missing after x"), ("m 1+x3", "column 4: a number is missing"),
  (#"m{a="1",a="2"} 1"#, "column 15: a label is given twice"), (#"m{a="\q"} 1"#, "column 8: unknown escape sequence"),
])
func slipsAreNamed(line: String, message: String) {
  do {
    _ = try SeriesNotation(line)
    Issue.record("not refused: \(line)")
  } catch {
    #expect(error.description == message)
  }
}

@Test(arguments: [
  ("load", #"line 1: invalid step """#), ("load 5x\n  m 1", #"line 1: invalid step "5x""#), ("fetch 1", #"line 1: invalid command "fetch 1""#),
  ("load 290y\n  m 1x1000000", "line 2: the last point is too late"), ("eval instant 5m m", #"line 1: "at" is missing"#), ("eval range from 5m to 0 step 1m m", "line 1: the end is before the start"),
  ("eval instant at 0 m\n  expect maybe", "line 2: invalid expect statement"),
  ("eval instant at 0 m\n  expect warn\n  expect no_warn", "line 1: an annotation is both expected and forbidden"),
])
func scriptsAreRefused(script: String, message: String) {
  do {
    _ = try TestLanguage.run(script)
    Issue.record("not refused: \(script)")
  } catch {
    #expect(error.description == message)
  }
}

@Test func differencesAreShownInTheNotationOfTheScript() throws {
  let report = try TestLanguage.run(
    """
    load 1m
      m{l="a"} 1 2
      m{l="b"} 3

    eval instant at 0 m
      m{l="a"} 1

    eval range from 0 to 1m step 1m m{l="a"}
      m{l="a"} 1 3

    eval instant at 0 m +
      m 1

    eval instant at 0 1
      2

    eval instant at 0 m{l="a"}
      m{l="a"} 1.000001
    """)
  #expect(report.passedCount == 1)
  #expect(
    report.failures.map(\.description) == [
      #"line 5: m: expected m{l="a"} 1, got m{l="a"} 1; m{l="b"} 3"#,
      #"line 8: m{l="a"}: expected m{l="a"} 1 3, got m{l="a"} 1@0s 2@60s"#,
      "line 11: m +: parse error: 1:4: parse error: unexpected end of input", "line 14: 1: expected 2, got 1",
    ])
}

@Test func whatIsNotThereIsSkippedAndCounted() throws {
  let report = try TestLanguage.run(
    """
    load 1m
      m 1 {{sum:1 count:1}}

    eval instant at 1m m
      m {{sum:1 count:1}}

    eval instant at 1m count_over_time(m[2m])
      {} 2

    eval instant at 0 mad_over_time(m[5m])
      {} 0
    """)
  #expect(report.failures.map(\.description) == [])
  #expect(
    report.skippedCounts == [
      "native histograms expected": 1, "native histograms in the series": 1, "function \"mad_over_time\" is not enabled": 1,
    ])
}
