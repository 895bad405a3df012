// SPDX-License-Identifier: Apache-2.0

internal import Platform
internal import TimeSeries

// A receiver with its outbox and the thread that sends: each has its own, so that one that is dead or slow delays no
// other. The thread holds no lock while it waits for the network.

final class ReceiverChannel: Sendable {
  private struct State: Sendable {
    var receiver: Receiver
    var outbox: Outbox
    /// Raised by whatever may give the thread something to do.
    var changes = 0
    var isStopping = false
    var hasEnded = false
    var lastTakenMs: Int64?
    var lastError: String?
  }

  /// Asked again at least this often, should the clock jump.
  private static let longestWaitMs: Int64 = 60_000

  let name: String
  private let externalURL: String
  private let log: @Sendable (NotificationEvent) -> Void
  /// Told when there is something to be written.
  private let wantsWriting: @Sendable () -> Void
  private let state: Monitor<State>

  init(
    _ receiver: Receiver, _ outbox: Outbox, externalURL: String, log: @escaping @Sendable (NotificationEvent) -> Void,
    wantsWriting: @escaping @Sendable () -> Void
  ) {
    name = receiver.name
    self.externalURL = externalURL
    self.log = log
    self.wantsWriting = wantsWriting
    state = Monitor(State(receiver: receiver, outbox: outbox))
  }

  func start() {
    startThread(named: "notify") { self.run() }
  }

  /// Ends the thread after the request that is under way.
  func stop() { state.change { $0.isStopping = true } }

  /// - Returns: false when a request took longer. It counts as not taken then, and is repeated after the next start.
  func wait(timeoutMs: Int64) -> Bool { state.wait(timeoutMs: timeoutMs) { $0.hasEnded ? true : nil } ?? false }

  var receiver: Receiver { state.withLock { $0.receiver } }

  /// Takes over new settings of the same name, with what waits.
  func change(to receiver: Receiver) {
    change { state in
      state.receiver = receiver
      state.outbox.manner = Manner(receiver.kind)
      state.outbox.forget { !receiver.wants($0) }
      // What was wrong may be mended now.
      state.outbox.notBeforeMs = 0
    }
  }

  func take(_ group: String, _ notices: [JudgedNotice], at moment: Moment) {
    change { state in
      let receiver = state.receiver
      let wanted = receiver.matchers.isEmpty ? notices : notices.filter { receiver.wants($0.notice.labels) }
      state.outbox.take(group, wanted, at: moment)
    }
  }

  func keep(groups: Set<String>, at moment: Moment) { change { $0.outbox.keep(groups: groups, at: moment) } }

  func withdraw(_ silences: SilenceSet) { change { $0.outbox.withdraw { silences.matches($0) } } }

  private func change(_ body: (inout State) -> Void) {
    let hasChanges = state.change { state in
      body(&state)
      state.changes += 1
      return state.outbox.hasChanges
    }
    if hasChanges { wantsWriting() }
  }

  // MARK: Writing

  /// What is not on disk yet, and up to which entry that reaches; nil where everything is.
  func takeChanges() -> (changes: Outbox.Changes, throughID: Int64)? {
    state.withLock { $0.outbox.hasChanges ? $0.outbox.takeChanges() : nil }
  }

  /// - Parameter unremoved: entries that are still on disk and should not be.
  func written(through id: Int64, unremoved: [Int64]) {
    state.change { state in
      state.outbox.written(through: id)
      state.outbox.keepForLater(removed: unremoved)
      state.changes += 1
    }
  }

  // MARK: Sending

  private func run() {
    let sender = Sender()
    while let (batch, receiver) = nextBatch() {
      let answer = sender.send(batch.message, to: receiver, Letterhead(receiver: name, externalURL: externalURL))
      finished(batch, answer)
    }
    state.change { $0.hasEnded = true }
  }

  /// Waits for one; nil at the end.
  private func nextBatch() -> (Outbox.Batch, Receiver)? {
    while true {
      enum Turn { case end, send(Outbox.Batch, Receiver), wait(ms: Int64, changes: Int) }
      let nowMs = Clock.monotonicMs()
      let turn: Turn = state.withLock { state in
        if state.isStopping { return .end }
        switch state.outbox.next(at: Moment(wallMs: Clock.wallMs(), monotonicMs: nowMs)) {
        case .send(let batch): return .send(batch, state.receiver)
        case .wait(let untilMs):
          let ms = untilMs.map { max($0 - nowMs, 1) } ?? Self.longestWaitMs
          return .wait(ms: min(ms, Self.longestWaitMs), changes: state.changes)
        }
      }
      switch turn {
      case .end: return nil
      case .send(let batch, let receiver): return (batch, receiver)
      case .wait(let ms, let changes):
        _ = state.wait(timeoutMs: ms) { $0.changes != changes || $0.isStopping ? true : nil }
      }
    }
  }

  private func finished(_ batch: Outbox.Batch, _ answer: Sender.Answer) {
    let moment = Moment(wallMs: Clock.wallMs(), monotonicMs: Clock.monotonicMs())
    let consequence = state.withLock { state in
      let consequence = state.outbox.finished(batch, answer.outcome, at: moment, random: Double.random(in: 0...1))
      switch consequence {
      case .taken:
        state.lastTakenMs = moment.wallMs
        state.lastError = nil
      case .retried(let reason, _), .dropped(let reason, _): state.lastError = reason
      }
      return consequence
    }
    wantsWriting()
    switch consequence {
    case .taken(_, let isRecovery): if isRecovery { log(.recovered(receiver: name)) }
    case .retried(let reason, let inMs): log(.failed(receiver: name, reason: reason, againInMs: inMs))
    case .dropped(let reason, let alerts): log(.dropped(receiver: name, reason: reason, alerts: alerts))
    }
  }

  // MARK: Seeing

  var status: ReceiverStatus {
    state.withLock { state in
      ReceiverStatus(
        name: name, kind: state.receiver.kind, place: state.receiver.location.place, sent: state.outbox.counts.sent,
        failed: state.outbox.counts.failed, dropped: state.outbox.counts.dropped, queued: state.outbox.queue.count,
        lastTakenMs: state.lastTakenMs, lastError: state.lastError)
    }
  }
}

/// How a receiver is doing.
package struct ReceiverStatus: Sendable, Equatable {
  package let name: String
  package let kind: Receiver.Kind
  /// Host and port, or the name of the file that holds them.
  package let place: String
  /// Alerts taken since the start.
  package let sent: Int64
  /// Requests that were not taken since the start.
  package let failed: Int64
  /// Alerts given up since the start.
  package let dropped: Int64
  /// Alerts that wait.
  package let queued: Int
  package let lastTakenMs: Int64?
  /// Of the last request; nil where that was taken.
  package let lastError: String?
}

/// What is worth a line in the log.
package enum NotificationEvent: Sendable, Equatable {
  case failed(receiver: String, reason: String, againInMs: Int64)
  case dropped(receiver: String, reason: String, alerts: Int)
  case recovered(receiver: String)
  /// What waits is sent all the same, and told again after a restart.
  case notWritten(reason: String)
}
