// SPDX-License-Identifier: Apache-2.0

internal import Platform

// The life of a source: started once, told to end, waited for.

/// The thread of a source.
final class SourceThread: Sendable {
  private enum Phase { case new, running, stopping, ended }

  /// Between two attempts to store what was refused.
  private static let retryMs: Int64 = 500

  private let phase = Monitor(Phase.new)

  /// - Parameter body: returns soon after `isStopping` has become true.
  func start(named name: String, _ body: @escaping @Sendable () -> Void) {
    phase.change { $0 = .running }
    startThread(named: name) {
      body()
      self.phase.change { $0 = .ended }
    }
  }

  /// Tells the thread to end, and waits for it.
  ///
  /// - Parameter wake: ends what the thread may be waiting for.
  /// - Returns: false when it did not end in time.
  func stop(timeoutMs: Int64, wake: () -> Void = {}) -> Bool {
    phase.change { if $0 == .new { $0 = .ended } else if $0 == .running { $0 = .stopping } }
    wake()
    return phase.wait(timeoutMs: timeoutMs) { $0 == .ended ? true : nil } ?? false
  }

  var isStopping: Bool { phase.withLock { $0 == .stopping } }

  /// Waits; true when the thread is to end.
  func isStopping(afterMs: Int64) -> Bool {
    phase.wait(timeoutMs: afterMs) { $0 == .stopping ? true : nil } ?? false
  }

  /// Tries until nothing is refused, and tells the operator once that something is.
  ///
  /// - Parameter subject: what the message begins with.
  /// - Returns: nil, or the last refusal where the thread is to end before.
  func insist(_ subject: String = "", name: String, sink: any EventSink, _ attempt: () -> SourceOutcome) -> String? {
    var hasReported = false
    while case .refused(let reason) = attempt() {
      if !hasReported { sink.report("\(subject)waiting: \(reason)", name: name) }
      hasReported = true
      if isStopping(afterMs: SourceThread.retryMs) { return reason }
    }
    return nil
  }
}
