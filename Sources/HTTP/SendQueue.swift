// SPDX-License-Identifier: Apache-2.0

// What waits to be sent in one response of unknown length: other threads fill it and the connection's thread empties
// it. While it is empty the connection is suspended, so that one that waits costs no thread's time.

internal import CMicroHTTPD
internal import Glibc
internal import Synchronization

final class SendQueue: Sendable {
  enum Offer {
    case taken
    // Nothing was queued; the queue is too long.
    case full
    // Nobody reads any more.
    case closed
  }

  private struct State {
    var queue: [[UInt8]] = []
    // Of the first entry, already sent.
    var offset = 0
    var queuedBytes = 0
    var isSuspended = false
    // Somebody waits on `space`.
    var isAwaited = false
    var end: End?
    // The request has ended: the connection must not be touched any more.
    var isDetached = false
  }

  private enum End { case complete, broken }

  private let connection: Connection
  // By when the client must have taken the piece that is its turn; nil for never. Time in which there is nothing to
  // take does not count.
  private let deadlineMs: (@Sendable () -> Int64)?
  private let space = Semaphore()
  private let state = Mutex(State())

  init(_ connection: Connection, deadlineMs: (@Sendable () -> Int64)? = nil) {
    self.connection = connection
    self.deadlineMs = deadlineMs
  }

  // Bytes larger than the whole bound still go to a queue that is empty.
  func offer(_ bytes: [UInt8], queuedBytesMax: Int) -> Offer {
    state.withLock { state in
      guard state.end == nil, !state.isDetached else { return .closed }
      guard state.queue.isEmpty || state.queuedBytes + bytes.count <= queuedBytesMax else {
        state.isAwaited = true
        return .full
      }
      guard !bytes.isEmpty else { return .taken }
      state.queue.append(bytes)
      state.queuedBytes += bytes.count
      wake(&state)
      return .taken
    }
  }

  // Once after each `.full`, on the one thread that offers: until the client has taken some, or nobody reads any more.
  func waitForSpace() {
    space.wait()
  }

  // Ends the response after what is queued.
  func finish() {
    end(.complete)
  }

  // Throws away what is queued and closes the connection, so that the client sees that the response is not whole.
  func abort() {
    end(.broken)
  }

  func detach() {
    state.withLock { state in
      state.isDetached = true
      state.queue = []
      announceSpace(&state)
    }
  }

  // On the connection's thread: fills libmicrohttpd's buffer, or suspends the connection until there is something.
  private func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    state.withLock { state in
      if state.end == .broken { return SendQueue.endWithError }
      if let deadlineMs, state.offset == 0 { connection.deadlineMs.store(deadlineMs(), ordering: .relaxed) }
      let count = unsafe SendQueue.take(into: buffer, &state)
      if count > 0 {
        announceSpace(&state)
        return count
      }
      if state.end == .complete { return SendQueue.endOfStream }
      connection.deadlineMs.store(.max, ordering: .relaxed)
      state.isSuspended = true
      unsafe MHD_suspend_connection(connection.handle)
      return 0
    }
  }

  private static func take(into buffer: UnsafeMutableRawBufferPointer, _ state: inout State) -> Int {
    var count = 0
    while count < buffer.count, let first = state.queue.first {
      let part = min(buffer.count - count, first.count - state.offset)
      unsafe first.withUnsafeBytes { bytes in
        unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count..<count + part])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[state.offset..<state.offset + part]))
      }
      count += part
      state.offset += part
      if state.offset == first.count {
        // The queue is short: its bytes are bounded, and most readers are up to date.
        state.queue.removeFirst()
        state.offset = 0
      }
    }
    state.queuedBytes -= count
    return count
  }

  // MHD_CONTENT_READER_END_OF_STREAM and …_END_WITH_ERROR, macros with a cast that Swift does not import.
  private static let endOfStream = -1
  private static let endWithError = -2

  // A response whose body is what is queued here. Owned by the caller; nil when memory is short.
  //
  // blockBytes is libmicrohttpd's buffer for each response, method the request's.
  func makeHandle(_ method: Method, blockBytes: Int, contentType: StaticString?, headers: [Header]) -> OpaquePointer? {
    let context = unsafe Unmanaged.passRetained(self).toOpaque()
    let handle = unsafe MHD_create_response_from_callback(
      UInt64.max, blockBytes,
      { context, _, buffer, size in
        let queue = unsafe Unmanaged<SendQueue>.fromOpaque(context!).takeUnretainedValue()
        return unsafe queue.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size))
      }, context,
      { unsafe Unmanaged<SendQueue>.fromOpaque($0!).release() })
    guard let handle = unsafe handle else {
      unsafe Unmanaged<SendQueue>.fromOpaque(context).release()
      return nil
    }
    unsafe Response.add(contentType, headers, to: handle)
    // libmicrohttpd 0.9.75 ends a chunked body also where it sends none, which a client takes for the next answer.
    if method == .head { _ = unsafe cmhd_forbid_chunks(handle) }
    return unsafe handle
  }

  private func end(_ end: End) {
    state.withLock { state in
      guard state.end == nil else { return }
      state.end = end
      if end == .broken {
        state.queue = []
        state.queuedBytes = 0
      }
      announceSpace(&state)
      wake(&state)
    }
  }

  private func announceSpace(_ state: inout State) {
    guard state.isAwaited else { return }
    state.isAwaited = false
    space.post()
  }

  private func wake(_ state: inout State) {
    guard state.isSuspended, !state.isDetached else { return }
    state.isSuspended = false
    unsafe MHD_resume_connection(connection.handle)
  }
}

// A thread waits until another one has posted. Glibc's sem_t must not move, so it lives on the heap.
@safe private final class Semaphore: @unchecked Sendable {
  private let handle = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() {
    unsafe handle.initialize(to: sem_t())
    unsafe check(sem_init(handle, 0, 0))
  }

  deinit {
    unsafe check(sem_destroy(handle))
    unsafe handle.deallocate()
  }

  func post() {
    unsafe check(sem_post(handle))
  }

  func wait() {
    while unsafe sem_wait(handle) != 0 { precondition(errno == EINTR, "sem_wait failed with errno \(errno)") }
  }

  private func check(_ status: Int32) {
    precondition(status == 0, "a semaphore's call failed with errno \(errno)")
  }
}
