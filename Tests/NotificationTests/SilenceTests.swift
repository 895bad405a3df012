// SPDX-License-Identifier: Apache-2.0

import JSON
import Notification
import Testing
import TimeSeries

// What silences say and which alerts they mean.

private let labels = Labels([Label("alertname", "HitRatioLow"), Label("cache", "profile"), Label("severity", "warning")])

private func silence(_ matchers: String) throws -> Silence {
  let text = #"{"matchers":[\#(matchers)],"startsAt":"2026-11-21T10:00:00Z","endsAt":"2026-11-21T12:00:00.5Z","createdBy":"ada","comment":"why"}"#
  return try Silence(posted: JSONValue(parsing: text), id: "s1", nowMs: noonMs)
}

@Test(arguments: [
  (#"{"name":"alertname","value":"HitRatioLow"}"#, true),
  (#"{"name":"alertname","value":"hitratiolow"}"#, false),
  (#"{"name":"alertname","value":"Hit.*","isRegex":true}"#, true),
  (#"{"name":"alertname","value":"Hit","isRegex":true}"#, false),
  (#"{"name":"cache","value":"orders|profile","isRegex":true}"#, true),
  (#"{"name":"cache","value":"orders","isEqual":false},{"name":"severity","value":"warning"}"#, true),
  (#"{"name":"cache","value":"prof.*","isRegex":true,"isEqual":false},{"name":"severity","value":"warning"}"#, false),
  (#"{"name":"alertname","value":"HitRatioLow"},{"name":"cache","value":"orders"}"#, false),
  (#"{"name":"alertname","value":"HitRatioLow"},{"name":"region","value":""}"#, true),
])
func matchersAreAlertmanagers(matchers: String, matches: Bool) throws {
  #expect(try silence(matchers).matches(labels) == matches)
}

@Test func aSilenceIsReadBackAsItWasKept() throws {
  let made = try silence(#"{"name":"alertname","value":"Hit.*","isRegex":true},{"name":"cache","value":"x","isEqual":false}"#)
  #expect(try Silence(kept: made.json(atMs: nil).text) == made)
  let acknowledged = try Silence(
    acknowledging: labels, by: "ada", comment: "on it", endsMs: noonMs + 3_600_000, id: "a1", nowMs: noonMs)
  #expect(try Silence(kept: acknowledged.json(atMs: nil).text) == acknowledged)
  #expect(acknowledged.matches(labels) && !acknowledged.matches(labels.replacing("cache", with: "orders")))
}

@Test(arguments: [(-1, .pending), (0, .active), (7_200_499, .active), (7_200_500, .expired)] as [(Int64, Silence.State)])
func aSilenceIsInForceFromItsStartUntilItsEnd(afterMs: Int64, state: Silence.State) throws {
  let made = try silence(#"{"name":"alertname","value":"HitRatioLow"}"#)
  #expect(made.state(atMs: noonMs + afterMs) == state)
}

@Test func whatHasAlreadyBegunBeginsNow() throws {
  let text = #"{"matchers":[{"name":"a","value":"b"}],"startsAt":"2020-01-01T00:00:00Z","endsAt":"2026-11-21T12:00:00Z","createdBy":"a","comment":"b"}"#
  #expect(try Silence(posted: JSONValue(parsing: text), id: "x", nowMs: noonMs).startsMs == noonMs)
}

@Test func anAlertThatIsNamedTwiceIsToldOnce() {
  var post = Post(.webhook)
  for _ in 0..<3 { post.take([AlertNotice("A"), AlertNotice("A")]) }
  #expect(post.sendAll() == [["A/profile firing"]])
}
