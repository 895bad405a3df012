// SPDX-License-Identifier: Apache-2.0

// How long to wait after a failure: twice as long as after the one before, at random within a fifth so that receivers do
// not all come back at once, and no sooner than the receiver asked for.

/// The waits of one receiver.
package struct BackOff: Sendable, Equatable {
  package static let firstMs: Int64 = 1_000
  /// As often as Prometheus tells an Alertmanager anyway.
  package static let longestMs: Int64 = 60_000
  /// A receiver that asks for more is asked again after an hour all the same.
  package static let retryAfterMsMax: Int64 = 3_600_000

  /// In a row.
  package private(set) var failures = 0

  package init() {}

  package mutating func succeeded() { failures = 0 }

  /// - Parameters:
  ///   - retryAfterMs: what the receiver asked for.
  ///   - random: from 0 to 1.
  /// - Returns: how long to wait.
  package mutating func failed(retryAfterMs: Int64?, random: Double) -> Int64 {
    let doubled = failures < 20 ? min(Self.firstMs << Int64(failures), Self.longestMs) : Self.longestMs
    failures += 1
    let waitMs = Int64(Double(doubled) * (0.8 + 0.4 * random))
    return max(waitMs, min(retryAfterMs ?? 0, Self.retryAfterMsMax))
  }
}
