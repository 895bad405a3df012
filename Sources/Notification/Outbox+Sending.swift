// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// Which alerts go out together and when, and what follows from the receiver's answer.

/// How a receiver answered a message.
package enum SendOutcome: Sendable, Equatable {
  case taken
  /// It would refuse the same message again, by its status.
  case refused(String)
  /// Passes by itself, or by an operator's doing.
  case failed(String, retryAfterMs: Int64?)
}

extension Outbox {
  /// How often a message that is refused is sent, some 15 seconds in all: long enough for what restarts, short enough
  /// for what waits behind it.
  package static let refusalsMax = 5

  package struct Batch: Sendable, Equatable {
    package let ids: Set<Int64>
    package let message: Message
  }

  package enum Turn: Sendable, Equatable {
    case send(Batch)
    /// Monotonic; nil until something is said or written.
    case wait(untilMs: Int64?)
  }

  /// What follows from an answer, for the log.
  package enum Consequence: Sendable, Equatable {
    case taken(alerts: Int, isRecovery: Bool)
    case retried(reason: String, inMs: Int64)
    case dropped(reason: String, alerts: Int)
  }

  /// What is to be done now. What it says to send is in flight until `finished`.
  package mutating func next(at moment: Moment) -> Turn {
    let ready = queue.prefix { $0.id <= writtenThrough }
    guard let first = ready.first else { return .wait(untilMs: nil) }
    let dueMs = max(notBeforeMs, first.dueMonotonicMs + manner.gatheringMs)
    guard moment.monotonicMs >= dueMs else { return .wait(untilMs: dueMs) }
    let batch = batch(of: ready)
    inFlight = batch.ids
    return .send(batch)
  }

  /// - Parameter random: from 0 to 1, for the back-off.
  package mutating func finished(_ batch: Batch, _ outcome: SendOutcome, at moment: Moment, random: Double) -> Consequence {
    inFlight = []
    switch outcome {
    case .taken:
      let isRecovery = backOff.failures > 0
      backOff.succeeded()
      refusals = 0
      remove(batch.ids)
      counts.sent += Int64(batch.ids.count)
      notBeforeMs = moment.monotonicMs + manner.spacingMs
      return .taken(alerts: batch.ids.count, isRecovery: isRecovery)
    case .refused(let reason):
      refusals += 1
      guard refusals >= Self.refusalsMax else { return retry(reason, retryAfterMs: nil, at: moment, random: random) }
      counts.failed += 1
      counts.dropped += Int64(batch.ids.count)
      refusals = 0
      remove(batch.ids)
      // It answers, so what is behind may go out.
      backOff.succeeded()
      notBeforeMs = moment.monotonicMs + BackOff.firstMs
      return .dropped(reason: reason, alerts: batch.ids.count)
    case .failed(let reason, let retryAfterMs):
      return retry(reason, retryAfterMs: retryAfterMs, at: moment, random: random)
    }
  }

  private mutating func retry(_ reason: String, retryAfterMs: Int64?, at moment: Moment, random: Double) -> Consequence {
    counts.failed += 1
    let waitMs = backOff.failed(retryAfterMs: retryAfterMs, random: random)
    notBeforeMs = moment.monotonicMs + waitMs
    return .retried(reason: reason, inMs: waitMs)
  }

  /// The alerts that belong to the first one, each once: what is told of one twice goes out one after the other.
  private func batch(of ready: ArraySlice<Entry>) -> Batch {
    let names = manner.isStateful ? [] : grouping(of: ready)
    let key = ready.first.map { Self.labels($0.notice.labels, names) } ?? Labels([])
    var ids: Set<Int64> = []
    var seen: Set<Labels> = []
    var notices: [AlertNotice] = []
    for entry in ready {
      guard names.isEmpty || Self.labels(entry.notice.labels, names) == key, seen.insert(entry.notice.labels).inserted else { continue }
      ids.insert(entry.id)
      notices.append(entry.notice)
      if notices.count == manner.alertsMax { break }
    }
    return Batch(ids: ids, message: Message(groupLabels: key, notices: notices))
  }

  /// The finest labels by which there are not too many groups.
  private func grouping(of ready: ArraySlice<Entry>) -> [String] {
    for names in Manner.groupings where !names.isEmpty {
      var keys: Set<Labels> = []
      for entry in ready where keys.count <= Manner.groupsMax { keys.insert(Self.labels(entry.notice.labels, names)) }
      if keys.count <= Manner.groupsMax { return names }
    }
    return []
  }

  private static func labels(_ labels: Labels, _ names: [String]) -> Labels {
    Labels(labels.all.filter { names.contains($0.name) })
  }
}
