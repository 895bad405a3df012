// SPDX-License-Identifier: Apache-2.0

import Notification
import TimeSeries

// Short ways to say what an alert is, and what an outbox does with it.

/// 2026-11-21T10:00:00Z.
let noonMs: Int64 = 1_795_255_200_000

extension AlertNotice {
  /// - Parameter labels: of `alertname` first, then `cache`.
  init(_ name: String, cache: String = "profile", startsMs: Int64 = noonMs, resolvedMs: Int64? = nil, value: Double = 0.25) {
    self.init(
      labels: Labels([Label("alertname", name), Label("cache", cache), Label("severity", "warning")]),
      annotations: [.init("summary", "\(name) of \(cache)")], startsMs: startsMs, resolvedMs: resolvedMs,
      validUntilMs: startsMs + 240_000, value: value, expression: "ratio < 0.5", group: "cache")
  }

  func resolved(at resolvedMs: Int64) -> AlertNotice {
    var copy = self
    copy.resolvedMs = resolvedMs
    return copy
  }

  /// `HitRatioLow/profile firing`.
  var told: String { "\(name)/\(labels["cache"] ?? "") \(isFiring ? "firing" : "resolved")" }
}

/// An outbox with a clock, whose disk is quick.
struct Post {
  var outbox: Outbox
  var nowMs: Int64 = noonMs
  /// What was written, by id.
  var disk: [Int64: AlertNotice] = [:]
  var toldOnDisk: [Outbox.ToldPlace: Outbox.Told] = [:]

  init(_ kind: Receiver.Kind) { outbox = Outbox(kind) }

  var moment: Moment { Moment(wallMs: nowMs, monotonicMs: nowMs - noonMs + 1_000_000) }

  mutating func take(_ notices: [AlertNotice], group: String = "cache", silenced: Set<String> = []) {
    outbox.take(group, notices.map { JudgedNotice($0, isSilenced: silenced.contains($0.labels["cache"] ?? "")) }, at: moment)
    write()
  }

  mutating func write() {
    let (changes, through) = outbox.takeChanges()
    for (id, notice) in changes.queued { disk[id] = notice }
    for id in changes.removed { disk[id] = nil }
    for (place, told) in changes.told { toldOnDisk[place] = told }
    outbox.written(through: through)
  }

  /// Waits until something can be sent, for at most a minute, and sends it.
  mutating func next() -> Outbox.Batch? {
    switch outbox.next(at: moment) {
    case .send(let batch): return batch
    case .wait(nil): return nil
    case .wait(let untilMs?):
      let waitMs = untilMs - moment.monotonicMs
      guard waitMs <= 60_000 else { return nil }
      nowMs += waitMs
      if case .send(let batch) = outbox.next(at: moment) { return batch }
      return nil
    }
  }

  mutating func finish(_ batch: Outbox.Batch, _ outcome: SendOutcome = .taken) -> Outbox.Consequence {
    defer { write() }
    return outbox.finished(batch, outcome, at: moment, random: 0.5)
  }

  /// Sends everything to a receiver that takes it: a list for each message.
  mutating func sendAll() -> [[String]] {
    var messages: [[String]] = []
    while let batch = next() {
      messages.append(batch.message.notices.map(\.told))
      _ = finish(batch)
    }
    return messages
  }

  /// As the next process finds it.
  func restarted(_ kind: Receiver.Kind) -> Post {
    var next = Post(kind)
    next.outbox = Outbox(
      kind, queued: disk.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, told: Array(toldOnDisk.values))
    (next.nowMs, next.disk, next.toldOnDisk) = (nowMs, disk, toldOnDisk)
    return next
  }
}
