// SPDX-License-Identifier: Apache-2.0

internal import Alerting
internal import Logging
internal import Platform
internal import PromQL
internal import Storage
internal import Synchronization
internal import TimeSeries

// Evaluates rule groups, each at its own times on a grid, keeps the states of alerts on disk and in memory, and records what
// rules give. Which alerts there are is Alerting's to say; who is told of them is for `told` to see to.

/// The rules of a server.
final class RuleService: Sendable {
  /// A group with the alerts that are firing or were resolved lately.
  struct Telling: Sendable {
    let group: RuleGroup
    let state: GroupState
    let evaluatedMs: Int64
    let intervalMs: Int64
    let changes: [AlertChange]
  }

  /// What is known of a group, for those who look.
  struct View: Sendable {
    let group: RuleGroup
    let state: GroupState
    let intervalMs: Int64
    let evaluations: Int64
    let failures: Int64
    let missed: Int64
  }

  fileprivate struct Entry {
    let id: Int
    let group: RuleGroup
    let intervalMs: Int64
    /// Of its times within the interval.
    let offsetMs: Int64
    var state: GroupState
    var nextMs: Int64
    var isRunning = false
    var evaluations: Int64 = 0
    var failures: Int64 = 0
    var missed: Int64 = 0
    /// What could not be written to disk yet.
    var unsaved: [StoredAlertKey: StoredAlert?] = [:]
  }

  fileprivate struct State {
    var entries: [Entry] = []
    var nextID = 0
    /// Series of groups that are gone, to be marked as ended.
    var ended: Set<Labels> = []
  }

  /// A rule that takes longer is failing, so that it delays no other group for long.
  private static let queryTimeoutMs: Int64 = 10_000
  /// Of one query. A rule looks at a few minutes of some thousand series.
  private static let samplesMax = 10_000_000

  private let store: Store
  private let resolutionMs: Int64
  private let externalURL: String
  private let defaultIntervalMs: Int64
  private let logger: Logger
  private let told: @Sendable (Telling) -> Void
  private let worker = Worker(name: "rules", threads: 2, queueMax: 10_000)
  private let state = Mutex(State())

  /// - Parameters:
  ///   - defaultIntervalMs: of groups that name none.
  ///   - told: called after each evaluation, on its thread; must not wait for anybody outside.
  init(
    store: Store, resolutionMs: Int64, defaultIntervalMs: Int64, externalURL: String, logger: Logger,
    told: @escaping @Sendable (Telling) -> Void
  ) {
    self.store = store
    self.resolutionMs = resolutionMs
    self.defaultIntervalMs = defaultIntervalMs
    self.externalURL = externalURL
    self.logger = logger
    self.told = told
  }

  /// Takes over the groups of a start, with the alerts that were kept.
  ///
  /// - Throws: `StoreError`.
  func begin(_ groups: [RuleGroup], nowMs: Int64) throws(StoreError) {
    change(to: groups, nowMs: nowMs)
    var orphans: [StoredAlertKey: StoredAlert?] = [:]
    let kept = try store.alerts()
    state.withLock { state in
      for alert in kept {
        let candidates = state.entries.indices.filter { state.entries[$0].group.name == alert.group }
        let isBack = candidates.contains { index in
          state.entries[index].state.restore(Alert(alert), in: state.entries[index].group)
        }
        // Its rule is gone.
        if !isBack { orphans[alert.key] = .some(nil) }
      }
    }
    if !orphans.isEmpty { try store.save(orphans) }
  }

  /// Takes over other groups; what is known of rules that stay goes on.
  func change(to groups: [RuleGroup], nowMs: Int64) {
    state.withLock { state in
      var old = state.entries
      state.entries = groups.map { group in
        let intervalMs = group.intervalMs ?? defaultIntervalMs
        var entry = Entry(
          id: state.nextID, group: group, intervalMs: intervalMs,
          offsetMs: RuleService.offsetMs(of: group, intervalMs: intervalMs), state: GroupState(group), nextMs: 0)
        state.nextID += 1
        entry.nextMs = entry.time(after: nowMs)
        if let place = old.firstIndex(where: { $0.group.name == group.name && $0.group.file == group.file }) {
          let before = old.remove(at: place)
          entry.state.inherit(before.state, of: before.group, for: group)
          entry.evaluations = before.evaluations
          entry.failures = before.failures
          entry.missed = before.missed
          entry.unsaved = before.unsaved
          state.ended.formUnion(before.state.written.subtracting(entry.state.written))
        }
        return entry
      }
      for entry in old { state.ended.formUnion(entry.state.written) }
    }
  }

