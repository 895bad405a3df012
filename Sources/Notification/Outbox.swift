// SPDX-License-Identifier: Apache-2.0

package import TimeSeries

// What one receiver has been told, and what waits for it. A value: it takes what the evaluator says and the time, decides
// what of it is news, and says what has to be kept. Who sends and who writes is elsewhere (ReceiverChannel, Notifier).
//
// It goes by levels and not by edges: what is told follows from what the alerts are and what the receiver knows. So
// whatever was lost between the evaluator and the disk in a crash is told when the alert is looked at again.

/// The two clocks at one moment.
package struct Moment: Sendable {
  package let wallMs: Int64
  package let monotonicMs: Int64

  package init(wallMs: Int64, monotonicMs: Int64) {
    self.wallMs = wallMs
    self.monotonicMs = monotonicMs
  }
}

/// An alert and whether a silence holds it back.
package struct JudgedNotice: Sendable {
  package let notice: AlertNotice
  package let isSilenced: Bool

  package init(_ notice: AlertNotice, isSilenced: Bool) {
    self.notice = notice
    self.isSilenced = isSilenced
  }
}

package struct Outbox: Sendable {
  /// Most alerts that wait for a receiver; of more the oldest are dropped.
  package static let queueMax = 10_000
  /// Most alerts of which it is remembered what a receiver knows; beyond them none is told.
  package static let alertsMax = 50_000

  /// An alert that is to be sent.
  package struct Entry: Sendable, Equatable {
    package let id: Int64
    package var notice: AlertNotice
    package let dueMonotonicMs: Int64
    /// Whether it is kept on disk; what is repeated within a minute anyway is not.
    package var isKept: Bool
    /// Whether the receiver knows it already.
    package let isRepetition: Bool
  }

  /// What a receiver knows of an alert, or will when its queue is empty.
  package struct Told: Sendable, Equatable {
    package var notice: AlertNotice
    package var toldMs: Int64
    /// Held back since it was told; it is told again when that ends.
    package var isSilenced: Bool

    package init(notice: AlertNotice, toldMs: Int64, isSilenced: Bool = false) {
      self.notice = notice
      self.toldMs = toldMs
      self.isSilenced = isSilenced
    }
  }

  package struct Counts: Sendable, Equatable {
    /// Alerts taken by the receiver.
    package var sent: Int64 = 0
    /// Requests that were not.
    package var failed: Int64 = 0
    /// Alerts given up: refused, or too many.
    package var dropped: Int64 = 0
  }

  /// What is not on disk yet.
  package struct Changes: Sendable {
    package var queued: [Int64: AlertNotice] = [:]
    package var removed: [Int64] = []
    /// Nil forgets.
    package var told: [ToldPlace: Told?] = [:]

    package var isEmpty: Bool { queued.isEmpty && removed.isEmpty && told.isEmpty }
  }

  package struct ToldPlace: Sendable, Hashable {
    package let group: String
    package let labels: Labels
  }

  package var manner: Manner
  /// Ascending by id.
  package var queue: [Entry] = []
  /// By rule group.
  package private(set) var told: [String: [Labels: Told]] = [:]
  private var toldCount = 0
  /// The last entry of each alert in the queue.
  private var newest: [Labels: Int64] = [:]
  private var lastID: Int64 = 0
  /// Entries up to here are on disk, or cannot be brought there, and may be sent.
  package private(set) var writtenThrough: Int64 = 0
  /// Entries up to here were given out to be written.
  private var takenThrough: Int64 = 0
  private var changes = Changes()
  package var inFlight: Set<Int64> = []
  package var counts = Counts()
  package var backOff = BackOff()
  /// In a row, of the alerts at the head of the queue.
  package var refusals = 0
  /// Monotonic; nothing is sent before.
  package var notBeforeMs: Int64 = 0

  package init(_ kind: Receiver.Kind) {
    manner = Manner(kind)
  }

  /// As it was kept.
  ///
  /// - Parameter queued: ascending by id.
  package init(_ kind: Receiver.Kind, queued: [(id: Int64, notice: AlertNotice)], told records: [Told]) {
    self.init(kind)
    for (id, notice) in queued {
      queue.append(Entry(id: id, notice: notice, dueMonotonicMs: 0, isKept: true, isRepetition: false))
      newest[notice.labels] = id
    }
    lastID = queued.last?.id ?? 0
    writtenThrough = lastID
    takenThrough = lastID
    for record in records { told[record.notice.group, default: [:]][record.notice.labels] = record }
    toldCount = told.values.reduce(0) { $0 + $1.count }
  }

  // MARK: What is said of alerts

  /// Takes all alerts of a rule group as they are now; those it had before and no longer names are over. Where an alert is
  /// named twice, the first counts.
  package mutating func take(_ group: String, _ notices: [JudgedNotice], at moment: Moment) {
    var before = told[group] ?? [:]
    toldCount -= before.count
    var after: [Labels: Told] = [:]
    var seen: Set<Labels> = []
    // Of what is said twice the first counts.
    for judged in notices where seen.insert(judged.notice.labels).inserted {
      let old = before.removeValue(forKey: judged.notice.labels)
      guard old != nil || toldCount + after.count + before.count < Self.alertsMax else {
        counts.dropped += 1
        continue
      }
      after[judged.notice.labels] = judged.notice.isFiring
        ? firing(judged, old, at: moment) : resolved(judged.notice, old, isSilenced: judged.isSilenced, at: moment)
    }
    for old in before.values where old.notice.isFiring {
      // Its rule is gone, or its series while nobody looked.
      var notice = old.notice
      notice.resolvedMs = moment.wallMs
      _ = resolved(notice, old, isSilenced: false, at: moment)
    }
    told[group] = after.isEmpty ? nil : after
    toldCount += after.count
    trim()
  }

  /// Ends all alerts of groups that are no more.
  package mutating func keep(groups: Set<String>, at moment: Moment) {
    for group in Array(told.keys) where !groups.contains(group) { take(group, [], at: moment) }
  }

  private mutating func firing(_ judged: JudgedNotice, _ old: Told?, at moment: Moment) -> Told? {
    let notice = judged.notice
    guard var known = old, known.notice.isFiring, known.notice.startsMs == notice.startsMs else {
      // What is held back from the beginning is not told, so nobody has to be told of its end.
      return judged.isSilenced ? nil : tell(notice, isRepetition: false, at: moment)
    }
    if judged.isSilenced {
      if !known.isSilenced {
        known.isSilenced = true
        remember(known)
      }
      // An Alertmanager that hears nothing would say that the alert is over, which is not so.
      guard manner.isStateful, moment.wallMs - known.toldMs >= manner.repeatMs else { return known }
      var told = tell(notice, isRepetition: true, at: moment)
      told.isSilenced = true
      return told
    }
    if known.isSilenced { return tell(notice, isRepetition: true, at: moment) }
    let isDue = moment.wallMs - known.toldMs >= manner.repeatMs
    // One that has not been taken yet is no news, except that an Alertmanager wants the latest.
    guard isDue, manner.isStateful || newest[notice.labels] == nil else {
      known.notice = notice
      return known
    }
    return tell(notice, isRepetition: true, at: moment)
  }

  /// - Returns: what is to be remembered; only an Alertmanager is told again, for as long as the evaluator names it.
  private mutating func resolved(_ notice: AlertNotice, _ old: Told?, isSilenced: Bool, at moment: Moment) -> Told? {
    if let old, old.notice.isFiring {
      changes.told[ToldPlace(group: notice.group, labels: notice.labels)] = .some(nil)
      // Whoever was told that it fires is told that it is over, silence or not.
      enqueue(notice, isKept: true, isRepetition: false, at: moment)
    } else if !manner.isStateful {
      return nil
    } else if let old, moment.wallMs - old.toldMs < manner.repeatMs {
      return old
    } else if old == nil, isSilenced {
      return nil
    } else {
      enqueue(notice, isKept: false, isRepetition: true, at: moment)
    }
    return manner.isStateful ? Told(notice: notice, toldMs: moment.wallMs) : nil
  }

  private mutating func tell(_ notice: AlertNotice, isRepetition: Bool, at moment: Moment) -> Told {
    let isKept = !isRepetition || !manner.isStateful
    enqueue(notice, isKept: isKept, isRepetition: isRepetition, at: moment)
    let known = Told(notice: notice, toldMs: moment.wallMs)
    if isKept { remember(known) }
    return known
  }

  private mutating func remember(_ known: Told) {
    changes.told[ToldPlace(group: known.notice.group, labels: known.notice.labels)] = .some(known)
  }

  // MARK: The queue

  private mutating func enqueue(_ notice: AlertNotice, isKept: Bool, isRepetition: Bool, at moment: Moment) {
    if manner.isStateful, let id = newest[notice.labels], !inFlight.contains(id), let index = index(of: id) {
      queue[index].notice = notice
      queue[index].isKept = queue[index].isKept || isKept
      if isKept { changes.queued[id] = notice }
      return
    }
    lastID += 1
    queue.append(
      Entry(id: lastID, notice: notice, dueMonotonicMs: moment.monotonicMs, isKept: isKept, isRepetition: isRepetition))
    newest[notice.labels] = lastID
    if isKept { changes.queued[lastID] = notice }
  }

  private func index(of id: Int64) -> Int? {
    var low = 0, high = queue.count
    while low < high {
      let middle = (low + high) / 2
      if queue[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low < queue.count && queue[low].id == id ? low : nil
  }

  /// Drops the oldest of what is too much.
  private mutating func trim() {
    var excess = queue.count - Self.queueMax
    guard excess > 0 else { return }
    var dropped: Set<Int64> = []
    for entry in queue where excess > 0 && !inFlight.contains(entry.id) {
      dropped.insert(entry.id)
      excess -= 1
    }
    remove(dropped)
    counts.dropped += Int64(dropped.count)
  }

  package mutating func remove(_ ids: Set<Int64>) {
    for entry in queue where ids.contains(entry.id) {
      if newest[entry.notice.labels] == entry.id { newest[entry.notice.labels] = nil }
      changes.queued[entry.id] = nil
      if entry.isKept, entry.id <= takenThrough { changes.removed.append(entry.id) }
    }
    queue.removeAll { ids.contains($0.id) }
  }

  /// Takes back what waits and is held back from now on: that an alert fires, where nothing follows in the queue.
  package mutating func withdraw(_ isSilenced: (Labels) -> Bool) {
    var withdrawn: Set<Int64> = []
    for entry in queue where entry.notice.isFiring && newest[entry.notice.labels] == entry.id && !inFlight.contains(entry.id) {
      guard isSilenced(entry.notice.labels) else { continue }
      withdrawn.insert(entry.id)
      guard !entry.isRepetition else { continue }
      // It counts as never told.
      if told[entry.notice.group]?.removeValue(forKey: entry.notice.labels) != nil { toldCount -= 1 }
      changes.told[ToldPlace(group: entry.notice.group, labels: entry.notice.labels)] = .some(nil)
    }
    remove(withdrawn)
  }

  /// Forgets alerts that the receiver no longer wants, without a word.
  package mutating func forget(_ isUnwanted: (Labels) -> Bool) {
    for (group, alerts) in told {
      for labels in alerts.keys where isUnwanted(labels) {
        told[group]?[labels] = nil
        toldCount -= 1
        changes.told[ToldPlace(group: group, labels: labels)] = .some(nil)
      }
    }
    let unwanted = queue.filter { isUnwanted($0.notice.labels) && !inFlight.contains($0.id) }
    remove(Set(unwanted.map(\.id)))
  }

  // MARK: The disk

  package var hasChanges: Bool { !changes.isEmpty || writtenThrough < lastID }

  /// What is to be written, and up to which entry it reaches.
  package mutating func takeChanges() -> (changes: Changes, throughID: Int64) {
    defer { changes = Changes() }
    takenThrough = lastID
    return (changes, lastID)
  }

  /// What was taken is on disk, or cannot be brought there: it may be sent either way.
  package mutating func written(through id: Int64) { writtenThrough = max(writtenThrough, id) }

  /// Removals that could not be written are tried again, or the entries would be sent again after a restart.
  package mutating func keepForLater(removed: [Int64]) { changes.removed += removed }
}
