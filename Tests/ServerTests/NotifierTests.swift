// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTP
import JSON
import Notification
import Platform
import Server
import Storage
import Testing
import TimeSeries

// The notifier with its own threads, a real store and real sockets.

private final class Folder {
  let path = FileManager.default.temporaryDirectory.path + "/rampart-notifier-" + UUID().uuidString

  deinit {
    // What stays behind is only a temporary file.
    try? FileManager.default.removeItem(atPath: path)
  }

  /// The store as the next process opens it. A process holds the lock until it ends.
  func open() throws -> Store {
    try? FileManager.default.removeItem(atPath: path + "/lock")
    return try Store(StoreConfiguration(folder: path))
  }
}

private func receiver(_ kind: Receiver.Kind, _ url: String, name: String? = nil) throws -> Receiver {
  let path = kind == .alertmanager ? "" : "/hook"
  return Receiver(name: name, kind: kind, location: .url(try OutgoingURL(url + path)), allowsPrivate: false, matchers: [])
}

private func notifier(_ store: Store, _ receivers: [Receiver]) throws -> Notifier {
  let notifier = try Notifier(store: NotificationTable(store: store)) { _ in }
  try notifier.start(receivers, externalURL: "http://rampart.example/")
  return notifier
}

private func notice(_ name: String, cache: String = "profile", startsMs: Int64, resolvedMs: Int64? = nil) -> AlertNotice {
  AlertNotice(
    labels: Labels([Label("alertname", name), Label("cache", cache)]), annotations: [.init("summary", "\(name) of \(cache)")],
    startsMs: startsMs, resolvedMs: resolvedMs, validUntilMs: startsMs + 240_000, value: 0.25, expression: "ratio < 0.5", group: "g")
}

/// A port that nobody listens on.
private let deadURL = "http://127.0.0.1:1"

@Test func eachKindOfReceiverIsToldOfFiringAndResolved() throws {
  let folder = Folder()
  let store = try folder.open()
  let servers = try Receiver.Kind.allCases.map { _ in try ReceivingServer() }
  let receivers = try zip(Receiver.Kind.allCases, servers).map { try receiver($0, $1.url) }
  let notifier = try notifier(store, receivers)
  let startsMs = Clock.wallMs()
  notifier.update(group: "g", [notice("A", startsMs: startsMs)], nowMs: startsMs)
  #expect(servers[0].alerts(atLeast: 1) == ["A/profile firing"])
  #expect(servers[1].alerts(atLeast: 1) == ["A/profile firing"])
  let overMs = Clock.wallMs()
  notifier.update(group: "g", [notice("A", startsMs: startsMs, resolvedMs: overMs)], nowMs: overMs)
  #expect(servers[0].alerts(atLeast: 2) == ["A/profile firing", "A/profile resolved"])
  #expect(servers[1].alerts(atLeast: 2) == ["A/profile firing", "A/profile resolved"])
  let deadlineMs = Clock.monotonicMs() + 20_000
  while servers[2].bodies.count < 2, Clock.monotonicMs() < deadlineMs { usleep(20_000) }
  #expect(servers[2].bodies.map { $0["text"] } == [.string("[FIRING 1] A: cache=profile"), .string("[RESOLVED 1] A: cache=profile")])
  #expect(notifier.stop(timeoutMs: 5_000))
  #expect(notifier.statuses.map(\.sent) == [2, 2, 2])
  #expect(try store.notifications() == [] && store.toldAlerts() == [])
  try store.close()
}

@Test func whatADeadReceiverDidNotTakeReachesItAfterARestart() throws {
  let folder = Folder()
  var store = try folder.open()
  let first = try notifier(store, [try receiver(.webhook, deadURL, name: "team")])
  let startsMs = Clock.wallMs()
  first.update(group: "g", [notice("A", startsMs: startsMs)], nowMs: startsMs)
  let deadlineMs = Clock.monotonicMs() + 20_000
  while first.statuses[0].failed == 0, Clock.monotonicMs() < deadlineMs { usleep(20_000) }
  #expect(first.statuses[0].lastError != nil)
  _ = first.stop(timeoutMs: 5_000)
  #expect(try store.notifications().map(\.receiver) == ["team"])
  try store.close()

  store = try folder.open()
  let server = try ReceivingServer()
  let second = try notifier(store, [try receiver(.webhook, server.url, name: "team")])
  #expect(server.alerts(atLeast: 1) == ["A/profile firing"])
  // It still fires, and that is known; then it ends while nobody looks.
  second.update(group: "g", [notice("A", startsMs: startsMs)], nowMs: Clock.wallMs())
  _ = second.stop(timeoutMs: 5_000)
  #expect(try store.notifications() == [])
  try store.close()

  store = try folder.open()
  let third = try notifier(store, [try receiver(.webhook, server.url, name: "team")])
  third.update(group: "g", [], nowMs: Clock.wallMs())
  #expect(server.alerts(atLeast: 2) == ["A/profile firing", "A/profile resolved"])
  _ = third.stop(timeoutMs: 5_000)
  try store.close()
}

