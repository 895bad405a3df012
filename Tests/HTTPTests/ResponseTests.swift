// SPDX-License-Identifier: Apache-2.0

// What a response looks like on the wire.

import HTTP
import Testing

@Test(arguments: ["a\r\nSet-Cookie: x=1", "a\nb", "a\rb", "a\0b", "a\u{7F}b"])
func aHeaderCannotBeInjected(_ value: String) throws {
  #expect(Header("X-Name", value) == nil)
  var response = Response(text: "ok")
  let isAdded = response.addHeader("X-Name", value)
  #expect(!isAdded)
  #expect(response.headers.isEmpty)
  let server = try TestServer { router in
    router.get("/") { $0.respond(Response(text: "ok").with("X-Name", $0.query("name") ?? "")) }
  }
  let encoded = value.utf8.map { "%" + (String($0, radix: 16).count == 1 ? "0" : "") + String($0, radix: 16) }.joined()
  let answer = try server.client().get("/?name=\(encoded)")
  #expect(answer.status == 200)
  #expect(answer["X-Name"] == nil)
  #expect(answer["Set-Cookie"] == nil)
}

@Test func headersArriveAsGiven() throws {
  let server = try TestServer { router in
    router.get("/") { exchange in
      var response = Response(status: 503, contentType: "application/json", body: Array("{}".utf8))
      response.addHeader("Retry-After", "7")
      response.addHeader("Set-Cookie", "a=1")
      response.addHeader("Set-Cookie", "b=\"ü\"\t2")
      exchange.respond(response)
    }
  }
  let response = try server.client().get("/")
  #expect(response.status == 503)
  #expect(response["Content-Type"] == "application/json")
  #expect(response["Retry-After"] == "7")
  #expect(response.headers.filter { $0.name == "Set-Cookie" }.map(\.value) == ["a=1", "b=\"ü\"\t2"])
}

@Test func bodiesOfEverySizeArriveWhole() throws {
  let server = try TestServer { router in
    router.get("/:size") { exchange in
      let size = Int(exchange.parameter(0))!
      exchange.respond(Response(body: (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 13) }))
    }
  }
  let client = try server.client()
  for size in [0, 1, 4096, 4097, 100_000, 3 << 20] {
    #expect(try client.get("/\(size)").body == (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 13) })
  }
}

@Test func aPreparedResponseServesManyAtOnce() throws {
  let body = (0..<50_000).map { UInt8(truncatingIfNeeded: $0) }
  let asset = PreparedResponse(Response(contentType: "text/css", body: body).with("ETag", "\"1\""))
  let notModified = PreparedResponse(Response(status: 304).with("ETag", "\"1\""))
  let noContent = PreparedResponse(Response(status: 204))
  let server = try TestServer { router in
    router.get("/a") { $0.respond($0.header("If-None-Match") == "\"1\"" ? notModified : asset) }
    router.get("/n") { $0.respond(noContent) }
  }
  let failures = Box<[String]>([])
  onThreads(8) { _ in
    do {
      let client = try server.client()
      for _ in 0..<100 {
        let whole = try client.get("/a")
        let unchanged = try client.get("/a", "If-None-Match: \"1\"\r\n")
        let nothing = try client.get("/n")
        try client.send("HEAD /a HTTP/1.1\r\nHost: t\r\n\r\n")
        let head = try client.response(isHead: true)
        guard whole.body == body, unchanged.status == 304, unchanged["ETag"] == "\"1\"", nothing.status == 204,
          head["Content-Length"] == "50000"
        else { throw ClientError(description: "\(whole.status) \(unchanged.status) \(nothing.status)") }
      }
    } catch {
      failures.change { $0.append("\(error)") }
    }
  }
  #expect(failures.value == [])
}

@Test func completedRequestsAreReported() throws {
  let seen = Box<[CompletedRequest]>([])
  let server = try TestServer(hooks: HTTPServer.Hooks(completed: { request in seen.change { $0.append(request) } })) {
    $0.get("/", tag: 3) { $0.respond(Response(status: 201)) }
  }
  let client = try server.client()
  _ = try client.get("/")
  _ = try client.get("/none")
  #expect(eventually { seen.value.count == 2 })
  #expect(seen.value.map(\.status) == [201, 404])
  #expect(seen.value.map(\.routeTag) == [3, nil])
  #expect(seen.value.allSatisfy { $0.method == .get && $0.durationNs > 0 })
}
