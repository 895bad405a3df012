// SPDX-License-Identifier: Apache-2.0

// Bodies that are sent while another thread makes them.

import HTTP
import Testing

private let head = Response(contentType: "text/plain").with("X-Made", "slowly")

/// Hands the token of each request to the test.
private func streamingServer(_ waiting: Box<SuspendedExchange?>, deadlineSeconds: Double = 60) throws -> TestServer {
  try TestServer {
    $0.requestDeadlineSeconds = deadlineSeconds
  } routes: { router in
    router.get("/body") { exchange in
      let token = exchange.suspend()
      waiting.change { $0 = token }
    }
    router.get("/now") { $0.respond(Response(text: "now")) }
  }
}

private func take(_ waiting: Box<SuspendedExchange?>) -> SuspendedExchange {
  #expect(eventually { waiting.value != nil })
  return waiting.change { token in
    defer { token = nil }
    return token!
  }
}

/// Writes until nothing more is wanted; true where that came before `piecesMax`.
private func writeUntilRefused(_ writer: BodyWriter, piecesMax: Int = 10_000) -> Bool {
  for _ in 0..<piecesMax where !writer.write([UInt8](repeating: 0x78, count: 64 << 10)) { return true }
  return false
}

private func body(_ client: RawClient) throws -> String {
  var text = ""
  while true {
    let chunk = try client.chunk()
    if chunk.isEmpty { return text }
    text += chunk
  }
}

@Test func aBodyArrivesWholeAndTheConnectionGoesOn() throws {
  let waiting = Box<SuspendedExchange?>(nil)
  let server = try streamingServer(waiting)
  let client = try server.client()
  for count in [0, 1, 3_000] {
    try client.send("GET /body HTTP/1.1\r\nHost: t\r\n\r\n")
    let token = take(waiting)
    let expected = (0..<count).map { "line \($0) of some length, so that buffers fill at any byte\n" }
    onThreads(1) { _ in
      let writer = token.stream(head, queuedBytesMax: 10_000)
      onThreads(1) { _ in
        for line in expected { precondition(writer.write(Array(line.utf8))) }
        writer.finish()
      }
    }
    let response = try client.response()
    #expect(response.status == 200 && response["X-Made"] == "slowly" && response["Content-Type"] == "text/plain")
    #expect(try body(client) == expected.joined())
  }
  #expect(try client.get("/now").text == "now")
}

@Test func aProducerWaitsForAClientThatDoesNotRead() throws {
  let waiting = Box<SuspendedExchange?>(nil)
  let server = try streamingServer(waiting)
  let written = Box(0)
  let receivedBytes = Box(0)
  onThreads(2) { thread in
    if thread == 0 {
      let writer = take(waiting).stream(head, queuedBytesMax: 100_000)
      for _ in 0..<200 {
        precondition(writer.write([UInt8](repeating: 0x78, count: 100_000)))
        written.change { $0 += 1 }
      }
      writer.finish()
    } else if let client = try? server.client() {
      try? client.send("GET /body HTTP/1.1\r\nHost: t\r\n\r\n")
      // What the sockets hold, and the queue; then nothing until somebody reads.
      var before = -1
      while written.value == 0 || written.value != before {
        before = written.value
        _ = eventually(seconds: 0.3) { false }
      }
      #expect(written.value < 150)
      _ = try? client.response()
      let count = (try? body(client))?.utf8.count ?? 0
      receivedBytes.change { $0 = count }
    }
  }
  #expect(written.value == 200)
  #expect(receivedBytes.value == 20_000_000)
}

@Test func aProducerIsToldWhenItsClientLeaves() throws {
  let waiting = Box<SuspendedExchange?>(nil)
  let server = try streamingServer(waiting)
  var client: RawClient? = try server.client()
  try client!.send("GET /body HTTP/1.1\r\nHost: t\r\n\r\n")
  let token = take(waiting)
  client = nil
  #expect(writeUntilRefused(token.stream(head)))
  #expect(eventually { server.server.statistics.connections == 0 })
}

