// SPDX-License-Identifier: Apache-2.0

// A thread of our own that does one thing again and again. What, and how often, is the owner's.

/// Runs a job at intervals until it is stopped. The job is never interrupted, and never runs twice at a time.
package final class RepeatingThread: Sendable {
  private enum Phase { case new, running, stopping, ended }

  private let name: String
  private let untilNextMs: @Sendable () -> Int64
  private let job: @Sendable (Int64) -> Void
  private let phase = Monitor(Phase.new)

  /// - Parameters:
  ///   - name: as of `startThread`.
  ///   - untilNextMs: asked before each turn: how long to wait for it.
  ///   - job: gets the monotonic time since the turn before, or since the start.
  package init(
    name: String, untilNextMs: @escaping @Sendable () -> Int64, _ job: @escaping @Sendable (_ elapsedMs: Int64) -> Void
  ) {
    self.name = name
    self.untilNextMs = untilNextMs
    self.job = job
  }

  /// Starts the thread; once.
  package func start() {
    phase.change { phase in
      precondition(phase == .new, "thread \(name) was started before")
      phase = .running
    }
    startThread(named: name) { self.run() }
  }

  /// Lets a turn that is under way finish, and waits for the thread to end. One that was never started has ended.
  ///
  /// - Returns: false when `timeoutMs` passed first.
  package func stop(timeoutMs: Int64) -> Bool {
    phase.change { phase in
      switch phase {
      case .new: phase = .ended
      case .running: phase = .stopping
      case .stopping, .ended: break
      }
    }
    return phase.wait(timeoutMs: timeoutMs) { $0 == .ended ? true : nil } ?? false
  }

  private func run() {
    var lastMs = Clock.monotonicMs()
    while phase.wait(timeoutMs: untilNextMs(), until: { $0 == .stopping ? true : nil }) == nil {
      let nowMs = Clock.monotonicMs()
      job(nowMs - lastMs)
      lastMs = nowMs
    }
    phase.change { $0 = .ended }
  }
}
