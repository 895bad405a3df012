// SPDX-License-Identifier: Apache-2.0

// The promise to answer a request later, from another thread.

internal import Synchronization

/// A request that waits for its answer. Complete it once, from any thread, also before the handler has returned.
///
/// A token that is dropped without completing answers 500, so that a client never waits for a lost promise.
package final class SuspendedExchange: Sendable {
  private let connection: Connection
  private let generation: UInt64
  private let core: ServerCore
  private let isCompleted = Atomic<Bool>(false)

  init(_ connection: Connection, _ generation: UInt64, _ core: ServerCore) {
    self.connection = connection
    self.generation = generation
    self.core = core
  }

  deinit {
    guard !isCompleted.load(ordering: .acquiring) else { return }
    _ = connection.complete(generation, with: .response(core.error(500, "the request was given up by the server")))
  }

  /// Whether the client has gone, so that work on an answer may end. A system call; ask now and then.
  package var isAbandoned: Bool { connection.isAbandoned }

  /// Answers the request. A client that has gone meanwhile is no error.
  ///
  /// - Returns: false when the request was answered before: by an earlier call, or by the server as it stopped.
  @discardableResult
  package func complete(_ response: Response) -> Bool {
    complete(.response(response))
  }

  /// Answers the request with a prepared response; see `complete(_:)`.
  @discardableResult
  package func complete(_ response: PreparedResponse) -> Bool {
    complete(.prepared(response))
  }

  /// Answers the request with a body that is produced while it is sent.
  ///
  /// - Parameters:
  ///   - head: status and headers; its own body is not sent.
  ///   - queuedBytesMax: most bytes that wait for the client; the producer waits then.
  package func stream(_ head: Response, queuedBytesMax: Int = 1 << 20) -> BodyWriter {
    let core = core
    let queue = SendQueue(connection) { core.requestDeadlineMs }
    if !complete(.streamed(head, queue)) { queue.detach() }
    return BodyWriter(queue, queuedBytesMax: queuedBytesMax)
  }

  private func complete(_ answer: Answer) -> Bool {
    guard !isCompleted.exchange(true, ordering: .acquiringAndReleasing) else { return false }
    return connection.complete(generation, with: answer)
  }
}
