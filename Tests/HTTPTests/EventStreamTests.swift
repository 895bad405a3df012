// SPDX-License-Identifier: Apache-2.0

// Server-sent events, from publishing to the socket.

import HTTP
import Testing

private func eventServer(_ stream: EventStream, initial: [UInt8] = []) throws -> TestServer {
  try TestServer {
    $0.requestDeadlineSeconds = 0.5
  } routes: { router in
    router.get("/events") { $0.stream(stream, initial: initial) }
  }
}

private func listen(_ server: TestServer, receiveBufferBytes: Int32? = nil) throws -> RawClient {
  let client = try RawClient(port: server.port, receiveBufferBytes: receiveBufferBytes, of: server)
  try client.send("GET /events HTTP/1.1\r\nHost: t\r\n\r\n")
  return client
}

@Test func eventsAreEncodedAsTheStandardSays() {
  func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
  #expect(text(EventStream.encode(data: "{}")) == "data: {}\n\n")
  #expect(text(EventStream.encode(event: "flag", data: "1", id: "7")) == "id: 7\nevent: flag\ndata: 1\n\n")
  #expect(text(EventStream.encode(data: "a\nb\r\nc\rd")) == "data: a\ndata: b\ndata: c\ndata: d\n\n")
  #expect(text(EventStream.encode(event: "a\ndata: x", data: "")) == "event: adata: x\ndata: \n\n")
}

@Test func eventsReachEveryListenerInOrder() throws {
  let stream = EventStream()
  let server = try eventServer(stream, initial: EventStream.encode(event: "hello", data: "0"))
  let clients = try (0..<10).map { _ in try listen(server) }
  for client in clients {
    let response = try client.response()
    #expect(response.status == 200)
    #expect(response["Content-Type"] == "text/event-stream")
    #expect(try client.chunk() == "event: hello\ndata: 0\n\n")
  }
  #expect(stream.statistics.listeners == 10)
  #expect(server.server.statistics.eventListeners == 10)
  onThreads(2) { thread in for index in 0..<100 { stream.publish(data: "\(thread) \(index)") } }
  stream.publish(data: "end")
  let received = try clients.map { client in
    var text = ""
    while !text.contains("data: end\n\n") { text += try client.chunk() }
    return text
  }
  #expect(Set(received).count == 1)
  #expect(received[0].split(separator: "\n\n").count == 201)
  for thread in 0..<2 {
    let mine = received[0].split(separator: "\n\n").filter { $0.hasPrefix("data: \(thread) ") }
    #expect(mine.map(String.init) == (0..<100).map { "data: \(thread) \($0)" })
  }
}

@Test func heartbeatsComeByThemselvesAndOutliveTheDeadline() throws {
  let server = try eventServer(EventStream(heartbeatSeconds: 0.1))
  let client = try listen(server)
  _ = try client.response()
  let idle = try server.client()
  for _ in 0..<5 { #expect(try client.chunk() == ":\n\n") }
  #expect(idle.isClosedByServer())
  #expect(try client.chunk() == ":\n\n")
}

@Test func aListenerThatDoesNotReadIsDropped() throws {
  let stream = EventStream(queuedBytesMax: 64 << 10, heartbeatSeconds: 1)
  let server = try eventServer(stream)
  let slow = try listen(server, receiveBufferBytes: 4096)
  let quick = try listen(server)
  _ = try quick.response()
  #expect(eventually { stream.statistics.listeners == 2 })
  let event = String(repeating: "x", count: 8_000)
  var received = 0
  for index in 0..<2_000 where stream.statistics.droppedTotal == 0 {
    stream.publish(data: event, id: "\(index)")
    while received <= index { if try quick.chunk().hasSuffix("\n\n") { received += 1 } }
  }
  #expect(stream.statistics.droppedTotal == 1)
  #expect(server.server.statistics.eventListenersDroppedTotal == 1)
  #expect(slow.isClosedByServer())
  #expect(eventually { server.server.statistics.connections == 1 })
  stream.publish(data: "still here")
  #expect(try quick.chunk() == "data: still here\n\n")
}

@Test func aListenerThatLeavesIsForgotten() throws {
  let stream = EventStream(heartbeatSeconds: 0.1)
  let server = try eventServer(stream)
  var clients = try (0..<5).map { _ in try listen(server) }
  for client in clients { _ = try client.response() }
  #expect(stream.statistics.listeners == 5)
  clients.removeLast(3)
  #expect(eventually { stream.statistics.listeners == 2 })
  clients.removeAll()
  #expect(eventually { stream.statistics.listeners == 0 && server.server.statistics.connections == 0 })
  #expect(stream.statistics.droppedTotal == 0)
}

@Test func oneListenerTooManyIsTurnedAway() throws {
  let stream = EventStream(listenersMax: 2)
  let server = try eventServer(stream)
  let clients = try (0..<2).map { _ in try listen(server) }
  for client in clients { #expect(try client.response().status == 200) }
  #expect(try listen(server).response().status == 503)
  #expect(stream.statistics.refusedTotal == 1)
}

@Test func aClosedStreamEndsItsResponses() throws {
  let stream = EventStream()
  let server = try eventServer(stream)
  let client = try listen(server)
  _ = try client.response()
  stream.publish(data: "last")
  stream.close()
  #expect(try client.chunk() == "data: last\n\n")
  #expect(try client.chunk() == "")
  #expect(try listen(server).response().status == 503)
}
