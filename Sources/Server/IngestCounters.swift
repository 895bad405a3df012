// SPDX-License-Identifier: Apache-2.0

internal import Ingest
internal import Synchronization

// What ingest did since the start, for `rampart_ingest_*`.

/// Counts events by what became of them and the protocol they came by.
final class IngestCounters: Sendable {
  enum Outcome: String, CaseIterable {
    case accepted, rejected, ignored
    /// In a body that had been counted before.
    case duplicate
    /// In a body that was refused as a whole because the store could not take it.
    case refused
  }

  struct Key: Hashable, Comparable {
    let outcome: String
    let `protocol`: String

    static func < (left: Key, right: Key) -> Bool { (left.outcome, left.protocol) < (right.outcome, right.protocol) }
  }

  private let counts = Mutex<[Key: Int64]>([:])
  private let overflowCount = Mutex<Int64>(0)
  private let sourceErrors = Mutex<[String: Int64]>([:])
  private let newest = Mutex<Int64?>(nil)
  private let keys: Mutex<HotKeys>

  init(startedMs: Int64) {
    keys = Mutex(HotKeys(startedMs: startedMs))
  }

  /// Shows zeros for a protocol before its first event, so that rates see the first one.
  func begin(protocol: String) {
    counts.withLock { counts in
      for outcome in Outcome.allCases { counts[Key(outcome: outcome.rawValue, protocol: `protocol`), default: 0] += 0 }
    }
  }

  func add(_ outcome: Outcome, _ count: Int, protocol: String) {
    guard count > 0 else { return }
    counts.withLock { $0[Key(outcome: outcome.rawValue, protocol: `protocol`), default: 0] += Int64(count) }
  }

  /// Remembers the time of the newest event that was committed.
  func saw(newestEventMs: Int64?) {
    guard let newestEventMs else { return }
    newest.withLock { $0 = max($0 ?? .min, newestEventMs) }
  }

  /// Adds the keys that a body looked up which was committed.
  func saw(_ samples: KeySamples, receivedMs: Int64) {
    guard !samples.isEmpty else { return }
    keys.withLock { $0.add(samples, receivedMs: receivedMs) }
  }

  /// As of now; what comes later does not change it.
  var hotKeys: HotKeys { keys.withLock { $0 } }

  func addOverflows(_ count: Int) {
    guard count > 0 else { return }
    overflowCount.withLock { $0 += Int64(count) }
  }

  /// Something that a source could not do.
  func addSourceError(protocol: String) {
    sourceErrors.withLock { $0[`protocol`, default: 0] += 1 }
  }

  /// Ascending by protocol.
  var allSourceErrors: [(protocol: String, count: Int64)] {
    sourceErrors.withLock { $0.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
  }

  /// Label values that were folded into `__overflow__` because one body held too many.
  var overflows: Int64 { overflowCount.withLock { $0 } }

  /// Ascending by key.
  var all: [(key: Key, count: Int64)] { counts.withLock { $0.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } } }

  var accepted: Int64 {
    counts.withLock { $0.filter { $0.key.outcome == Outcome.accepted.rawValue }.values.reduce(0, +) }
  }

  /// Epoch milliseconds; nil before the first event since the start.
  var newestEventMs: Int64? { newest.withLock { $0 } }
}
