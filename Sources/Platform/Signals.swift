// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// Signals as values that one thread waits for, instead of handlers that may run anywhere.

/// The signals the server acts on.
package enum Signals {
  package enum Signal: Sendable {
    /// SIGTERM: drain and exit.
    case terminate
    /// SIGINT: as terminate, from a terminal.
    case interrupt
    /// SIGHUP: read configuration files again.
    case reload
  }

  /// Blocks the three signals in this thread and all it starts, so that only `wait()` sees them, and ignores SIGPIPE.
  /// Call it before the first thread starts.
  package static func block() {
    unsafe withSet { set in
      let status = unsafe pthread_sigmask(SIG_BLOCK, set, nil)
      precondition(status == 0, "pthread_sigmask failed with \(status)")
    }
    // A peer that vanishes is an error of that write, not the end of the process.
    _ = signal(SIGPIPE, SIG_IGN)
  }

  /// Waits for the next signal. Only one thread may wait.
  package static func wait() -> Signal {
    var number: Int32 = 0
    unsafe withSet { set in
      let status = unsafe sigwait(set, &number)
      precondition(status == 0, "sigwait failed with \(status)")
    }
    switch number {
    case SIGHUP: return .reload
    case SIGINT: return .interrupt
    default: return .terminate
    }
  }

  /// Sends SIGTERM to this process, so that one way out serves errors as well.
  package static func terminateSelf() { kill(getpid(), SIGTERM) }

  private static func withSet(_ body: (UnsafePointer<sigset_t>) -> Void) {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&set, number) }
    unsafe body(&set)
  }
}