@Test func aClientThatStopsReadingIsCutAtTheDeadline() throws {
  let waiting = Box<SuspendedExchange?>(nil)
  let server = try streamingServer(waiting, deadlineSeconds: 0.3)
  let client = try RawClient(port: server.port, receiveBufferBytes: 4096, of: server)
  try client.send("GET /body HTTP/1.1\r\nHost: t\r\n\r\n")
  #expect(writeUntilRefused(take(waiting).stream(head)))
  #expect(eventually { server.server.statistics.deadlineCutsTotal == 1 })
  #expect(client.isClosedByServer())
}

@Test func aSlowProducerOutlivesTheDeadline() throws {
  let waiting = Box<SuspendedExchange?>(nil)
  let server = try streamingServer(waiting, deadlineSeconds: 0.3)
  let client = try server.client()
  try client.send("GET /body HTTP/1.1\r\nHost: t\r\n\r\n")
  let writer = take(waiting).stream(head)
  #expect(writer.write(Array("first".utf8)))
  #expect(try client.response().status == 200)
  #expect(try client.chunk() == "first")
  // Another connection that is cut proves that the deadline has passed.
  #expect(try server.client().isClosedByServer())
  #expect(writer.write(Array("second".utf8)))
  writer.finish()
  #expect(try client.chunk() == "second")
  #expect(try client.chunk() == "")
}

@Test func aBodyThatIsGivenUpIsNotTakenForWhole() throws {
  let waiting = Box<SuspendedExchange?>(nil)
  let server = try streamingServer(waiting)
  let client = try server.client()
  try client.send("GET /body HTTP/1.1\r\nHost: t\r\n\r\n")
  do {
    let writer = take(waiting).stream(head)
    #expect(writer.write(Array("half".utf8)))
    #expect(try client.response().status == 200)
    #expect(try client.chunk() == "half")
  }
  #expect(throws: ClientError.self) { try client.chunk() }
}

@Test func aHeadIsAnsweredWithoutABody() throws {
  let waiting = Box<SuspendedExchange?>(nil)
  let server = try streamingServer(waiting)
  let client = try server.client()
  try client.send("HEAD /body HTTP/1.1\r\nHost: t\r\n\r\n")
  #expect(writeUntilRefused(take(waiting).stream(head)))
  let response = try client.response(isHead: true)
  #expect(response["X-Made"] == "slowly" && response["Connection"] == "close" && response["Transfer-Encoding"] == nil)
  #expect(throws: ClientError.self) { try client.read(1) }
}

@Test func aStoppingServerCutsABodyAndTellsItsProducer() throws {
  let waiting = Box<SuspendedExchange?>(nil)
  let server = try streamingServer(waiting)
  let clients = try (0..<2).map { _ in try server.client() }
  let writers = try clients.map { client in
    try client.send("GET /body HTTP/1.1\r\nHost: t\r\n\r\n")
    let writer = take(waiting).stream(head)
    #expect(writer.write(Array("begun".utf8)))
    #expect(try client.response().status == 200)
    return writer
  }
  // One ends in time.
  writers[0].finish()
  #expect(try body(clients[0]) == "begun")
  server.server.stop(drainSeconds: 0.2)
  #expect(!writers[1].write([1]))
  #expect(clients[1].isClosedByServer())
  #expect(server.server.statistics.connections == 0)
}

@Test func aRequestThatWasAnsweredTakesNoBody() throws {
  let waiting = Box<SuspendedExchange?>(nil)
  let server = try streamingServer(waiting)
  let client = try server.client()
  try client.send("GET /body HTTP/1.1\r\nHost: t\r\n\r\n")
  let token = take(waiting)
  #expect(token.complete(Response(text: "done")))
  #expect(!token.stream(head).write([1]))
  #expect(try client.response().text == "done")
}
