// SPDX-License-Identifier: Apache-2.0

internal import Platform
internal import TimeSeries

// Trying a receiver out: an alert that says it is a test, past the queue, so that the answer is known at once.

/// What came of a test of one receiver.
package struct ReceiverTest: Sendable, Equatable {
  package struct Step: Sendable, Equatable {
    /// Nil where no answer came.
    package let status: Int?
    /// Nil where the receiver took it.
    package let error: String?
    package let durationMs: Int64
  }

  package let receiver: String
  package let kind: Receiver.Kind
  package let place: String
  package let firing: Step
  /// Nil where the one before failed.
  package let resolved: Step?

  package var isTaken: Bool { firing.error == nil && resolved?.error == nil }
}

extension Notifier {
  /// Tells receivers of a test alert that fires, then that it is over; all at the same time. Takes up to some 20 seconds.
  ///
  /// - Parameter name: of one; nil for all.
  /// - Returns: in the order of the settings; empty where there is none of that name.
  package func test(_ name: String?, nowMs: Int64) -> [ReceiverTest] {
    let receivers = receivers.filter { name == nil || $0.name == name }
    let externalURL = externalURL
    let results = Monitor([Int: ReceiverTest]())
    for (index, receiver) in receivers.enumerated() {
      let head = Letterhead(receiver: receiver.name, externalURL: externalURL)
      startThread(named: "notify-test") {
        let result = Self.test(receiver, head, nowMs: nowMs)
        results.change { $0[index] = result }
      }
    }
    // Each of the two requests has a limit of its own.
    let all: [Int: ReceiverTest]? = results.wait { $0.count == receivers.count ? $0 : nil }
    return (all ?? [:]).sorted { $0.key < $1.key }.map(\.value)
  }

  private static func test(_ receiver: Receiver, _ head: Letterhead, nowMs: Int64) -> ReceiverTest {
    let sender = Sender()
    func step(resolvedMs: Int64?) -> ReceiverTest.Step {
      let startedMs = Clock.monotonicMs()
      let notice = testNotice(startsMs: nowMs, resolvedMs: resolvedMs)
      let group = Labels([Label("alertname", notice.name)])
      let answer = sender.send(Message(groupLabels: group, notices: [notice]), to: receiver, head)
      return ReceiverTest.Step(
        status: answer.status, error: answer.outcome.reason, durationMs: Clock.monotonicMs() - startedMs)
    }
    let firing = step(resolvedMs: nil)
    return ReceiverTest(
      receiver: receiver.name, kind: receiver.kind, place: receiver.location.place, firing: firing,
      resolved: firing.error == nil ? step(resolvedMs: Clock.wallMs()) : nil)
  }

  private static func testNotice(startsMs: Int64, resolvedMs: Int64?) -> AlertNotice {
    AlertNotice(
      labels: Labels([Label("alertname", "RampartNotifyTest"), Label("severity", "none")]),
      annotations: [
        .init("summary", "Test of notifications: nothing is wrong"),
        .init("description", "Somebody asked Rampart to try out its receivers."),
      ], startsMs: startsMs, resolvedMs: resolvedMs, validUntilMs: startsMs + 300_000, value: 1, expression: "vector(1)",
      group: "test")
  }
}

extension SendOutcome {
  /// Nil for what was taken.
  var reason: String? {
    switch self {
    case .taken: nil
    case .refused(let reason), .failed(let reason, _): reason
    }
  }
}
