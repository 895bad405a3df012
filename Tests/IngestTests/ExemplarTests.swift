// SPDX-License-Identifier: Apache-2.0

// Which events stand for the bucket their duration fell into.

import Ingest
import TimeSeries
import Testing

private func event(_ more: String, type: String = "cache_hit") -> String { #"{"event_type":"\#(type)",\#(more)}"# }

/// One entry an exemplar: its operation, its bucket's bound, its id, the seconds, and the time as the distance from noon.
private func exemplars(_ body: String...) -> [String] {
  let delta = decoded(body.joined(separator: "\n")).delta
  return delta.exemplars.map { exemplar in
    let labels = delta.series[exemplar.series].labels
    #expect(labels.metricName == "cache_operation_duration_seconds")
    let id = String(decoding: delta.exemplarText[exemplar.text], as: UTF8.self)
    let bound = DurationBuckets.boundNames[Int(exemplar.bucket)]
    return "\(labels["operation"] ?? "") \(bound) \(id) \(exemplar.seconds) \(exemplar.timeMs - noonMs)"
  }
}

@Test func theFirstEventOfABucketWithAnIdStandsForIt() {
  #expect(
    exemplars(
      event(#""duration_ms":4.2"#), event(#""correlation_id":"a","duration_ms":4.3"#),
      event(#""correlation_id":"b","duration_ms":4.3"#), event(#""correlation_id":"c","duration_ms":43"#),
      event(#""correlation_id":"d","duration_ms":4.3"#, type: "cache_miss"),
      event(#""correlation_id":"e","duration_ms":100000"#), event(#""correlation_id":7,"duration_ms":0"#))
      == ["hit 0.0045 a 0.0043 0", "hit 0.045 c 0.043 0", "miss 0.0045 d 0.0043 0", "hit +Inf e 100.0 0", "hit 1e-06 7 0.0 0"])
}

@Test func theLatestWindowOfABodyHasTheExemplar() {
  let events = [-30_000, -10_000, -50_000].map { event(#""correlation_id":"at\#($0)","duration_ms":1,"timestamp":\#(noonMs + Int64($0))"#) }
  #expect(exemplars(events.joined(separator: "\n")) == ["hit 0.001 at-10000 0.001 -10000"])
}

@Test(arguments: [
  (#""correlation_id":"a""#, false), (#""correlation_id":"","duration_ms":1"#, false), (#""id":"a","duration_ms":1"#, false),
  (#""correlation_id":null,"duration_ms":1"#, false), (#""correlation_id":"a\u0000b","duration_ms":1"#, false),
  (#""correlation_id":"\u00fc\ud83d\ude00\"\\","duration_ms":1"#, true),
])
func onlyWhatCanBeShownIsKept(fields: String, isKept: Bool) {
  #expect(exemplars(event(fields)).count == (isKept ? 1 : 0))
}

@Test func idsAreKeptUpToTheirBoundAndNotOnePastIt() {
  // 128 code points, of which the name has 14.
  for (character, written) in [("x", "x"), ("ü", "ü"), ("😀", "😀"), ("é", "\\u00e9")] {
    let longest = event(#""duration_ms":1,"correlation_id":"\#(String(repeating: written, count: 114))""#)
    #expect(exemplars(longest) == ["hit 0.001 \(String(repeating: character, count: 114)) 0.001 0"])
    #expect(exemplars(event(#""duration_ms":1,"correlation_id":"\#(String(repeating: written, count: 115))""#)) == [])
  }
}

@Test func countsAreWhatTheyAreWithoutExemplars() {
  let with = (0..<500).map { event(#""correlation_id":"\#($0)","duration_ms":\#($0 % 7)"#) }.joined(separator: "\n")
  let without = (0..<500).map { event(#""duration_ms":\#($0 % 7)"#) }.joined(separator: "\n")
  #expect(decoded(with).delta.distributions == decoded(without).delta.distributions)
  #expect(decoded(with).delta.exemplars.count == 7)
}

@Test func aBodyHasSoManyExemplarsAndNoMore() {
  let body = (0..<30).flatMap { cache in
    (0..<237).map { bucket in
      let ms = DurationBuckets.upperBoundsSeconds[bucket] * 1000
      return event(#""cache":"c\#(cache)","correlation_id":"\#(bucket)","duration_ms":\#(ms)"#)
    }
  }
  #expect(decoded(body.joined(separator: "\n")).delta.exemplars.count == 4_096)
}