  /// Groups do not all come at once: each has its place in the interval (Prometheus: `Group.hash() % interval`).
  private static func offsetMs(of group: RuleGroup, intervalMs: Int64) -> Int64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in "\(group.file);\(group.name)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return Int64(hash % UInt64(intervalMs))
  }

  /// All groups, in the order of their files.
  var views: [View] {
    state.withLock { state in
      state.entries.map {
        View(
          group: $0.group, state: $0.state, intervalMs: $0.intervalMs, evaluations: $0.evaluations, failures: $0.failures,
          missed: $0.missed)
      }
    }
  }

  /// Whether an alert with exactly these labels is pending or firing.
  func hasActiveAlert(_ labels: Labels) -> Bool {
    state.withLock { $0.entries.contains { $0.state.rules.contains { $0.alerts[labels]?.isActive == true } } }
  }

  // MARK: Times

  /// The thread that starts evaluations, not yet started.
  func makeThread() -> RepeatingThread {
    RepeatingThread(name: "rule times", untilNextMs: { self.untilNextMs(Clock.wallMs()) }) { _ in self.tick(Clock.wallMs()) }
  }

  private func untilNextMs(_ nowMs: Int64) -> Int64 {
    let nextMs = state.withLock { $0.entries.map(\.nextMs).min() } ?? nowMs + 1_000
    // Not longer than a second: the clock may be set, and other groups may come.
    return min(max(nextMs - nowMs, 1), 1_000)
  }

  private func tick(_ nowMs: Int64) {
    let due: [(id: Int, atMs: Int64)] = state.withLock { state in
      var due: [(id: Int, atMs: Int64)] = []
      for index in state.entries.indices {
        var entry = state.entries[index]
        // Also where the clock went back: what is far ahead would not be evaluated for long.
        guard entry.nextMs <= nowMs || entry.nextMs > nowMs + 2 * entry.intervalMs else { continue }
        let atMs = entry.time(after: nowMs) - entry.intervalMs
        if entry.nextMs <= nowMs { entry.missed += (atMs - entry.nextMs) / entry.intervalMs }
        entry.nextMs = atMs + entry.intervalMs
        if entry.isRunning {
          entry.missed += 1
        } else {
          entry.isRunning = true
          due.append((entry.id, atMs))
        }
        state.entries[index] = entry
      }
      return due
    }
    for (id, atMs) in due {
      let isQueued = worker.submit { self.evaluate(id, atMs: atMs) }
      if !isQueued { setIdle(id) }
    }
    markEnded(nowMs)
  }

  private func setIdle(_ id: Int) {
    state.withLock { state in
      if let index = state.place(of: id) { state.entries[index].isRunning = false }
    }
  }

  /// Lets evaluations that have begun finish.
  func stop(timeoutMs: Int64) -> Bool { worker.stop(timeoutMs: timeoutMs) }

  // MARK: Evaluation

  private var terms: EvaluationTerms {
    var terms = EvaluationTerms()
    terms.externalURL = externalURL
    terms.engine.subqueryStepMs = defaultIntervalMs
    terms.clockNs = { Clock.monotonicNs() }
    terms.limits = { .within(RuleService.queryTimeoutMs, samplesMax: RuleService.samplesMax) }
    return terms
  }

  private func evaluate(_ id: Int, atMs: Int64) {
    guard let entry = state.withLock({ state in state.place(of: id).map { state.entries[$0] } }) else { return }
    var groupState = entry.state
    var outcome = GroupOutcome()
    do throws(StoreError) {
      outcome = try store.reading("evaluate rules") { snapshot in
        let source = StoreSource(snapshot, asOfMs: max(atMs, Clock.wallMs()), widthMs: resolutionMs)
        return GroupEvaluation<StoreSource>.run(entry.group, &groupState, atMs: atMs, over: source, terms)
      }
    } catch {
      groupState.fail("\(error)", atMs: atMs)
    }
    var unsaved = entry.unsaved
    for (key, alert) in outcome.saves(of: entry.group.name) { unsaved[key] = .some(alert) }
    // Before anybody hears of it.
    unsaved = save(unsaved)
    let failures = groupState.rules.count { $0.health.isFailing }
    log(entry, groupState)
    let isCurrent = state.withLock { state in
      guard let index = state.place(of: id) else { return false }
      state.entries[index].state = groupState
      state.entries[index].isRunning = false
      state.entries[index].evaluations += Int64(entry.group.rules.count)
      state.entries[index].failures += Int64(failures)
      state.entries[index].unsaved = unsaved
      return true
    }
    record(outcome.samples, of: id, atMs: atMs)
    // Its successor has its alerts, as of before.
    guard isCurrent else { return }
    told(
      Telling(
        group: entry.group, state: groupState, evaluatedMs: atMs, intervalMs: entry.intervalMs, changes: outcome.changes))
  }

  /// - Returns: what has to be tried again.
  private func save(_ changes: [StoredAlertKey: StoredAlert?]) -> [StoredAlertKey: StoredAlert?] {
    guard !changes.isEmpty else { return changes }
    do throws(StoreError) {
      try store.save(changes)
      return [:]
    } catch {
      logger.error("alerts: \(error): their states are kept in memory and written with the next evaluation")
      return changes
    }
  }

  /// - Parameter id: of the group that gave them; nil for what no group gives any more.
  private func record(_ samples: [RuleSample], of id: Int?, atMs: Int64) {
    guard !samples.isEmpty else { return }
    let submission = Submission(samples: samples.map { ($0.labels, $0.timeMs, $0.value) }, receivedMs: atMs)
    do throws(StoreError) {
      try store.submit(submission) { outcome in
        if case .failure(let error) = outcome { self.lost(error, of: id) }
      }
    } catch {
      lost(error, of: id)
    }
  }

  private func lost(_ error: StoreError, of id: Int?) {
    logger.warning("rules: samples are lost: \(error)")
    state.withLock { state in
      guard let index = id.flatMap({ state.place(of: $0) }) else { return }
      state.entries[index].state.failWriting("samples are lost: \(error)")
    }
  }

  private func markEnded(_ nowMs: Int64) {
    let ended = state.withLock { state in
      defer { state.ended = [] }
      // What another group gives is not at its end.
      return state.entries.reduce(into: state.ended) { $0.subtract($1.state.written) }
    }
    record(ended.sorted().map { RuleSample(labels: $0, timeMs: nowMs, value: StaleMarker.value) }, of: nil, atMs: nowMs)
  }

  /// A failure is told when it begins and when it is another.
  private func log(_ entry: Entry, _ state: GroupState) {
    for (rule, (before, after)) in zip(entry.group.rules, zip(entry.state.rules, state.rules)) where before.health != after.health {
      switch after.health {
      case .failing(let reason):
        logger.warning("rule \(rule.name) of \(entry.group.name): \(reason)")
      case .ok where before.health != .unknown: logger.info("rule \(rule.name) of \(entry.group.name): evaluated again")
      case .ok, .unknown: break
      }
    }
  }
}

