// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import JSON
internal import Notification
internal import Storage
internal import Synchronization
internal import TimeSeries

// Silences and acknowledgements: in memory for whoever asks, on disk with their audit rows, and told to the notifier.

final class SilenceService: Sendable {
  /// Most that are in force or will be. Each alert is held against all of them after every evaluation.
  static let silencesMax = 1_000
  /// Most that are kept, those that are over included.
  static let keptMax = 10_000
  /// For how long one that is over is kept, as Alertmanager's --data.retention.
  static let keptMs: Int64 = 5 * 86_400_000

  private let store: Store
  private let notifier: Notifier
  private let silences: Mutex<[Silence]>

  init(store: Store, notifier: Notifier, nowMs: Int64) throws(StoreError) {
    self.store = store
    self.notifier = notifier
    // One that cannot be read was written by a later version: it stays where it is.
    silences = Mutex(try store.silences().compactMap { try? Silence(kept: $0.document) })
    tell(nowMs: nowMs)
  }

  /// Those in force first, then those to come, then those that are over; of each the one that ends first.
  func list(nowMs: Int64) -> [Silence] {
    func rank(_ silence: Silence) -> Int {
      switch silence.state(atMs: nowMs) {
      case .active: 0
      case .pending: 1
      case .expired: 2
      }
    }
    return silences.withLock { $0 }.filter { $0.endsMs > nowMs - SilenceService.keptMs }
      .sorted { (rank($0), $0.endsMs, $0.id) < (rank($1), $1.endsMs, $1.id) }
  }

  func silence(_ id: String, nowMs: Int64) throws(RequestError) -> Silence {
    guard let silence = list(nowMs: nowMs).first(where: { $0.id == id }) else {
      throw .notFound("silence \(id.prefix(60)): not there: it was never made, or was over for five days")
    }
    return silence
  }

  // MARK: Changing, by one thread

  /// Makes one; or changes one, where the document has an `id`: in place where the matchers stay, else by another that
  /// takes its place.
  func post(_ document: JSONValue, nowMs: Int64) throws -> Silence {
    var made = try Silence(posted: document, id: SilenceService.newID(), nowMs: nowMs)
    guard let id = document["id"]?.string, !id.isEmpty else {
      try save([(nil, made)], action: "silence create", nowMs: nowMs)
      return made
    }
    let old = try silence(id, nowMs: nowMs)
    guard old.state(atMs: nowMs) != .expired else {
      try save([(nil, made)], action: "silence create", nowMs: nowMs)
      return made
    }
    if old.matchers == made.matchers {
      made = try Silence(posted: document, id: id, nowMs: nowMs)
      made.kind = old.kind
      made.startsMs = old.state(atMs: nowMs) == .active ? old.startsMs : made.startsMs
      try save([(old, made)], action: "silence update", nowMs: nowMs)
    } else {
      try save([(old, SilenceService.expired(old, nowMs: nowMs)), (nil, made)], action: "silence update", nowMs: nowMs)
    }
    return made
  }

  func acknowledge(_ labels: Labels, by author: String, comment: String, endsMs: Int64, nowMs: Int64) throws -> Silence {
    let made = try Silence(
      acknowledging: labels, by: author, comment: comment, endsMs: endsMs, id: SilenceService.newID(), nowMs: nowMs)
    try save([(nil, made)], action: "alert acknowledge", nowMs: nowMs)
    return made
  }

  /// Ends one now. One that is over stays as it is.
  func expire(_ id: String, reason: String, nowMs: Int64) throws {
    let old = try silence(id, nowMs: nowMs)
    guard old.state(atMs: nowMs) != .expired else { return }
    try save([(old, SilenceService.expired(old, nowMs: nowMs))], action: "silence expire", reason: reason, nowMs: nowMs)
  }

  private static func expired(_ silence: Silence, nowMs: Int64) -> Silence {
    var ended = silence
    ended.endsMs = nowMs
    ended.startsMs = min(silence.startsMs, nowMs)
    ended.updatedMs = nowMs
    return ended
  }

  private func save(
    _ changes: [(old: Silence?, new: Silence)], action: String, reason: String? = nil, nowMs: Int64
  ) throws {
    var all = silences.withLock { $0 }
    let ids = Set(changes.map(\.new.id))
    all = all.filter { !ids.contains($0.id) } + changes.map(\.new)
    guard all.count(where: { $0.state(atMs: nowMs) != .expired }) <= SilenceService.silencesMax else {
      throw RequestError.conflict("there are \(SilenceService.silencesMax) silences already: end some that are no longer needed")
    }
    let forgottenMs = forgottenBeforeMs(all, nowMs: nowMs)
    let entries = changes.map { change in
      AuditEntry(
        atMs: nowMs, actor: Actor.localUser, action: action, environment: "", flag: "",
        reason: reason ?? change.new.comment, before: change.old?.json(atMs: nil).text, after: change.new.json(atMs: nil).text)
    }
    let rows = changes.map { StoredSilence(id: $0.new.id, endsMs: $0.new.endsMs, document: $0.new.json(atMs: nil).text) }
    try store.save(rows, audit: entries, forgetting: forgottenMs)
    silences.withLock { $0 = all.filter { $0.endsMs >= forgottenMs } }
    tell(nowMs: nowMs)
  }

  /// Five days ago, or later where too many ended since.
  private func forgottenBeforeMs(_ all: [Silence], nowMs: Int64) -> Int64 {
    let ends = all.map(\.endsMs).sorted(by: >)
    let excess = ends.count > SilenceService.keptMax ? ends[SilenceService.keptMax - 1] : .min
    return min(max(nowMs - SilenceService.keptMs, excess), nowMs)
  }

  private func tell(nowMs: Int64) {
    notifier.set(silences.withLock { $0.filter { $0.state(atMs: nowMs) != .expired } }, nowMs: nowMs)
  }

  private static func newID() -> String { UUID().uuidString.lowercased() }
}
