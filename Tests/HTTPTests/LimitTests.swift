// SPDX-License-Identifier: Apache-2.0

// Deadlines, numbers of connections, sizes of headers, addresses.

import Glibc
import HTTP
import Testing

private func rootServer(_ configure: (inout HTTPServer.Configuration) -> Void) throws -> TestServer {
  try TestServer(configure) { router in
    router.get("/") { $0.respond(Response(text: "root")) }
    router.post("/", body: .buffered(bytesMax: 1000)) { $0.respond(Response(text: "posted")) }
  }
}

// Sends a byte at a time until the server ends it; returns the number of bytes sent.
private func dribble(_ client: RawClient, _ text: String) -> Int {
  var sent = 0
  for byte in text.utf8 {
    guard (try? client.send([byte])) != nil else { break }
    sent += 1
    usleep(50_000)
  }
  return sent
}

@Test(arguments: [
  "GET / HTTP/1.1\r\nX-Slow: ", "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n",
])
func aClientThatDribblesIsCut(_ beginning: String) throws {
  let server = try rootServer {
    $0.requestDeadlineSeconds = 0.5
    $0.idleTimeoutSeconds = 60
  }
  let others = Box(0)
  onThreads(2) { thread in
    if thread == 0 {
      let slow = try! server.client()
      try! slow.send(beginning)
      let sent = dribble(slow, String(repeating: "x", count: 400))
      #expect(sent < 100, "the client could send \(sent) bytes")
      #expect(slow.isClosedByServer())
    } else {
      // Others are served meanwhile.
      for _ in 0..<50 {
        if (try? server.client().get("/").text) == "root" { others.change { $0 += 1 } }
        usleep(10_000)
      }
    }
  }
  #expect(others.value == 50)
  #expect(server.server.statistics.deadlineCutsTotal == 1)
}

@Test func aClientThatDoesNotReadIsCut() throws {
  let server = try TestServer {
    $0.requestDeadlineSeconds = 0.5
  } routes: { router in
    router.get("/") { $0.respond(Response(body: [UInt8](repeating: 1, count: 32 << 20))) }
  }
  let client = try RawClient(port: server.port, receiveBufferBytes: 4096, of: server)
  try client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
  #expect(eventually { server.server.statistics.deadlineCutsTotal == 1 })
  #expect(eventually { server.server.statistics.connections == 0 })
}

@Test func anIdleConnectionIsClosed() throws {
  let server = try rootServer { $0.idleTimeoutSeconds = 1 }
  let client = try server.client()
  #expect(try client.get("/").status == 200)
  #expect(client.isClosedByServer())
  #expect(server.server.statistics.deadlineCutsTotal == 0)
}

@Test func connectionsPerClientAreBounded() throws {
  let server = try rootServer { $0.connectionsPerClientMax = 5 }
  var kept = try (0..<5).map { _ in try server.client() }
  for client in kept { #expect(try client.get("/").status == 200) }
  for _ in 0..<3 {
    let refused = try server.client()
    #expect(refused.isClosedByServer())
  }
  #expect(server.server.statistics.connectionsRefusedTotal == 3)
  kept.removeLast()
  #expect(eventually { server.server.statistics.connections == 4 })
  #expect(try server.client().get("/").status == 200)
}

@Test func connectionsAreBoundedInTotal() throws {
  let server = try rootServer { $0.connectionsMax = 5 }
  let kept = try (0..<5).map { _ in try server.client() }
  for client in kept { #expect(try client.get("/").status == 200) }
  // A client that listens before it asks reads why.
  let refused = try server.client()
  #expect(try refused.response().status == 503)
  #expect(refused.isClosedByServer())
  #expect(server.server.statistics.connectionsRefusedTotal == 1)
  for client in kept { #expect(try client.get("/").status == 200) }
}

@Test func tooManyHeadersAreRefused() throws {
  let server = try rootServer { $0.headerBytesMax = 2_000 }
  let client = try server.client()
  #expect(try client.get("/", "X-Large: \(String(repeating: "x", count: 1_500))\r\n").status == 200)
  let response = try client.get("/", "X-Large: \(String(repeating: "x", count: 2_500))\r\n")
  #expect(response.status == 431)
  #expect(response.text == "the headers exceed 2000 bytes\n")
  // More than libmicrohttpd's own memory.
  let huge = try server.client().get("/", "X-Large: \(String(repeating: "x", count: 100_000))\r\n")
  #expect(huge.status == 431)
}

@Test func aPortInUseIsSaid() throws {
  let first = try rootServer { _ in }
  let port = first.port
  #expect(throws: HTTPServerError.addressInUse(host: "127.0.0.1", port: port)) { try rootServer { $0.port = port } }
  withExtendedLifetime(first) {}
}

@Test(arguments: [
  ("localhost", 0, HTTPServerError.invalidHost("localhost")),
  ("", 0, .invalidHost("")),
  ("127.0.0.1", 65_536, .invalidPort(65_536)),
  ("192.0.2.1", 0, .cannotListen(host: "192.0.2.1", port: 0, message: "Cannot assign requested address")),
])
func anAddressThatCannotBeUsedIsSaid(_ host: String, _ port: Int, _ error: HTTPServerError) {
  #expect(throws: error) {
    try rootServer {
      $0.host = host
      $0.port = port
    }
  }
}

@Test func bothFamiliesAreServed() throws {
  let server = try TestServer {
    $0.host = "::"
  } routes: {
    $0.get("/") { $0.respond(Response(text: $0.peer)) }
  }
  #expect(try server.client().get("/").text == "127.0.0.1")
}

@Test func aServerStartsOnce() throws {
  let server = try rootServer { _ in }
  #expect(throws: HTTPServerError.alreadyStarted) { try server.server.start() }
}

@Test func oneWorkerIsEnough() throws {
  let server = try rootServer { $0.workers = 1 }
  #expect(try server.client().get("/").text == "root")
}
