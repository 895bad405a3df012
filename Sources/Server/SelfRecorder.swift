// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import Platform
internal import Storage
internal import TimeSeries

// Rampart's own series (`rampart_*`, `process_*`) and the users of caches, written into its own store once a window, so that
// queries, alerts and dashboards see what `/metrics` shows. The other cache series are there already.

/// Records them; `makeThread` says when.
final class SelfRecorder: Sendable {
  private let store: Store
  private let metrics: MetricsPage
  private let logger: Logger

  init(store: Store, metrics: MetricsPage, logger: Logger) {
    self.store = store
    self.metrics = metrics
    self.logger = logger
  }

  /// A thread that records at the end of each window, not yet started.
  func makeThread(resolutionMs: Int64) -> RepeatingThread {
    // On the grid of windows, where the samples of counters stand as well; and regular times take no room.
    RepeatingThread(name: "recorder", untilNextMs: { resolutionMs - Clock.wallMs() % resolutionMs }) { _ in
      self.record(atMs: floor(Clock.wallMs(), to: resolutionMs))
    }
  }

  private func record(atMs: Int64) {
    let own = metrics.ownSamples(nowMs: atMs) + metrics.userSamples(nowMs: atMs)
    let submission = Submission(samples: own.map { ($0.0, atMs, $0.1) }, receivedMs: atMs)
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
