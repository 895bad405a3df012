// SPDX-License-Identifier: Apache-2.0

// Which handler a request reaches and what it reads of the request.

import HTTP
import Testing

private func flagServer() throws -> TestServer {
  try TestServer { router in
    router.get("/") { $0.respond(Response(text: "root")) }
    router.get("/api/v1/flags") { $0.respond(Response(text: "list")) }
    router.get("/api/v1/flags/import") { $0.respond(Response(text: "import")) }
    router.get("/api/v1/flags/:key", tag: 7) { $0.respond(Response(text: "flag \($0.parameter(0)) \($0.routeTag!)")) }
    router.add(.put, "/api/v1/flags/:key", body: .buffered(bytesMax: 10)) { $0.respond(Response(status: 204)) }
    router.post("/api/v1/flags/:key/rollout/:action", body: .none) {
      $0.respond(Response(text: "\($0.parameter(1)) \($0.parameter(0))"))
    }
    router.get("/assets/*path") { $0.respond(Response(text: "asset \($0.parameter(0))")) }
    router.get("/echo") { exchange in
      var pairs: [String] = []
      exchange.forEachQuery { name, value in pairs.append("\(name.count)=\(value.count)") }
      let match = exchange.queryAll("match[]").joined(separator: ",")
      let size = exchange.withQuery("q") { $0.count } ?? -1
      exchange.respond(
        Response(
          text: "\(exchange.query("q") ?? "-")|\(size)|\(match)|\(pairs.joined(separator: " "))|"
            + "\(exchange.header("x-token") ?? "-")|\(exchange.withHeader("X-Token") { $0.count } ?? -1)|"
            + "\(exchange.headerCount("x-token"))|\(exchange.peer)|\(exchange.pathText)"))
    }
  }
}

@Test(arguments: [
  ("/", 200, "root"),
  ("/api/v1/flags", 200, "list"),
  ("/api/v1/flags/import", 200, "import"),
  ("/api/v1/flags/checkout", 200, "flag checkout 7"),
  ("/api/v1/flags/a%2Fb%20c", 200, "flag a/b c 7"),
  ("/%61pi/v1/flags", 200, "list"),
  ("/assets/js/app.js", 200, "asset js/app.js"),
  ("/api/v1/flags/", 404, "no such resource: /api/v1/flags/\n"),
  ("/api/v1/flags/a/b", 404, "no such resource: /api/v1/flags/a/b\n"),
  ("/assets/", 404, "no such resource: /assets/\n"),
  ("/none", 404, "no such resource: /none\n"),
  ("/a%zz", 400, "the path is malformed or has too many segments\n"),
  ("/api/v1/flags/a%00", 400, "the path is malformed or has too many segments\n"),
  ("/a%2", 400, "the path is malformed or has too many segments\n"),
  ("/" + String(repeating: "a/", count: 40), 400, "the path is malformed or has too many segments\n"),
])
func pathsReachTheirRoute(_ path: String, _ status: Int, _ text: String) throws {
  let response = try flagServer().client().get(path)
  #expect(response.status == status)
  #expect(response.text == text)
}

@Test func methodsShareAPath() throws {
  let server = try flagServer()
  let client = try server.client()
  try client.send("PUT /api/v1/flags/a HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{}")
  #expect(try client.response().status == 204)
  let response = try client.post("/api/v1/flags/checkout/rollout/pause", [])
  #expect(response.text == "pause checkout")
}

@Test func anUnknownMethodIsAnsweredWithAllow() throws {
  let server = try flagServer()
  let client = try server.client()
  for method in ["DELETE", "BREW"] {
    try client.send("\(method) /api/v1/flags/a HTTP/1.1\r\nHost: t\r\n\r\n")
    let response = try client.response()
    #expect(response.status == 405)
    #expect(response["Allow"] == "GET, HEAD, PUT")
    #expect(response.text == "\(method) is not allowed here\n")
  }
  // The connection was kept.
  #expect(try client.get("/").status == 200)
}

@Test func headIsAnsweredByGetWithoutABody() throws {
  let client = try flagServer().client()
  try client.send("HEAD /api/v1/flags HTTP/1.1\r\nHost: t\r\n\r\n")
  let response = try client.response(isHead: true)
  #expect(response.status == 200)
  #expect(response["Content-Length"] == "4")
  #expect(try client.get("/").text == "root")
}

@Test func queryAndHeadersAreDecoded() throws {
  let client = try flagServer().client()
  let response = try client.get(
    "/echo?q=a%26b+c%00&match%5B%5D=x&match[]=y&flag&bad=%zz", "X-TOKEN: one\r\nx-token: two\r\n")
  #expect(response.text == "a&b c\0|6|x,y|1=6 7=1 7=1 4=0 3=3|one|3|2|127.0.0.1|/echo")
  #expect(try client.get("/echo").text == "-|-1|||-|-1|0|127.0.0.1|/echo")
}

@Test func aConnectionIsKeptForManyRequests() throws {
  let server = try flagServer()
  let client = try server.client()
  for index in 0..<100 {
    let response = try client.get("/api/v1/flags/f\(index)")
    #expect(response.text == "flag f\(index) 7")
    #expect(response["Date"] != nil)
    #expect(response["Connection"] == nil)
  }
  #expect(server.server.statistics.connectionsTotal == 1)
  #expect(server.server.statistics.requestsTotal == 100)
}

@Test func pipelinedRequestsAreAnsweredInOrder() throws {
  let client = try flagServer().client()
  try client.send((0..<50).map { "GET /api/v1/flags/p\($0) HTTP/1.1\r\nHost: t\r\n\r\n" }.joined())
  for index in 0..<50 { #expect(try client.response().text == "flag p\(index) 7") }
}

@Test func anUnansweredRequestIsAnError() throws {
  let server = try TestServer { $0.get("/") { _ in } }
  #expect(try server.client().get("/").status == 500)
}
