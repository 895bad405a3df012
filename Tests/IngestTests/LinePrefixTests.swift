// SPDX-License-Identifier: Apache-2.0

// What loggers and container runtimes put around a record does not hide it.

import Ingest
import TimeSeries
import Testing

private let hit = #"{"event_type":"cache_hit"}"#
private let escape = "\u{1b}"

@Test(arguments: [
  "info: ", "INFO ", "[INFO] ", "[info]: ", "warn - ", "INFO:root:", "ERROR:app.cache:", "2026-11-21T10:00:00.123Z ",
  "2026-11-21T10:00:00.123Z info: ", "2026-11-21T10:00:00.123Z [info]: ", "[2026-11-21T10:00:00Z] ", "10:00:00.123 ",
  "[10:00:00.123] INFO (4711): ", "2026-11-21 10:00:00,123 - app.cache - INFO - ", "2026-11-21 10:00:00 INFO: ",
  "2026/11/21 10:00:00 ", "2026-11-21T10:00:00.123456789Z stdout F ", "2026-11-21T10:00:00.1+01:00 stderr F ",
  "api-1  | ", "my_app.web-12 | 2026-11-21T10:00:00.123Z [info] ", "api-1 | info: ",
  "\(escape)[36mapi-1  |\(escape)[0m ", "\(escape)[32minfo\(escape)[39m: ", "  \(escape)[1;31m[ERROR]\(escape)[0m ",
])
func aRecordIsFoundBehindItsPrefix(prefix: String) {
  for record in ["[CACHE] HIT user:5 (3.2ms)", #"{"event_type":"cache_hit","key":"user:5"}"#, #"{"msg":"Cache hit: user:5"}"#] {
    for line in [prefix + record, prefix + record + "\(escape)[0m"] {
      let batch = decoded(line, at: 1_795_255_200_000)
      #expect(batch.accepted == 1, "\(line): \(batch.rejections)")
      #expect(batch.delta.series.first?.labels["cache"] == "web_user", "\(line)")
      let quoted = line.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing(escape, with: "\\u001b")
      #expect(decoded("{\"log\":\"\(quoted)\\n\"}", at: 1_795_255_200_000).accepted == 1, "in a record: \(line)")
    }
  }
}

@Test(arguments: [
  "hello [CACHE] HIT user:5", "the info: [CACHE] HIT user:5", "info [x] [CACHE] HIT user:5", "api-1 [CACHE] HIT user:5",
  "2026-11-21T10:00:00.1Z stdout P [CACHE] HIT user:5", "| [CACHE] HIT user:5", "10:00 [CACHE] HIT user:5",
  "information: [CACHE] HIT user:5", "info: info", "info:", "[info", "2026-11-21T10:00:00.1Z stdout F", "api-1 |", "\(escape)[",
  "(4711", "info: {", "info: {}", "info: {broken",
])
func whatIsNoPrefixHidesALine(line: String) {
  let batch = decoded(line, at: 1_795_255_200_000)
  #expect(batch.ignored == 1 && batch.accepted + batch.rejected == 0, "\(batch)")
}

@Test func aTimeWithAZoneIsTheRecordsTime() {
  let now: Int64 = 1_795_300_000_000
  func time(_ line: String) -> Int64? { decoded(line, at: now).newestEventMs }
  #expect(time("2026-11-21T10:00:00.123456789Z stdout F [CACHE] HIT user:5") == 1_795_255_200_123)
  #expect(time("2026-11-21T10:00:00.123456789Z stdout F \(hit)") == 1_795_255_200_123)
  #expect(time("[2026-11-21T11:00:00+01:00] [CACHE] HIT user:5") == 1_795_255_200_000)
  // Without a zone nobody knows which hour that was.
  #expect(time("2026-11-21 10:00:00 [CACHE] HIT user:5") == now)
  // The record's own time is nearer.
  #expect(time(#"2026-11-21T10:00:00Z stdout F {"event_type":"cache_hit","timestamp":1795255201}"#) == 1_795_255_201_000)
}

@Test func whatAShipperStampsOnAnEventIsItsTimeWhereItTellsNone() {
  func time(_ line: String) -> Int64? { decoded(line).newestEventMs }
  #expect(time(#"{"date":1759999000.25,"event_type":"cache_hit"}"#) == 1_759_999_000_250)
  #expect(time(#"{"@timestamp":"2025-10-09T08:00:00Z","event_type":"cache_hit"}"#) == 1_759_996_800_000)
  #expect(time(#"{"level":30,"time":1759999000250,"event_type":"cache_hit"}"#) == 1_759_999_000_250)
  #expect(time(#"{"@timestamp":"2025-10-09T08:00:00Z","event_type":"cache_hit","timestamp":1759999000}"#) == 1_759_999_000_000)
  #expect(time(#"{"time":"10:00","event_type":"cache_hit"}"#) == noonMs)
}

@Test func aLoggersObjectIsReadLikeItsText() {
  #expect(decoded(#"{"level":"info","message":{"event_type":"cache_hit","key":"user:5"}}"#).accepted == 1)
  #expect(decoded(#"{"message":{"msg":"[CACHE] HIT user:5"},"service":"api"}"#).accepted == 1)
  // A text is preferred to an object, and an array is neither.
  #expect(decoded(#"{"message":{"event_type":"cache_hit"},"log":"hello"}"#).ignored == 1)
  #expect(decoded(#"{"message":["[CACHE] HIT user:5"]}"#).ignored == 1)
  #expect(decoded(#"{"log":{"log":{"log":{"log":{"event_type":"cache_hit"}}}}}"#).ignored == 1)
}
