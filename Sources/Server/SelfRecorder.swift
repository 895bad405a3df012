// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import Platform
internal import Storage
internal import TimeSeries

// Rampart's own series (`rampart_*`, `process_*`), written into its own store once a window, so that queries, alerts and
// dashboards see what `/metrics` shows. Cache series are there already.

/// The thread that records them.
final class SelfRecorder: Sendable {
  private enum Phase { case running, stopping, ended }

  private let store: Store
  private let metrics: MetricsPage
  private let intervalMs: Int64
  private let logger: Logger
  private let phase = Monitor(Phase.running)

  init(store: Store, metrics: MetricsPage, intervalMs: Int64, logger: Logger) {
    self.store = store
    self.metrics = metrics
    self.intervalMs = intervalMs
    self.logger = logger
  }

  func start() {
    startThread(named: "recorder") { self.run() }
  }

  /// - Returns: false when the thread did not end in time.
  func stop(timeoutMs: Int64) -> Bool {
    phase.change { if $0 == .running { $0 = .stopping } }
    return phase.wait(timeoutMs: timeoutMs) { $0 == .ended ? true : nil } ?? false
  }

  private func run() {
    while true {
      // On the grid of windows, where the samples of counters stand as well; and regular times take no room.
      let untilNextMs = intervalMs - Clock.wallMs() % intervalMs
      if phase.wait(timeoutMs: untilNextMs, until: { $0 == .stopping ? true : nil }) != nil { break }
      record(atMs: floor(Clock.wallMs(), to: intervalMs))
    }
    phase.change { $0 = .ended }
  }

  private func record(atMs: Int64) {
    var delta = BatchDelta()
    for (labels, value) in metrics.ownSamples(nowMs: atMs) {
      delta.gauges.append(.init(series: delta.series.count, timestampMs: atMs, value: value))
      delta.series.append(SeriesKey(kind: .gauge, labels: labels))
    }
    let submission = Submission(
      delta: delta, deadLetters: [], dedupeKey: nil, answer: Answer(status: 200, body: []), receivedMs: atMs)
    let logger = logger
    do throws(StoreError) {
      try store.submit(submission) { outcome in
        if case .failure(let error) = outcome { logger.warning("own metrics: \(error)") }
      }
    } catch {
      logger.warning("own metrics: \(error)")
    }
  }
}
