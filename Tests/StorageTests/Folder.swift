// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Platform
import Storage
import Testing
import TimeSeries

// A store in its own folder, and short ways to write what a body adds.

/// A folder that is gone when the test is.
final class Folder: Sendable {
  let path = FileManager.default.temporaryDirectory.path + "/rampart-storage-" + UUID().uuidString

  deinit {
    // What stays behind is only a temporary file.
    try? FileManager.default.removeItem(atPath: path)
  }

  func open(
    sizeBytesMax: Int64 = 20 << 30, deadLettersMax: Int = 10_000, limits: SeriesLimits = SeriesLimits(),
    with change: (inout StoreConfiguration) -> Void = { _ in }
  ) throws -> Store {
    var configuration = StoreConfiguration(
      folder: path, sizeBytesMax: sizeBytesMax, deadLettersMax: deadLettersMax, limits: limits)
    change(&configuration)
    return try Store(configuration)
  }

  /// Opens the store as the next process would. A process holds the folder's lock until it ends, so the lock file makes
  /// room for a new one.
  func reopen(
    _ store: Store, sizeBytesMax: Int64 = 20 << 30, limits: SeriesLimits = SeriesLimits(),
    with change: (inout StoreConfiguration) -> Void = { _ in }
  ) throws -> Store {
    try store.close()
    try removeLock()
    return try open(sizeBytesMax: sizeBytesMax, limits: limits, with: change)
  }

  func removeLock() throws { try FileManager.default.removeItem(atPath: path + "/lock") }

  /// A folder with what a crash at this moment would leave. Nothing may write meanwhile.
  func crashed() throws -> Folder {
    let copy = Folder()
    try FileManager.default.createDirectory(atPath: copy.path, withIntermediateDirectories: true)
    for name in [Store.fileName, Store.fileName + "-wal"] {
      try FileManager.default.copyItem(atPath: path + "/" + name, toPath: copy.path + "/" + name)
    }
    return copy
  }

  /// The first column of a query, read beside the store.
  func integers(_ sql: String) throws -> [Int64] {
    try sqlite().read { try Int64.fetchAll($0, sql: sql) }
  }

  /// The file as sqlite3 would see it, beside the store.
  func sqlite() throws -> DatabaseQueue { try DatabaseQueue(path: path + "/" + Store.fileName) }
}

extension Store {
  /// Submits and waits until it is on disk.
  @discardableResult
  func commit(_ submission: Submission) throws -> CommitOutcome {
    let done = Monitor<Result<CommitOutcome, StoreError>?>(nil)
    try submit(submission) { outcome in done.change { $0 = outcome } }
    return try #require(done.wait(timeoutMs: 30_000) { $0 }, "no answer within 30 s").get()
  }

  @discardableResult
  func commit(_ delta: BatchDelta) throws -> CommitOutcome { try commit(Submission(delta)) }

  /// What a range sums to, one line a series and step.
  func listing(from fromMs: Int64 = 0, until untilMs: Int64 = .max / 4, step: Int64? = nil) throws -> [String] {
    try sums(fromMs: fromMs, untilMs: untilMs, stepMs: step) { _ in true }.map { sum in
      let histogram = sum.histogram.map { " \($0.nonEmpty.map { "\($0.bucket):\($0.count)" }) sum=\($0.sum)" } ?? ""
      return "\(sum.key.labels) @\(sum.step) \(sum.count)\(histogram)"
    }
  }

  /// The running state of each series, one line each.
  var states: [String] {
    series.map { state in
      switch state.key.kind {
      case .counter: "\(state.key.labels) \(state.count) latest=\(state.latestMs)"
      case .gauge: "\(state.key.labels) = \(state.value) latest=\(state.latestMs)"
      case .histogram: "\(state.key.labels) n=\(state.histogram?.count ?? -1) sum=\(state.histogram?.sum ?? -1) latest=\(state.latestMs)"
      }
    }
  }
}

extension Submission {
  init(_ delta: BatchDelta, letters: [DeadLetter] = [], key: DedupeKey? = nil, answer: String = "{}", at receivedMs: Int64 = 1_000) {
    self.init(
      delta: delta, deadLetters: letters, dedupeKey: key, answer: Answer(status: 200, body: Array(answer.utf8)),
      receivedMs: receivedMs)
  }
}

extension DedupeKey {
  init(_ number: Int, expires expiresMs: Int64 = 3_600_000) {
    let bytes = (0..<32).map { UInt8(truncatingIfNeeded: $0 < 8 ? number >> ($0 * 8) : $0) }
    self.init(digest: bytes, expiresMs: expiresMs)
  }
}

extension BatchDelta {
  private mutating func index(_ kind: SeriesKind, _ metric: String, _ labels: [String: String]) -> Int {
    let key = SeriesKey(kind: kind, labels: Labels(metric: metric, labels.map { Label($0.key, $0.value) }))
    if let index = series.firstIndex(of: key) { return index }
    series.append(key)
    return series.count - 1
  }

  func counting(_ metric: String, _ labels: [String: String] = [:], at startMs: Int64, _ increment: Int64) -> BatchDelta {
    var delta = self
    delta.counts.append(.init(series: delta.index(.counter, metric, labels), windowStartMs: startMs, increment: increment))
    return delta
  }

  func measuring(
    _ metric: String, _ labels: [String: String] = [:], at startMs: Int64, _ buckets: KeyValuePairs<Int32, Int64>, sum: Double
  ) -> BatchDelta {
    var delta = self
    let counts = buckets.map { BucketCount(bucket: $0.key, count: $0.value) }
    delta.distributions.append(
      .init(series: delta.index(.histogram, metric, labels), windowStartMs: startMs, buckets: counts, sum: sum))
    return delta
  }

  func sampling(_ metric: String, _ labels: [String: String] = [:], at timeMs: Int64, _ value: Double) -> BatchDelta {
    var delta = self
    delta.gauges.append(.init(series: delta.index(.gauge, metric, labels), timestampMs: timeMs, value: value))
    return delta
  }
}

/// Short for an empty delta, to build on.
let nothing = BatchDelta()
