// SPDX-License-Identifier: Apache-2.0

import JSON
import Notification
import Testing
import TimeSeries

// What receivers are sent, byte by byte.

private let head = Letterhead(receiver: "team", externalURL: "https://rampart.example")

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

private let message = Message(
  groupLabels: Labels([Label("alertname", "HitRatioLow"), Label("cache", "profile")]),
  notices: [
    AlertNotice("HitRatioLow"), AlertNotice("HitRatioLow", startsMs: noonMs + 500).resolved(at: noonMs + 60_500),
  ])

@Test func anAlertmanagerGetsWhatPrometheusSends() {
  #expect(text(AlertmanagerPayload.write(message, head, nowMs: noonMs)) == """
    [{"labels":{"alertname":"HitRatioLow","cache":"profile","severity":"warning"},\
    "annotations":{"summary":"HitRatioLow of profile"},"startsAt":"2026-11-21T10:00:00.000Z",\
    "endsAt":"2026-11-21T10:04:00.000Z","generatorURL":"https://rampart.example/graph?g0.expr=ratio%20%3C%200.5&g0.tab=1"},\
    {"labels":{"alertname":"HitRatioLow","cache":"profile","severity":"warning"},\
    "annotations":{"summary":"HitRatioLow of profile"},"startsAt":"2026-11-21T10:00:00.500Z",\
    "endsAt":"2026-11-21T10:01:00.500Z","generatorURL":"https://rampart.example/graph?g0.expr=ratio%20%3C%200.5&g0.tab=1"}]
    """)
}

@Test func whatWaitedForLongStillFires() throws {
  let body = AlertmanagerPayload.write(message, head, nowMs: noonMs + 3_600_000)
  #expect(try JSONValue(parsing: body).array?.map { $0["endsAt"]?.string } == ["2026-11-21T11:04:00.000Z", "2026-11-21T10:01:00.500Z"])
}

@Test(arguments: [
  ("http://am:9093", "http://am:9093/api/v2/alerts"), ("http://am:9093/", "http://am:9093/api/v2/alerts"),
  ("http://am/prefix/", "http://am/prefix/api/v2/alerts"), ("http://am/api/v2/alerts", "http://am/api/v2/alerts"),
])
func theEndpointOfAnAlertmanagerIsAdded(url: String, endpoint: String) {
  #expect(AlertmanagerPayload.endpoint(url) == endpoint)
}

@Test func aWebhookGetsVersionFour() {
  #expect(text(WebhookPayload.write(message, head)) == """
    {"version":"4","groupKey":"{}:{alertname=\\"HitRatioLow\\", cache=\\"profile\\"}","truncatedAlerts":0,"status":"firing",\
    "receiver":"team","groupLabels":{"alertname":"HitRatioLow","cache":"profile"},\
    "commonLabels":{"alertname":"HitRatioLow","cache":"profile","severity":"warning"},\
    "commonAnnotations":{"summary":"HitRatioLow of profile"},"externalURL":"https://rampart.example","alerts":[\
    {"status":"firing","labels":{"alertname":"HitRatioLow","cache":"profile","severity":"warning"},\
    "annotations":{"summary":"HitRatioLow of profile"},"startsAt":"2026-11-21T10:00:00.000Z","endsAt":"0001-01-01T00:00:00Z",\
    "generatorURL":"https://rampart.example/graph?g0.expr=ratio%20%3C%200.5&g0.tab=1","fingerprint":"fbca4abce36d466e"},\
    {"status":"resolved","labels":{"alertname":"HitRatioLow","cache":"profile","severity":"warning"},\
    "annotations":{"summary":"HitRatioLow of profile"},"startsAt":"2026-11-21T10:00:00.500Z","endsAt":"2026-11-21T10:01:00.500Z",\
    "generatorURL":"https://rampart.example/graph?g0.expr=ratio%20%3C%200.5&g0.tab=1","fingerprint":"fbca4abce36d466e"}]}
    """)
}

// As Debian's Alertmanager 0.25 says of the same alert.
@Test func aFingerprintIsAlertmanagers() {
  #expect(WebhookPayload.fingerprint(of: AlertNotice("HitRatioLow").labels) == "fbca4abce36d466e")
}

@Test func onlyResolvedAlertsMakeAResolvedMessage() throws {
  var over = message
  over.notices.removeFirst()
  #expect(try JSONValue(parsing: WebhookPayload.write(over, head))["status"] == .string("resolved"))
}

@Test func slackGetsTextForPeople() {
  #expect(text(SlackPayload.write(message, head)) == """
    {"text":"[FIRING 1, RESOLVED 1] HitRatioLow: cache=profile","attachments":[\
    {"color":"#c0392b","fallback":"1 firing","title":"firing",\
    "title_link":"https://rampart.example/graph?g0.expr=ratio%20%3C%200.5&g0.tab=1",\
    "text":"• HitRatioLow of profile [severity=warning] (value 0.25)","footer":"Rampart https://rampart.example","ts":1795255200},\
    {"color":"#2e7d32","fallback":"1 resolved","title":"resolved",\
    "title_link":"https://rampart.example/graph?g0.expr=ratio%20%3C%200.5&g0.tab=1",\
    "text":"• HitRatioLow of profile [severity=warning]","footer":"Rampart https://rampart.example","ts":1795255260}]}
    """)
}

@Test func whatFillsAMessageForPeopleIsANumber() throws {
  let many = Message(groupLabels: Labels([]), notices: (0..<10_000).map { AlertNotice("A", cache: String(repeating: "x", count: 2_000) + "\($0)") })
  let body = SlackPayload.write(many, head)
  let lines = try JSONValue(parsing: body)["attachments"]?.array?.first?["text"]?.string?.split(separator: "\n")
  #expect(lines?.count == SlackPayload.linesMax + 1)
  #expect(lines?.last == "and 9990 more")
  #expect(body.count < 6_000)
}

@Test func textFromOutsideNotifiesNobodyAndHidesNoLink() throws {
  var hostile = AlertNotice("A")
  hostile.annotations = [.init("summary", "<!channel> @everyone [free](https://evil.example)\n`rm` &amp;")]
  let body = SlackPayload.write(Message(groupLabels: Labels([]), notices: [hostile]), head)
  let line = try #require(try JSONValue(parsing: body)["attachments"]?.array?.first?["text"]?.string)
  #expect(line.hasPrefix("• &lt;!channel&gt; @\u{200B}everyone [free]\u{200B}(https://evil.example) 'rm' &amp;amp;"), "\(line)")
  #expect(!line.contains("\n"))
}
