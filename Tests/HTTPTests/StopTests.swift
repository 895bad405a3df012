// SPDX-License-Identifier: Apache-2.0

// Stopping while requests are in progress.

import HTTP
import Testing

private func waitingServer(_ waiting: Box<[SuspendedExchange]>, _ stream: EventStream) throws -> TestServer {
  try TestServer { router in
    router.get("/wait") { exchange in
      let token = exchange.suspend()
      waiting.change { $0.append(token) }
    }
    router.get("/now") { $0.respond(Response(text: "now")) }
    router.get("/events") { $0.stream(stream) }
  }
}

@Test func requestsInProgressAreAnsweredBeforeTheServerStops() throws {
  let waiting = Box<[SuspendedExchange]>([])
  let server = try waitingServer(waiting, EventStream())
  let clients = try (0..<10).map { _ in try server.client() }
  for client in clients { try client.send("GET /wait HTTP/1.1\r\nHost: t\r\n\r\n") }
  #expect(eventually { waiting.value.count == 10 })
  let idle = try server.client()
  #expect(try idle.get("/now").status == 200)
  let isStopped = Box(false)
  onThreads(2) { thread in
    if thread == 0 {
      server.server.stop(drainSeconds: 20)
      isStopped.change { $0 = true }
    } else {
      // New clients are refused, idle ones closed; those in progress wait.
      #expect(eventually { (try? RawClient(port: server.port)) == nil })
      #expect(eventually { server.server.statistics.connections == 10 })
      #expect(!isStopped.value)
      for token in waiting.value { #expect(token.complete(Response(text: "done"))) }
    }
  }
  #expect(idle.isClosedByServer())
  for client in clients {
    let response = try client.response()
    #expect(response.status == 200)
    #expect(response["Connection"] == "close")
  }
  #expect(server.server.statistics.connections == 0)
}

@Test func whatIsNotAnsweredInTimeIsRefused() throws {
  let waiting = Box<[SuspendedExchange]>([])
  let server = try waitingServer(waiting, EventStream())
  let clients = try (0..<10).map { _ in try server.client() }
  for client in clients { try client.send("GET /wait HTTP/1.1\r\nHost: t\r\n\r\n") }
  #expect(eventually { waiting.value.count == 10 })
  server.server.stop(drainSeconds: 0.1)
  for client in clients { #expect(try client.response().status == 503) }
  for token in waiting.value { #expect(!token.complete(Response(text: "too late"))) }
}

@Test func listenersAreReleasedWhenTheServerStops() throws {
  let stream = EventStream()
  let server = try waitingServer(Box([]), stream)
  let clients = try (0..<20).map { _ in try server.client() }
  for client in clients {
    try client.send("GET /events HTTP/1.1\r\nHost: t\r\n\r\n")
    #expect(try client.response().status == 200)
  }
  stream.publish(data: "last")
  server.server.stop(drainSeconds: 10)
  for client in clients {
    #expect(try client.chunk() == "data: last\n\n")
    #expect(try client.chunk() == "")
  }
  #expect(stream.statistics.listeners == 0)
}

// A thread that is awake while the listening socket goes made libmicrohttpd end the process, once in some hundred stops.
@Test func stoppingWhileItsThreadsAreAwakeIsSafe() throws {
  for _ in 0..<150 {
    let stream = EventStream()
    let server = try waitingServer(Box([]), stream)
    let clients = try (0..<4).map { _ in try server.client() }
    for client in clients {
      try client.send("GET /events HTTP/1.1\r\nHost: t\r\n\r\n")
      #expect(try client.response().status == 200)
    }
    stream.publish(data: "last")
    server.server.stop(drainSeconds: 1)
    #expect(try clients[0].chunk() == "data: last\n\n")
    #expect(throws: (any Error).self) { try server.client() }
  }
}

@Test func stoppingUnderLoadLosesNoAnswerThatBegan() throws {
  let waiting = Box<[SuspendedExchange]>([])
  let server = try waitingServer(waiting, EventStream())
  let wrong = Box<[String]>([])
  onThreads(6) { thread in
    if thread == 0 {
      _ = eventually { server.server.statistics.requestsTotal > 200 }
      server.server.stop(drainSeconds: 2)
    } else if thread == 1 {
      for _ in 0..<400 {
        let taken: [SuspendedExchange] = waiting.change { queue in
          defer { queue = [] }
          return queue
        }
        for token in taken { token.complete(Response(text: "done")) }
        _ = eventually(seconds: 0.005) { false }
      }
    } else {
      // Ends when the server refuses; each answer that does arrive is the right one.
      while let client = try? RawClient(port: server.port),
        let response = try? client.get(thread % 2 == 0 ? "/now" : "/wait")
      {
        if response.status != 200 { wrong.change { $0.append("\(response.status) \(response.text)") } }
      }
    }
  }
  #expect(wrong.value == [])
}

@Test func stoppingTwiceOrUnstartedIsHarmless() throws {
  let server = HTTPServer(configuration: HTTPServer.Configuration(), router: Router())
  server.stop()
  server.stop()
  #expect(throws: HTTPServerError.alreadyStarted) { try server.start() }
}
