// SPDX-License-Identifier: Apache-2.0

// One client of an event stream. One that does not keep up is cut: events must not wait for it.

internal import Glibc

final class EventListener: Sendable {
  // Larger than most events, small enough for thousands of listeners.
  private static let blockBytes = 4 << 10

  private let connection: Connection
  private let queue: SendQueue
  private let headers: [Header]

  init(_ connection: Connection, initial: [UInt8], headers: [Header]) {
    self.connection = connection
    self.headers = headers
    queue = SendQueue(connection)
    _ = queue.offer(initial, queuedBytesMax: .max)
  }

  // False when the listener does not keep up; its connection is then cut.
  func send(_ bytes: [UInt8], queuedBytesMax: Int) -> Bool {
    guard case .full = queue.offer(bytes, queuedBytesMax: queuedBytesMax) else { return true }
    connection.cut()
    queue.abort()
    return false
  }

  // Ends the response after what is queued.
  func finish() {
    queue.finish()
  }

  func detach() {
    queue.detach()
  }

  // Owned by the caller; nil when memory is short.
  func makeHandle(_ method: Method) -> OpaquePointer? {
    unsafe queue.makeHandle(
      method, blockBytes: EventListener.blockBytes, contentType: "text/event-stream",
      headers: [
        Header("Cache-Control", "no-store")!,
        // nginx and others collect a response otherwise.
        Header("X-Accel-Buffering", "no")!,
      ] + headers)
  }
}