@Test func deadAndSlowReceiversDelayNoOther() throws {
  let folder = Folder()
  let store = try folder.open()
  let server = try ReceivingServer()
  // It accepts connections and never answers.
  let silent = try Socket.listening(.stream, host: "127.0.0.1", port: 0)
  defer { withExtendedLifetime(silent) {} }
  let notifier = try notifier(
    store,
    [
      try receiver(.webhook, deadURL, name: "dead"), try receiver(.slack, "http://127.0.0.1:\(silent.port)", name: "silent"),
      try receiver(.alertmanager, server.url),
    ])
  let startedMs = Clock.monotonicMs()
  let startsMs = Clock.wallMs()
  let many = (0..<10_000).map { notice("A", cache: "c\($0)", startsMs: startsMs) }
  notifier.update(group: "g", many, nowMs: startsMs)
  let updatedMs = Clock.monotonicMs()
  #expect(Set(server.alerts(atLeast: 10_000)).count == 10_000)
  let tookMs = Clock.monotonicMs() - startedMs
  print("10,000 alerts: update \(updatedMs - startedMs) ms, delivered after \(tookMs) ms in \(server.bodies.count) requests")
  #expect(tookMs < 9_000)
  #expect(notifier.statuses.prefix(2).map(\.queued) == [10_000, 10_000])
  #expect(notifier.stop(timeoutMs: 1_000))
  #expect(try store.notifications().count == 20_000)
  try store.close()
}

@Test func aReceiverThatAsksToWaitIsAskedAgainThen() throws {
  let folder = Folder()
  let store = try folder.open()
  let server = try ReceivingServer { $0 == 1 ? Response(status: 429).with("Retry-After", "2") : Response(status: 204) }
  let notifier = try notifier(store, [try receiver(.alertmanager, server.url)])
  let startsMs = Clock.wallMs()
  notifier.update(group: "g", [notice("A", startsMs: startsMs)], nowMs: startsMs)
  #expect(server.alerts(atLeast: 1).count == 1)
  let firstMs = Clock.monotonicMs()
  #expect(server.alerts(atLeast: 2).count == 2)
  #expect(Clock.monotonicMs() - firstMs >= 1_900)
  _ = notifier.stop(timeoutMs: 5_000)
  try store.close()
}

@Test func aReceiverThatStaysKeepsItsQueueAndOneThatGoesLosesIt() throws {
  let folder = Folder()
  let store = try folder.open()
  let server = try ReceivingServer()
  let notifier = try notifier(
    store, [try receiver(.alertmanager, deadURL, name: "stays"), try receiver(.alertmanager, deadURL, name: "goes")])
  let startsMs = Clock.wallMs()
  notifier.update(group: "g", [notice("A", startsMs: startsMs)], nowMs: startsMs)
  let deadlineMs = Clock.monotonicMs() + 20_000
  while try store.notifications().count < 2, Clock.monotonicMs() < deadlineMs { usleep(20_000) }
  try notifier.change(to: [try receiver(.alertmanager, server.url, name: "stays")])
  #expect(server.alerts(atLeast: 1) == ["A/profile firing"])
  #expect(notifier.statuses.map(\.name) == ["stays"])
  _ = notifier.stop(timeoutMs: 5_000)
  #expect(try store.notifications() == [])
  #expect(try store.toldAlerts().map(\.key.receiver) == ["stays"])
  try store.close()
}

@Test func anAnswerThatIsTooLongOrARedirectIsAnAnswer() throws {
  let folder = Folder()
  let store = try folder.open()
  let long = try ReceivingServer { _ in Response(body: [UInt8](repeating: 0x20, count: 1 << 20)) }
  let redirecting = try ReceivingServer { _ in Response(status: 307).with("Location", "http://169.254.169.254/") }
  let notifier = try notifier(
    store, [try receiver(.alertmanager, long.url, name: "long"), try receiver(.webhook, redirecting.url, name: "redirecting")])
  let results = notifier.test(nil, nowMs: Clock.wallMs())
  #expect(results.map(\.isTaken) == [true, false])
  #expect(results[1].firing.error?.hasPrefix("answered 307") == true)
  #expect(long.bodies.count == 2 && redirecting.bodies.count == 1)
  _ = notifier.stop(timeoutMs: 5_000)
  try store.close()
}

@Test func aNameThatMeansThisMachineNeedsTheSetting() throws {
  // Most machines name themselves by a loopback address, or one of their own network.
  let host = ProcessInfo.processInfo.hostName
  let folder = Folder()
  let store = try folder.open()
  let server = try ReceivingServer()
  let port = server.url.split(separator: ":").last ?? ""
  func named(_ host: String, allowsPrivate: Bool) throws -> Receiver {
    Receiver(
      name: "\(host)-\(allowsPrivate)", kind: .alertmanager, location: .url(try OutgoingURL("http://\(host):\(port)")),
      allowsPrivate: allowsPrivate, matchers: [])
  }
  let notifier = try notifier(store, [try named("localhost", allowsPrivate: false), try named(host, allowsPrivate: false)])
  let results = notifier.test(nil, nowMs: Clock.wallMs())
  #expect(results[0].isTaken)
  if host != "localhost" { #expect(results[1].firing.error != nil) }
  _ = notifier.stop(timeoutMs: 5_000)
  try store.close()
}
