// SPDX-License-Identifier: Apache-2.0

// The two text formats as a scraper reads them, and which of them it gets.

import Testing
import TimeSeries

private func page(_ format: Exposition.Format, _ write: (inout Exposition) -> Void) -> String {
  var exposition = Exposition(format: format)
  write(&exposition)
  exposition.end()
  return String(decoding: exposition.bytes, as: UTF8.self)
}

private let hits = MetricFamily("cache_hits_total", .counter, "Lookups answered from the cache.")
private let entries = MetricFamily("cache_entries", .gauge, #"Entries "now", by C:\cache."#)
private let hitsL1 = Labels(metric: "cache_hits_total", [Label("tier", "L1"), Label("cache", #"a"b"#)])

private func countersAndGauges(_ exposition: inout Exposition) {
  exposition.begin(hits)
  exposition.sample(hitsL1, Int64(9_007_199_254_740_993))
  exposition.begin(entries)
  exposition.sample(Labels(metric: "cache_entries"), 12.5)
}

@Test func theTextFormat() {
  #expect(
    page(.text, countersAndGauges) == #"""
      # HELP cache_hits_total Lookups answered from the cache.
      # TYPE cache_hits_total counter
      cache_hits_total{cache="a\"b",tier="L1"} 9007199254740993
      # HELP cache_entries Entries "now", by C:\\cache.
      # TYPE cache_entries gauge
      cache_entries 12.5

      """#)
}

@Test func openMetrics() {
  #expect(
    page(.openMetrics, countersAndGauges) == #"""
      # HELP cache_hits Lookups answered from the cache.
      # TYPE cache_hits counter
      cache_hits_total{cache="a\"b",tier="L1"} 9007199254740993
      # HELP cache_entries Entries \"now\", by C:\\cache.
      # TYPE cache_entries gauge
      cache_entries 12.5
      # EOF

      """#)
}

@Test(arguments: [Exposition.Format.text, .openMetrics])
func aHistogramIsCumulativeAndEndsInInf(format: Exposition.Format) {
  var histogram = Histogram()
  let index = { (seconds: Double) in Int32(DurationBuckets.index(ofSeconds: seconds)) }
  histogram.add([.init(bucket: index(1e-6), count: 1), .init(bucket: index(1), count: 2), .init(bucket: index(99), count: 4)], sum: 300.5)
  let text = page(format) { exposition in
    exposition.begin(MetricFamily("d_seconds", .histogram, "Duration."))
    exposition.histogram(Labels(metric: "d_seconds", [Label("tier", "L1")]), histogram)
  }
  let lines = text.split(separator: "\n").map(String.init)
  #expect(lines[1] == "# TYPE d_seconds histogram")
  #expect(lines[2] == #"d_seconds_bucket{tier="L1",le="1e-06"} 1"#)
  #expect(lines.contains(#"d_seconds_bucket{tier="L1",le="0.94"} 1"#))
  #expect(lines.contains(#"d_seconds_bucket{tier="L1",le="1.0"} 3"#))
  #expect(lines.contains(#"d_seconds_bucket{tier="L1",le="60.0"} 3"#))
  #expect(lines.contains(#"d_seconds_bucket{tier="L1",le="+Inf"} 7"#))
  #expect(lines.contains(#"d_seconds_sum{tier="L1"} 300.5"#))
  #expect(lines.contains(#"d_seconds_count{tier="L1"} 7"#))
  #expect(lines.filter { $0.hasPrefix("d_seconds_bucket") }.count == DurationBuckets.count)
}

@Test func aHistogramWithoutLabels() {
  let text = page(.text) { $0.histogram(Labels(metric: "d_seconds"), Histogram()) }
  #expect(text.hasPrefix(#"d_seconds_bucket{le="1e-06"} 0"# + "\n"))
  #expect(text.hasSuffix("d_seconds_sum 0\nd_seconds_count 0\n"))
}

@Test(arguments: [
  (0, "0"), (3, "3"), (-2, "-2"), (0.25, "0.25"), (1e300, "1e+300"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
  (9_007_199_254_740_991, "9007199254740991"),
] as [(Double, String)])
func numbersPrintAsGoPrintsThem(value: Double, expected: String) {
  #expect(Exposition.number(value) == expected)
}

private let prometheus3 =
  "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
  + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"

@Test(arguments: [
  (nil, .text),
  ("", .text),
  ("*/*", .text),
  ("text/plain", .text),
  ("text/html", .text),
  (prometheus3, .openMetrics),
  ("application/openmetrics-text", .openMetrics),
  ("application/openmetrics-text; version=1.0.0; charset=utf-8", .openMetrics),
  ("application/openmetrics-text;version=0.0.1", .text),
  ("application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", .text),
  ("text/plain;q=0.4, application/openmetrics-text;q=0.5", .openMetrics),
  ("text/plain;q=0.5, application/openmetrics-text;q=0.4", .text),
  ("application/openmetrics-text;q=0", .text),
  ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", .text),
] as [(String?, Exposition.Format)])
func aScraperGetsTheFormatItPrefers(accept: String?, expected: Exposition.Format) {
  #expect(Exposition.format(accept: accept) == expected)
}

@Test func contentTypesNameTheVersion() {
  #expect("\(Exposition.Format.text.contentType)" == "text/plain; version=0.0.4; charset=utf-8")
  #expect("\(Exposition.Format.openMetrics.contentType)" == "application/openmetrics-text; version=1.0.0; charset=utf-8")
}

@Test func exemplarsStandBehindTheirBucketInOpenMetricsAlone() {
  var histogram = Histogram()
  histogram.add([.init(bucket: 0, count: 2), .init(bucket: 237, count: 1)], sum: 90)
  let exemplars = [
    0: Exemplar(id: "a\"b\\ü", seconds: 0.0000005, timeMs: 1_760_000_000_120), 237: Exemplar(id: "b", seconds: 90, timeMs: 5),
  ]
  func lines(_ format: Exposition.Format, isBrief: Bool) -> [String] {
    var exposition = Exposition(format: format)
    exposition.histogram(Labels(metric: "d_seconds"), histogram, exemplars: exemplars, isBrief: isBrief)
    return String(decoding: exposition.bytes, as: UTF8.self).split(separator: "\n").map(String.init).filter { $0.contains("_bucket") }
  }
  let open = lines(.openMetrics, isBrief: false)
  #expect(open.first == #"d_seconds_bucket{le="1e-06"} 2 # {correlation_id="a\"b\\ü"} 5e-07 1760000000.120"#)
  #expect(open.last == #"d_seconds_bucket{le="+Inf"} 3 # {correlation_id="b"} 90 0.005"#)
  #expect(open.filter { $0.contains("#") }.count == 2)
  #expect(lines(.openMetrics, isBrief: true) == [#"d_seconds_bucket{le="+Inf"} 3 # {correlation_id="b"} 90 0.005"#])
  #expect(lines(.text, isBrief: false).filter { $0.contains("#") } == [])
}
