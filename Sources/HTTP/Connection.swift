// SPDX-License-Identifier: Apache-2.0

// What other threads may know about one client connection: the sweeper its deadline, a committer the request it
// suspended. Everything that only the connection's own thread touches is in Exchange.

internal import CMicroHTTPD
internal import Glibc
internal import Synchronization

@safe final class Connection: Sendable {
  // Valid from the notification that the connection started to the one that it closed; a suspended connection is
  // never closed by libmicrohttpd, so it may be resumed without asking first.
  nonisolated(unsafe) let handle: OpaquePointer
  let client: ClientAddress

  // Milliseconds of SweeperClock; Int64.max while exempt.
  let deadlineMs = Atomic<Int64>(.max)
  // A request's headers are in and its answer is not out.
  let isBusy = Atomic<Bool>(false)
  // The client may still be sending when the connection is closed; see Lingering.
  let lingers = Atomic<Bool>(false)
  // Written by the connection's thread alone.
  let requests = Atomic<Int>(0)

  // -1 once closed. Held while the socket is shut down, so that a reused descriptor never is.
  private let socket: Mutex<Int32>
  private let suspension = Mutex(Suspension())

  private struct Suspension {
    var generation: UInt64 = 0
    var isWaiting = false
    var refusal: Response?
    var answer: Answer?
    // Of the answer that is being sent, where it is produced meanwhile.
    var body: SendQueue?
  }

  init(handle: OpaquePointer) {
    unsafe self.handle = unsafe handle
    client = unsafe ClientAddress(cmhd_connection_address(handle))
    socket = Mutex(unsafe cmhd_connection_socket(handle))
  }

  var peer: String { client.text }

  // MARK: Cutting

  // Makes libmicrohttpd find the connection broken. From any thread.
  func cut(_ how: Int32 = Int32(SHUT_RDWR)) {
    socket.withLock { if $0 >= 0 { _ = shutdown($0, how) } }
  }

  // Whether the client has closed the connection, or at least its sending side, after which nobody waits for an answer.
  var isAbandoned: Bool {
    socket.withLock { descriptor in
      guard descriptor >= 0 else { return true }
      var byte: UInt8 = 0
      let count = unsafe recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
      return count == 0 || count < 0 && errno != EAGAIN && errno != EINTR
    }
  }

  // Writes without waiting; what the socket does not take is lost. Only for a last word before closing.
  func sendLastWord(_ bytes: [UInt8]) {
    socket.withLock { descriptor in
      guard descriptor >= 0 else { return }
      _ = unsafe bytes.withUnsafeBytes {
        unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
      }
    }
  }

  // Called right before libmicrohttpd closes the socket. Returns a duplicate when the connection lingers.
  func close() -> Int32? {
    socket.withLock { descriptor in
      defer { descriptor = -1 }
      guard descriptor >= 0, lingers.load(ordering: .relaxed) else { return nil }
      let duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
      guard duplicate >= 0 else { return nil }
      _ = shutdown(duplicate, Int32(SHUT_WR))
      return duplicate
    }
  }

  // MARK: Suspending

  // On the connection's thread, inside a handler. The generation is what completes this suspension and no other.
  func suspend() -> UInt64 {
    suspension.withLock { state in
      state.generation += 1
      state.isWaiting = true
      unsafe MHD_suspend_connection(handle)
      if let refusal = state.refusal { resume(&state, with: .response(refusal)) }
      return state.generation
    }
  }

  // From any thread, before or after the handler returned. False when that suspension was completed already.
  func complete(_ generation: UInt64, with answer: Answer) -> Bool {
    suspension.withLock { state in
      guard state.isWaiting, state.generation == generation else { return false }
      resume(&state, with: answer)
      return true
    }
  }

  // The server is stopping: answers what is suspended, and whatever will be, and cuts what is still being produced.
  func refuseSuspensions(with response: Response) {
    suspension.withLock { state in
      state.refusal = response
      state.body?.abort()
      if state.isWaiting { resume(&state, with: .response(response)) }
    }
  }

  // On the connection's thread, after it was resumed.
  func takeAnswer() -> Answer? {
    suspension.withLock { state in
      defer { state.answer = nil }
      return state.answer
    }
  }

  // On the connection's thread: the request has ended, whether its answer was sent or not.
  func detachBody() {
    let body = suspension.withLock { state in
      defer {
        state.body = nil
        state.answer = nil
      }
      return state.body
    }
    body?.detach()
  }

  // The lock orders this after the suspension; libmicrohttpd takes a resume before the handler has returned as well.
  private func resume(_ state: inout Suspension, with answer: Answer) {
    state.isWaiting = false
    state.answer = answer
    if case .streamed(_, let body) = answer { state.body = body }
    unsafe MHD_resume_connection(handle)
  }
}
