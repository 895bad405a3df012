// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// Threads of our own, for calls that block: commits, long queries, waiting for signals. Nothing here knows what the
// work is.

/// Starts a named thread. It runs until `body` returns.
///
/// - Parameter name: shown by `ps -T` and debuggers; cut to 15 bytes, as Linux does.
package func startThread(named name: String, _ body: @escaping @Sendable () -> Void) {
  final class Start {
    let name: String
    let body: @Sendable () -> Void
    init(_ name: String, _ body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }
  var thread = pthread_t()
  let start = unsafe Unmanaged.passRetained(Start(String(name.prefix(15)), body))
  let status = unsafe pthread_create(
    &thread, nil,
    { argument in
      let start = unsafe Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
      nameThread(start.name)
      start.body()
      return nil
    }, start.toOpaque())
  precondition(status == 0, "pthread_create failed with \(status)")
  let detached = pthread_detach(thread)
  precondition(detached == 0, "pthread_detach failed with \(detached)")
}

// Glibc declares pthread_setname_np only with _GNU_SOURCE, which Swift's importer does not set. A name that the kernel
// refuses costs nothing but the name.
private func nameThread(_ name: String) {
  let descriptor = unsafe open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  Files.write(Array(name.utf8), to: descriptor)
  close(descriptor)
}

/// A thread with a bounded queue: work runs in the order it was submitted, one at a time.
package final class Worker: Sendable {
  private struct State {
    var queue: [@Sendable () -> Void] = []
    var isStopping = false
    var hasEnded = false
  }

  /// Most jobs that wait; more are refused.
  package let queueMax: Int
  private let monitor: Monitor<State>

  /// Starts `threads` threads that share the queue.
  package init(name: String, threads: Int = 1, queueMax: Int) {
    self.queueMax = queueMax
    monitor = Monitor(State())
    let running = Monitor(threads)
    for _ in 0..<threads {
      startThread(named: name) { [monitor] in
        while let job = Worker.next(monitor) { job() }
        if running.withLock({ $0 -= 1; return $0 == 0 }) { monitor.change { $0.hasEnded = true } }
      }
    }
  }

  /// Queues `job`. False, and nothing is queued, when the queue is full or the worker is stopping.
  package func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
    monitor.change { state in
      guard !state.isStopping, state.queue.count < queueMax else { return false }
      state.queue.append(job)
      return true
    }
  }

  /// Lets what is queued finish, takes nothing new, and waits for the threads to end.
  ///
  /// - Returns: false when `timeoutMs` passed first.
  package func stop(timeoutMs: Int64) -> Bool {
    monitor.change { $0.isStopping = true }
    return monitor.wait(timeoutMs: timeoutMs) { $0.hasEnded ? true : nil } ?? false
  }

  private static func next(_ monitor: Monitor<State>) -> (@Sendable () -> Void)? {
    enum Turn { case job(@Sendable () -> Void), end }
    let turn: Turn? = monitor.wait { state in
      if !state.queue.isEmpty { return .job(state.queue.removeFirst()) }
      return state.isStopping ? .end : nil
    }
    if case .job(let job) = turn { return job }
    return nil
  }
}
