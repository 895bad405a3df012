// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// A lock that threads can also wait on. The standard library's Mutex has no condition variable; this is the smallest
// wrapper of pthread's that gives one.

/// State shared by threads, with waiting for it to change.
@safe package final class Monitor<State>: @unchecked Sendable {
  // pthread objects must not move, so they live on the heap for as long as the monitor does.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var state: State

  package init(_ state: sending State) {
    self.state = state
    unsafe mutex.initialize(to: pthread_mutex_t())
    unsafe condition.initialize(to: pthread_cond_t())
    var attributes = pthread_condattr_t()
    unsafe check(pthread_mutex_init(mutex, nil))
    unsafe check(pthread_condattr_init(&attributes))
    // Deadlines are monotonic: a clock jump must neither hang nor hurry a wait.
    unsafe check(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC))
    unsafe check(pthread_cond_init(condition, &attributes))
    unsafe check(pthread_condattr_destroy(&attributes))
  }

  deinit {
    unsafe check(pthread_cond_destroy(condition))
    unsafe check(pthread_mutex_destroy(mutex))
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  /// Runs `body` while no other thread is inside. Wakes no one.
  package func withLock<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
    unsafe check(pthread_mutex_lock(mutex))
    defer { unsafe check(pthread_mutex_unlock(mutex)) }
    return try body(&state)
  }

  /// Runs `body` while no other thread is inside, then wakes every waiting thread.
  package func change<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
    try withLock { state in
      defer { unsafe check(pthread_cond_broadcast(condition)) }
      return try body(&state)
    }
  }

  /// Waits until `body` gives a value, asking again after every `change`; nil when `timeoutMs` passed first.
  ///
  /// - Parameter timeoutMs: nil waits for ever.
  package func wait<Result>(timeoutMs: Int64? = nil, until body: (inout State) -> Result?) -> Result? {
    let deadlineMs = timeoutMs.map { Clock.monotonicMs() + $0 }
    unsafe check(pthread_mutex_lock(mutex))
    defer { unsafe check(pthread_mutex_unlock(mutex)) }
    while true {
      if let result = body(&state) { return result }
      guard let deadlineMs else {
        unsafe check(pthread_cond_wait(condition, mutex))
        continue
      }
      var deadline = timespec(tv_sec: Int(deadlineMs / 1000), tv_nsec: Int(deadlineMs % 1000) * 1_000_000)
      let status = unsafe pthread_cond_timedwait(condition, mutex, &deadline)
      if status == ETIMEDOUT { return body(&state) }
      check(status)
    }
  }

  private func check(_ status: Int32) {
    precondition(status == 0, "pthread call failed with \(status)")
  }
}
