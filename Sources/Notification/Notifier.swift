// SPDX-License-Identifier: Apache-2.0

internal import Platform
internal import TimeSeries

// The way in: takes what the evaluator says of alerts, hands it to every receiver's outbox, and writes what they have to
// keep. An alert is sent after it was written, so what was due when the process died is sent by the next.

/// Tells receivers of alerts. Every method may be called from any thread.
package final class Notifier: Sendable {
  private struct State: Sendable {
    /// In the order of the settings.
    var channels: [ReceiverChannel] = []
    var silences = SilenceSet()
    var externalURL = ""
    var records = NotificationRecords()
    var wantsWriting = false
    var isStopping = false
    var hasEnded = false
  }

  /// Of one transaction: some ten milliseconds, in which ingest waits.
  private static let rowsMax = 1_000

  private let store: any NotificationStore
  private let log: @Sendable (NotificationEvent) -> Void
  private let state: Monitor<State>
  /// The rule groups there are, once that was said; held while alerts are taken, so that none of a group that goes is
  /// told after it went.
  private let groups = Monitor<Set<String>?>(nil)

  /// Reads what was kept. Nothing is sent before `start`.
  package init(store: any NotificationStore, log: @escaping @Sendable (NotificationEvent) -> Void) throws {
    self.store = store
    self.log = log
    state = Monitor(State(records: try store.load()))
  }

  /// Begins to send; once.
  ///
  /// - Parameter externalURL: where people reach this server, for links.
  package func start(_ receivers: [Receiver], externalURL: String) throws {
    state.withLock { $0.externalURL = externalURL.hasSuffix("/") ? String(externalURL.dropLast()) : externalURL }
    try change(to: receivers)
    // Of receivers that are no more.
    state.withLock { $0.records = NotificationRecords() }
    startThread(named: "notifier") { self.run() }
  }

  /// Takes over other receivers. One whose name stays keeps what it was told and what waits for it.
  package func change(to receivers: [Receiver]) throws {
    try store.keepReceivers(receivers.map(\.name))
    let leaving = state.change { state in
      let old = Dictionary(uniqueKeysWithValues: state.channels.map { ($0.name, $0) })
      state.channels = receivers.map { receiver in
        if let channel = old[receiver.name] {
          if channel.receiver != receiver { channel.change(to: receiver) }
          return channel
        }
        let channel = makeChannel(receiver, state)
        channel.start()
        return channel
      }
      let names = Set(receivers.map(\.name))
      return old.values.filter { !names.contains($0.name) }
    }
    for channel in leaving { channel.stop() }
  }

  private func makeChannel(_ receiver: Receiver, _ state: State) -> ReceiverChannel {
    let queued = state.records.queued.filter { $0.receiver == receiver.name }.compactMap { record in
      AlertNotice(document: record.document).map { (record.id, $0) }
    }
    let told = state.records.told.filter { $0.key.receiver == receiver.name }.compactMap { record in
      AlertNotice(document: record.document).map {
        Outbox.Told(notice: $0, toldMs: record.toldMs, isSilenced: record.isSilenced)
      }
    }
    return ReceiverChannel(
      receiver, Outbox(receiver.kind, queued: queued, told: told), externalURL: state.externalURL, log: log
    ) { [state = self.state] in state.change { $0.wantsWriting = true } }
  }

  // MARK: Alerts

  /// Says how the alerts of a rule group are: after every evaluation, all that fire and those that were resolved within
  /// the last 15 minutes. One that is no longer named and was not resolved counts as resolved now. Costs some
  /// microseconds for each alert and receiver, and waits neither for the disk nor for the network.
  ///
  /// - Parameter group: the same text for the same group after a restart; unique over all rule files.
  package func update(group: String, _ notices: [AlertNotice], nowMs: Int64) {
    let (channels, silences) = state.withLock { ($0.channels, $0.silences) }
    guard !channels.isEmpty else { return }
    let active = silences.active(atMs: nowMs)
    // Two rules may give the same alert; that it fires counts.
    let judged = (notices.filter(\.isFiring) + notices.filter { !$0.isFiring }).map { notice in
      var own = notice
      own.group = group
      return JudgedNotice(own, isSilenced: !active.isEmpty && active.matches(notice.labels))
    }
    let moment = Moment(wallMs: nowMs, monotonicMs: Clock.monotonicMs())
    groups.withLock { groups in
      guard groups?.contains(group) != false else { return }
      for channel in channels { channel.take(group, judged, at: moment) }
    }
  }

  /// Says which rule groups there are, after rule files were read: alerts of others are told as resolved.
  package func keep(groups: Set<String>, nowMs: Int64) {
    let moment = Moment(wallMs: nowMs, monotonicMs: Clock.monotonicMs())
    self.groups.withLock { known in
      known = groups
      for channel in state.withLock({ $0.channels }) { channel.keep(groups: groups, at: moment) }
    }
  }

  // MARK: Silences

  /// Takes over all silences that are not over.
  package func set(_ silences: [Silence], nowMs: Int64) {
    let set = SilenceSet(silences)
    let channels = state.withLock { state in
      state.silences = set
      return state.channels
    }
    let active = set.active(atMs: nowMs)
    if !active.isEmpty { for channel in channels { channel.withdraw(active) } }
  }

  /// The silences and acknowledgements in force.
  package func silences(atMs nowMs: Int64) -> SilenceSet { state.withLock { $0.silences }.active(atMs: nowMs) }

  // MARK: Seeing

  /// In the order of the settings.
  package var statuses: [ReceiverStatus] { state.withLock { $0.channels }.map(\.status) }

  package var receivers: [Receiver] { state.withLock { $0.channels }.map(\.receiver) }

  package var externalURL: String { state.withLock { $0.externalURL } }

  // MARK: Writing

  /// Lets requests that are under way finish, as long as that takes no longer than `timeoutMs`, and writes what is to be
  /// kept. A request that takes longer is repeated after the next start.
  ///
  /// - Returns: false when it could not be written in time.
  package func stop(timeoutMs: Int64) -> Bool {
    let channels = state.withLock { $0.channels }
    for channel in channels { channel.stop() }
    let deadlineMs = Clock.monotonicMs() + timeoutMs
    for channel in channels { _ = channel.wait(timeoutMs: max(deadlineMs - Clock.monotonicMs(), 0)) }
    state.change { $0.isStopping = true }
    return state.wait(timeoutMs: timeoutMs) { $0.hasEnded ? true : nil } ?? false
  }

  private func run() {
    while true {
      let isStopping: Bool? = state.wait { state in
        guard state.wantsWriting || state.isStopping else { return nil }
        state.wantsWriting = false
        return state.isStopping
      }
      writeChanges()
      if isStopping == true { break }
    }
    state.change { $0.hasEnded = true }
  }

  private func writeChanges() {
    for channel in state.withLock({ $0.channels }) {
      guard let (changes, throughID) = channel.takeChanges() else { continue }
      var unremoved: [Int64] = []
      do {
        for part in write(of: changes, channel.name).parts(rowsMax: Self.rowsMax) { try store.write(part) }
      } catch {
        // That the disk is full is what somebody may have to be told of, so nothing waits for it.
        log(.notWritten(reason: "\(error)"))
        unremoved = changes.removed
      }
      channel.written(through: throughID, unremoved: unremoved)
    }
  }

  private func write(of changes: Outbox.Changes, _ receiver: String) -> NotificationWrite {
    var write = NotificationWrite()
    write.queued = changes.queued.sorted { $0.key < $1.key }
      .map { QueuedRecord(receiver: receiver, id: $0.key, document: $0.value.document) }
    write.removed = changes.removed.map { .init(receiver: receiver, id: $0) }
    for (place, told) in changes.told {
      let key = ToldKey(receiver: receiver, group: place.group, alert: place.labels.description)
      guard let told else {
        write.forgotten.append(key)
        continue
      }
      write.told.append(
        ToldRecord(key: key, toldMs: told.toldMs, isSilenced: told.isSilenced, document: told.notice.document))
    }
    return write
  }
}
