// SPDX-License-Identifier: Apache-2.0

// One request and its answer, as a handler sees it. There is one object a connection, used for its requests one after
// the other, so that a request allocates nothing here. What is read from the request is in Exchange+Request, the
// course of a request in Exchange+Course.

internal import CMicroHTTPD
internal import Synchronization

/// A request being answered. Valid inside the closure that gets it, on that thread; never keep it.
@safe package final class Exchange {
  enum Phase {
    // Between requests.
    case idle
    // The headers are in; the body, if any, is coming.
    case receiving
    // The handler runs.
    case handling
    // Another thread will answer.
    case suspended
    // libmicrohttpd has the answer.
    case answered
  }

  // What becomes of the body that is coming.
  enum Reception {
    case discard
    case buffer
    case stream(any BodyReceiver)
  }

  let core: ServerCore
  let connection: Connection
  let handle: OpaquePointer

  var phase = Phase.idle
  /// The request's method.
  package internal(set) var method = Method.other
  var route: Route?
  var path: [UInt8] = []
  var segments: [Range<Int>] = []
  var parameters: [Range<Int>] = []

  var reception = Reception.discard
  var body: [UInt8] = []
  // Of the body: all bytes so far, and those thrown away.
  var receivedBytes = 0
  var discardedBytes = 0
  // Known before the handler runs: a refusal. The body is read first where that is possible.
  var refusal: Response?
  var listener: (EventStream, EventListener)?
  // Another thread produces the body that is being sent.
  var isStreaming = false
  var status = 0
  // libmicrohttpd took the answer.
  var isQueued = false
  var startedNs: Int64 = 0

  /// What `BodyPolicy.streamed` opened for this request.
  package var receiver: (any BodyReceiver)? {
    if case .stream(let receiver) = reception { receiver } else { nil }
  }

  /// The tag of the route that matches; nil when none does.
  package var routeTag: Int? { route?.tag }

  init(_ core: ServerCore, _ connection: Connection) {
    self.core = core
    self.connection = connection
    unsafe handle = unsafe connection.handle
  }

  // MARK: Answering

  /// Answers the request. Once, from a handler.
  package func respond(_ response: Response) {
    beginAnswer()
    queue(.response(response))
  }

  /// Answers the request with a response that was made before.
  package func respond(_ response: PreparedResponse) {
    beginAnswer()
    queue(.prepared(response))
  }

  /// Puts the request aside until another thread completes the token. The deadline does not run meanwhile.
  package func suspend() -> SuspendedExchange {
    precondition(phase == .handling, "an exchange is answered, suspended or streamed once, from its handler")
    phase = .suspended
    connection.deadlineMs.store(.max, ordering: .relaxed)
    return SuspendedExchange(connection, connection.suspend(), core)
  }

  /// Keeps the connection open and sends it the stream's events. Answers 503 when the stream has all the listeners it
  /// takes. No deadline runs; the connection ends when the client leaves, falls behind, or the stream is closed.
  ///
  /// - Parameters:
  ///   - initial: sent first; made by `EventStream.encode(event:data:id:)`.
  ///   - headers: beside those that every event stream has.
  package func stream(_ stream: EventStream, initial: [UInt8] = [], headers: [Header] = []) {
    beginAnswer()
    guard !core.isDraining.load(ordering: .relaxed) else {
      return queue(.response(core.error(503, "the server is stopping")))
    }
    let listener = EventListener(connection, initial: initial, headers: headers)
    guard stream.add(listener) else {
      return queue(.response(core.error(503, "all places of this event stream are taken; try again later")))
    }
    self.listener = (stream, listener)
    core.sweeper.add(stream)
    status = 200
    connection.deadlineMs.store(.max, ordering: .relaxed)
    guard let response = unsafe listener.makeHandle(method) else { return }
    isQueued = unsafe MHD_queue_response(handle, 200, response) == .YES
    unsafe MHD_destroy_response(response)
  }

  private func beginAnswer() {
    precondition(phase == .handling, "an exchange is answered, suspended or streamed once, from its handler")
    phase = .answered
  }

  // Hands the answer to libmicrohttpd. `isQueued` stays false when it does not take it; the connection is closed then.
  func queue(_ answer: Answer) {
    phase = .answered
    status = answer.status
    switch answer {
    case .prepared(let response):
      isQueued = unsafe MHD_queue_response(handle, UInt32(response.status), response.handle) == .YES
    case .response(let response):
      guard let made = unsafe response.makeHandle() else { return }
      unsafe queue(made)
    case .streamed(let head, let body):
      isStreaming = true
      guard
        let made = unsafe body.makeHandle(
          method, blockBytes: Exchange.streamedBlockBytes, contentType: head.contentType, headers: head.headers)
      else { return }
      unsafe queue(made)
    }
  }

  // Takes over the response.
  private func queue(_ response: OpaquePointer) {
    if core.isDraining.load(ordering: .relaxed) {
      _ = unsafe MHD_add_response_header(response, "Connection", "close")
    }
    isQueued = unsafe MHD_queue_response(handle, UInt32(status), response) == .YES
    unsafe MHD_destroy_response(response)
  }

  // A chunk is at most what is left of a connection's memory.
  private static let streamedBlockBytes = 16 << 10
}
