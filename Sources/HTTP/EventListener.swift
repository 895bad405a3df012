// SPDX-License-Identifier: Apache-2.0

// One client of an event stream: a queue that publishers fill and the connection's thread empties. While it is empty
// the connection is suspended, so that a quiet listener costs no thread's time.

internal import CMicroHTTPD
internal import Glibc
internal import Synchronization

final class EventListener: Sendable {
  // Larger than most events, small enough for thousands of listeners.
  static let blockBytes = 4 << 10

  private struct State {
    var queue: [[UInt8]] = []
    // Of the first entry, already sent.
    var offset = 0
    var queuedBytes = 0
    var isSuspended = false
    var isFinished = false
    // The request has ended: the connection must not be touched any more.
    var isDetached = false
  }

  private let connection: Connection
  private let state: Mutex<State>

  init(_ connection: Connection, initial: [UInt8]) {
    self.connection = connection
    state = Mutex(State(queue: initial.isEmpty ? [] : [initial], queuedBytes: initial.count))
  }

  // False when the listener does not keep up; its connection is then cut.
  func send(_ bytes: [UInt8], queuedBytesMax: Int) -> Bool {
    state.withLock { state in
      guard !state.isFinished, !state.isDetached else { return true }
      // An event larger than the whole bound still reaches a listener that has read all before.
      guard state.queue.isEmpty || state.queuedBytes + bytes.count <= queuedBytesMax else {
        state.queue = []
        state.queuedBytes = 0
        state.isFinished = true
        connection.cut()
        wake(&state)
        return false
      }
      state.queue.append(bytes)
      state.queuedBytes += bytes.count
      wake(&state)
      return true
    }
  }

  // Ends the response after what is queued.
  func finish() {
    state.withLock { state in
      state.isFinished = true
      wake(&state)
    }
  }

  func detach() {
    state.withLock { state in
      state.isDetached = true
      state.queue = []
    }
  }

  // On the connection's thread: fills libmicrohttpd's buffer, or suspends the connection until there is something.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    state.withLock { state in
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
          // The queue is short: its bytes are bounded, and most listeners are up to date.
          state.queue.removeFirst()
          state.offset = 0
        }
      }
      state.queuedBytes -= count
      if count > 0 { return count }
      // MHD_CONTENT_READER_END_OF_STREAM, a macro with a cast that Swift does not import.
      if state.isFinished { return -1 }
      state.isSuspended = true
      unsafe MHD_suspend_connection(connection.handle)
      return 0
    }
  }

  // A response whose body is what is sent to this listener. Owned by the caller; nil when memory is short.
  func makeHandle() -> OpaquePointer? {
    let context = unsafe Unmanaged.passRetained(self).toOpaque()
    let handle = unsafe MHD_create_response_from_callback(
      UInt64.max, EventListener.blockBytes,
      { context, _, buffer, size in
        let listener = unsafe Unmanaged<EventListener>.fromOpaque(context!).takeUnretainedValue()
        return unsafe listener.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size))
      }, context,
      { unsafe Unmanaged<EventListener>.fromOpaque($0!).release() })
    guard let handle = unsafe handle else {
      unsafe Unmanaged<EventListener>.fromOpaque(context).release()
      return nil
    }
    _ = unsafe MHD_add_response_header(handle, "Content-Type", "text/event-stream")
    _ = unsafe MHD_add_response_header(handle, "Cache-Control", "no-store")
    // nginx and others collect a response otherwise.
    _ = unsafe MHD_add_response_header(handle, "X-Accel-Buffering", "no")
    return unsafe handle
  }

  private func wake(_ state: inout State) {
    guard state.isSuspended, !state.isDetached else { return }
    state.isSuspended = false
    unsafe MHD_resume_connection(connection.handle)
  }
}
