// SPDX-License-Identifier: Apache-2.0

// The course of one request: headers, body, handler, end. Called by the callbacks, on the connection's thread.
//
// An answer queued before the body is read makes libmicrohttpd close the connection, and in the middle of the body it
// takes none. So a refusal waits while the rest of the body is read and thrown away, as long as that is little.

internal import CMicroHTTPD
internal import Glibc
internal import Synchronization

extension Exchange {
  // The headers are in.
  func begin(path text: UnsafePointer<CChar>, method name: UnsafePointer<CChar>) -> MHD_Result {
    method = unsafe Method(name)
    phase = .receiving
    connection.requests.store(connection.requests.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    connection.isBusy.store(true, ordering: .relaxed)
    connection.deadlineMs.store(core.requestDeadlineMs, ordering: .relaxed)
    if core.hooks.completed != nil { startedNs = monotonicNs() }
    refusal = unsafe decide(text, name)
    guard refusal != nil else { return .YES }
    reception = .discard
    return refuseEarly()
  }

  // Some of the body; everything is taken.
  func receive(_ chunk: UnsafeRawBufferPointer) -> MHD_Result {
    receivedBytes += chunk.count
    if refusal == nil, route != nil { unsafe deliver(chunk) }
    guard case .discard = reception else { return .YES }
    discardedBytes += chunk.count
    return discardedBytes <= core.configuration.discardedBytesMax ? .YES : giveUp()
  }

  // The request is complete, or was resumed.
  func finish() -> MHD_Result {
    switch phase {
    case .receiving:
      if let refusal {
        queue(.response(refusal))
      } else {
        handle(route!)
      }
    case .suspended:
      connection.deadlineMs.store(core.requestDeadlineMs, ordering: .relaxed)
      guard let answer = connection.takeAnswer() else { return .NO }
      queue(answer)
    case .idle, .handling, .answered:
      return .NO
    }
    return phase == .suspended || isQueued ? .YES : .NO
  }

  // The answer is out, or the connection broke. The object is as new afterwards.
  func end() {
    if let (stream, listener) = listener {
      listener.detach()
      stream.remove(listener)
      self.listener = nil
    }
    // A connection that broke while it was suspended takes no answer.
    if isStreaming || phase == .suspended { connection.detachBody() }
    if let completed = core.hooks.completed, phase != .idle {
      completed(
        CompletedRequest(method: method, routeTag: routeTag, status: status, durationNs: monotonicNs() - startedNs))
    }
    if receivedBytes > 0 {
      core.bodies.giveBack(takeBody())
      reception = .discard
      receivedBytes = 0
      discardedBytes = 0
    }
    if case .stream = reception { reception = .discard }
    phase = .idle
    route = nil
    refusal = nil
    status = 0
    isQueued = false
    isStreaming = false
    connection.isBusy.store(false, ordering: .relaxed)
    connection.deadlineMs.store(core.requestDeadlineMs, ordering: .relaxed)
  }

  private func handle(_ route: Route) {
    phase = .handling
    route.handler(self)
    guard phase == .handling else { return }
    queue(.response(core.error(500, "the request was not answered")))
  }

  // MARK: Deciding on the headers

  // Where the body ends must not be a matter of opinion between us and a proxy in front (RFC 9112, sections 6.1, 6.3).
  private var framingFault: String? {
    let lengths = headerCount("Content-Length")
    guard lengths > 0 || headerCount("Transfer-Encoding") > 0 else { return nil }
    if lengths > 1 { return "Content-Length: given more than once" }
    guard let encoding = header("Transfer-Encoding") else { return nil }
    if lengths > 0 { return "Content-Length: must not come with Transfer-Encoding" }
    return encoding.lowercased() == "chunked" ? nil : "Transfer-Encoding: \(encoding.prefix(40)): must be chunked"
  }

  private func decide(_ text: UnsafePointer<CChar>, _ methodName: UnsafePointer<CChar>) -> Response? {
    let bytes = unsafe UnsafeRawBufferPointer(start: text, count: strlen(text))
    let isPath = unsafe bytes.withMemoryRebound(to: UInt8.self) {
      unsafe PercentDecoding.decodePath(
        $0.span, into: &path, segments: &segments, segmentsMax: core.configuration.pathSegmentsMax)
    }
    let node = isPath ? core.router.match(path, segments, &parameters) : nil
    route = node?.route(method)
    if let refused = core.hooks.admission?(self) { return refused }
    if let fault = framingFault { return core.error(400, fault) }
    guard isPath else { return core.error(400, "the path is malformed or has too many segments") }
    guard unsafe cmhd_request_header_size(handle) <= core.configuration.headerBytesMax else {
      return core.error(431, "the headers exceed \(core.configuration.headerBytesMax) bytes")
    }
    guard let node else { return core.error(404, "no such resource: \(pathText)") }
    guard let route else {
      let name = unsafe String(cString: methodName).prefix(40)
      return core.error(405, "\(name) is not allowed here").with("Allow", node.allowedMethods)
    }
    return open(route.body)
  }

  private func open(_ policy: BodyPolicy) -> Response? {
    switch policy {
    case .none:
      reception = .discard
      return nil
    case .buffered(let bytesMax):
      let announced = contentLength ?? 0
      guard announced <= bytesMax else { return tooLarge(bytesMax) }
      reception = .buffer
      return nil
    case .streamed(let bytesMax, let open):
      guard (contentLength ?? 0) <= bytesMax else { return tooLarge(bytesMax) }
      switch open(self) {
      case .accept(let receiver):
        reception = .stream(receiver)
        return nil
      case .refuse(let response): return response
      }
    }
  }

  private var contentLength: Int? {
    guard let text = unsafe MHD_lookup_connection_value(handle, .HEADER_KIND, "Content-Length") else { return nil }
    // libmicrohttpd has refused what is not a number.
    return unsafe Int(exactly: strtoull(text, nil, 10)) ?? .max
  }

  private func tooLarge(_ bytesMax: Int) -> Response {
    core.error(413, "the body exceeds \(bytesMax) bytes")
  }

  // Answers now when the client waits for leave to send, or would send more than is worth reading.
  private func refuseEarly() -> MHD_Result {
    let expects = withHeader("Expect") { $0.count > 0 } ?? false
    // Nobody knows where such a body ends, so nobody may wait for its end.
    guard expects || framingFault != nil || (contentLength ?? 0) > core.configuration.discardedBytesMax else { return .YES }
    connection.lingers.store(true, ordering: .relaxed)
    queue(.response(refusal!))
    return isQueued ? .YES : .NO
  }

  // MARK: Receiving the body

  private func deliver(_ chunk: UnsafeRawBufferPointer) {
    guard receivedBytes <= route!.body.bytesMax else {
      if case .none = route!.body { return }
      return refuse(tooLarge(route!.body.bytesMax))
    }
    switch reception {
    case .discard: break
    case .buffer:
      if body.capacity == 0 { body = core.bodies.take() }
      unsafe body.append(contentsOf: chunk)
    case .stream(let receiver):
      let verdict = unsafe chunk.withMemoryRebound(to: UInt8.self) { unsafe receiver.receive($0.span) }
      if case .refuse(let response) = verdict { refuse(response) }
    }
  }

  private func refuse(_ response: Response) {
    refusal = response
    reception = .discard
  }

  // Too much to read to the end, and too late for libmicrohttpd to send an answer: write it ourselves and close.
  private func giveUp() -> MHD_Result {
    let response = refusal ?? core.error(413, "the body exceeds \(core.configuration.discardedBytesMax) bytes")
    status = response.status
    connection.lingers.store(true, ordering: .relaxed)
    connection.sendLastWord(response.closingBytes(omitsBody: method == .head))
    return .NO
  }
}

extension Response {
  // The whole response as it goes over the wire, for a connection that is closed afterwards.
  func closingBytes(omitsBody: Bool) -> [UInt8] {
    var head = "HTTP/1.1 \(status) Refused\r\nConnection: close\r\nContent-Length: \(body.count)\r\n"
    if let contentType { head += "Content-Type: \(contentType)\r\n" }
    for header in headers { head += "\(header.name): \(header.value)\r\n" }
    return Array((head + "\r\n").utf8) + (omitsBody ? [] : body)
  }
}

func monotonicNs() -> Int64 {
  var time = timespec()
  _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