extension RuleService.State {
  fileprivate func place(of id: Int) -> Int? { entries.firstIndex { $0.id == id } }
}

extension RuleService.Entry {
  /// The next of its times.
  fileprivate func time(after nowMs: Int64) -> Int64 { floor(nowMs - offsetMs, to: intervalMs) + offsetMs + intervalMs }
}

extension RuleState.Health {
  var isFailing: Bool {
    if case .failing = self { return true }
    return false
  }
}

extension GroupOutcome {
  /// What is to be kept and forgotten.
  fileprivate func saves(of group: String) -> [StoredAlertKey: StoredAlert?] {
    var saves: [StoredAlertKey: StoredAlert?] = [:]
    for change in changes {
      let key = StoredAlertKey(group: group, labels: change.alert.labels)
      saves[key] = .some(change.change == .dropped ? nil : StoredAlert(change.alert, group: group))
    }
    for alert in forgotten { saves[StoredAlertKey(group: group, labels: alert.labels)] = .some(nil) }
    return saves
  }
}

extension StoredAlert {
  fileprivate var key: StoredAlertKey { StoredAlertKey(group: group, labels: labels) }

  fileprivate init(_ alert: Alert, group: String) {
    self.init(
      group: group, labels: alert.labels, annotations: alert.annotations.map { Label($0.name, $0.value) }, value: alert.value,
      activeMs: alert.activeMs)
    switch alert.phase {
    case .pending: break
    case .firing(let sinceMs, let keptSinceMs): (firedMs, self.keptSinceMs) = (sinceMs, keptSinceMs)
    case .resolved(let firedMs, let atMs): (self.firedMs, resolvedMs) = (firedMs, atMs)
    }
  }
}

extension Alert {
  fileprivate init(_ stored: StoredAlert) {
    let phase: Phase =
      switch (stored.firedMs, stored.resolvedMs) {
      case (nil, _): .pending
      case (let firedMs?, nil): .firing(sinceMs: firedMs, keptSinceMs: stored.keptSinceMs)
      case (let firedMs?, let atMs?): .resolved(firedMs: firedMs, atMs: atMs)
      }
    self.init(
      labels: stored.labels, annotations: stored.annotations.map { Annotation($0.name, $0.value) }, value: stored.value,
      activeMs: stored.activeMs, phase: phase)
  }
}
