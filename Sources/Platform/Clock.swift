// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// The two clocks of the operating system. Pure modules take times as parameters; only shells read them here.

/// Reads the system's clocks.
package enum Clock {
  /// Milliseconds since 1970-01-01 UTC. May jump, in both directions.
  package static func wallMs() -> Int64 { read(CLOCK_REALTIME) / 1_000_000 }

  /// Milliseconds since some moment before the process started. Never goes back and does not jump.
  package static func monotonicMs() -> Int64 { monotonicNs() / 1_000_000 }

  /// As `monotonicMs`, in nanoseconds.
  package static func monotonicNs() -> Int64 { read(CLOCK_MONOTONIC) }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    let status = unsafe clock_gettime(clock, &time)
    precondition(status == 0, "clock_gettime(\(clock)) failed with errno \(errno)")
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

extension Clock {
  /// How far local time is ahead of UTC, by the system's time zone.
  package static func zoneOffsetMs(atMs timeMs: Int64) -> Int64 {
    var seconds = time_t(timeMs / 1000)
    var local = unsafe tm()
    guard unsafe localtime_r(&seconds, &local) != nil else { return 0 }
    return unsafe Int64(local.tm_gmtoff) * 1000
  }
}
