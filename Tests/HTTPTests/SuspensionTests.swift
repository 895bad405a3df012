// SPDX-License-Identifier: Apache-2.0

// Requests that another thread answers.

import HTTP
import Synchronization
import Testing

@Test func manySuspendedRequestsAreAnsweredByOtherThreads() throws {
  let waiting = Box<[SuspendedExchange]>([])
  let server = try TestServer { router in
    router.get("/wait/:id") { exchange in
      let token = exchange.suspend()
      waiting.change { $0.append(token) }
    }
    router.get("/now") { $0.respond(Response(text: "now")) }
  }
  let clients = try (0..<200).map { _ in try server.client() }
  for (index, client) in clients.enumerated() { try client.send("GET /wait/\(index) HTTP/1.1\r\nHost: t\r\n\r\n") }
  #expect(eventually { waiting.value.count == 200 })
  // The server's threads are free meanwhile.
  #expect(try server.client().get("/now").text == "now")
  let prepared = PreparedResponse(Response(text: "done"))
  onThreads(4) { thread in
    for (index, token) in waiting.value.enumerated() where index % 4 == thread {
      let isFirst = index % 2 == 0 ? token.complete(Response(text: "done")) : token.complete(prepared)
      precondition(isFirst && !token.complete(Response(text: "again")))
    }
  }
  for client in clients { #expect(try client.response().text == "done") }
  // Connections go on as if nothing had happened.
  for client in clients { #expect(try client.get("/now").text == "now") }
}

@Test func aRequestMayBeCompletedBeforeItsHandlerReturns() throws {
  let server = try TestServer { router in
    router.post("/", body: .buffered(bytesMax: 100)) { exchange in
      let body = exchange.takeBody()
      exchange.suspend().complete(Response(body: body))
    }
  }
  let client = try server.client()
  for index in 0..<500 { #expect(try client.post("/", Array("\(index)".utf8)).text == "\(index)") }
}

// Handlers hand tokens to threads that complete at once, so that either may be first.
@Test func handlerAndCompleterMayRace() throws {
  let queue = Box<[SuspendedExchange]>([])
  let isDone = Box(false)
  let server = try TestServer { router in
    router.get("/") { exchange in
      let token = exchange.suspend()
      queue.change { $0.append(token) }
    }
  }
  let answered = Box(0)
  onThreads(6) { thread in
    if thread < 2 {
      while !isDone.value {
        let taken: [SuspendedExchange] = queue.change { queue in
          defer { queue = [] }
          return queue
        }
        for token in taken { token.complete(Response(text: "raced")) }
      }
    } else {
      let client = try! server.client()
      for _ in 0..<500 {
        if let response = try? client.get("/"), response.text == "raced" { answered.change { $0 += 1 } }
      }
      if thread == 2 || answered.value == 2000 { _ = eventually { answered.value == 2000 } }
      if thread == 2 { isDone.change { $0 = true } }
    }
  }
  #expect(answered.value == 2000)
}

@Test func aClientMayVanishBeforeItsRequestIsCompleted() throws {
  let waiting = Box<[SuspendedExchange]>([])
  let server = try TestServer { router in
    router.get("/") { exchange in
      let token = exchange.suspend()
      waiting.change { $0.append(token) }
    }
  }
  var clients = try (0..<20).map { _ in try server.client() }
  for client in clients { try client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n") }
  #expect(eventually { waiting.value.count == 20 })
  clients = []
  for token in waiting.value { #expect(token.complete(Response(text: "too late"))) }
  #expect(eventually { server.server.statistics.connections == 0 })
}

@Test func aLostPromiseIsAnsweredWithAnError() throws {
  let server = try TestServer { $0.get("/") { _ = $0.suspend() } }
  let client = try server.client()
  for _ in 0..<3 {
    let response = try client.get("/")
    #expect(response.status == 500)
    #expect(response.text == "the request was given up by the server\n")
  }
}

@Test func aSuspendedRequestOutlivesTheDeadline() throws {
  let waiting = Box<SuspendedExchange?>(nil)
  let server = try TestServer {
    $0.requestDeadlineSeconds = 0.3
  } routes: { router in
    router.get("/") { exchange in
      let token = exchange.suspend()
      waiting.change { $0 = token }
    }
  }
  let client = try server.client()
  try client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
  // Another connection that is cut proves that the deadline has passed.
  let idle = try server.client()
  #expect(idle.isClosedByServer())
  #expect(eventually { waiting.value != nil })
  #expect(waiting.value!.complete(Response(text: "in the end")))
  #expect(try client.response().text == "in the end")
}
