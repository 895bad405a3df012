// SPDX-License-Identifier: Apache-2.0

// The producer's end of a body that is sent while it is made: it waits where the client does not keep up, so that
// however long a body is, little of it is in memory.

/// Takes a body piece by piece, from one thread that may wait. Made by `SuspendedExchange.stream(_:queuedBytesMax:)`.
///
/// A writer that is dropped without `finish()` closes the connection, so that the client sees that the body is not whole.
/// A client must take each piece within the time that a request has; the server closes its connection otherwise.
package final class BodyWriter: Sendable {
  private let queue: SendQueue
  private let queuedBytesMax: Int

  init(_ queue: SendQueue, queuedBytesMax: Int) {
    self.queue = queue
    self.queuedBytesMax = queuedBytesMax
  }

  deinit {
    queue.abort()
  }

  /// Queues the next piece, once the client has taken enough of those before.
  ///
  /// - Returns: false when the client has gone or the server stops: nothing more is wanted.
  package func write(_ bytes: [UInt8]) -> Bool {
    while true {
      switch queue.offer(bytes, queuedBytesMax: queuedBytesMax) {
      case .taken: return true
      case .closed: return false
      case .full: queue.waitForSpace()
      }
    }
  }

  /// Ends the body after what was written.
  package func finish() {
    queue.finish()
  }
}
