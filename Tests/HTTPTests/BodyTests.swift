// SPDX-License-Identifier: Apache-2.0

// Bodies: collected, streamed, too large, unwanted, refused on arrival.

import HTTP
import Testing

// Counts lines and bytes; refuses at a byte 0.
private final class LineCounter: BodyReceiver {
  var lines = 0
  var bytes = 0

  func receive(_ chunk: Span<UInt8>) -> BodyVerdict {
    for index in chunk.indices {
      if chunk[index] == 0 { return .refuse(Response(status: 422, text: "byte \(bytes + index) is 0\n")) }
      if chunk[index] == UInt8(ascii: "\n") { lines += 1 }
    }
    bytes += chunk.count
    return .proceed
  }
}

private let bodyMax = 16 << 20

private func bodyServer() throws -> TestServer {
  try TestServer { router in
    router.post("/buffered", body: .buffered(bytesMax: 100_000)) { exchange in
      exchange.respond(exchange.withBody { Response(body: $0.reversed) })
    }
    router.post(
      "/streamed",
      body: .streamed(bytesMax: bodyMax) { exchange in
        guard exchange.header("Content-Encoding") == nil else { return .refuse(Response(status: 415)) }
        return .accept(LineCounter())
      }
    ) { exchange in
      let counter = exchange.receiver as! LineCounter
      exchange.respond(Response(text: "\(counter.lines) \(counter.bytes) \(exchange.bodySizeBytes)"))
    }
    router.post("/none", body: .none) { $0.respond(Response(text: "none \($0.withBody { $0.count })")) }
    router.get("/") { $0.respond(Response(text: "root")) }
  }
}

extension Span<UInt8> {
  fileprivate var reversed: [UInt8] { indices.reversed().map { self[$0] } }
}

private func chunked(_ body: [UInt8], size: Int) -> [UInt8] {
  var bytes: [UInt8] = []
  for start in stride(from: 0, to: body.count, by: size) {
    let part = body[start..<min(start + size, body.count)]
    bytes += Array("\(String(part.count, radix: 16))\r\n".utf8) + part + Array("\r\n".utf8)
  }
  return bytes + Array("0\r\n\r\n".utf8)
}

@Test func aBufferedBodyArrivesWhole() throws {
  let client = try bodyServer().client()
  for size in [0, 1, 100, 99_999, 100_000] {
    let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let response = try client.post("/buffered", body)
    #expect(response.status == 200)
    #expect(response.body == body.reversed())
  }
}

@Test func aChunkedBodyArrivesWhole() throws {
  let client = try bodyServer().client()
  let body = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
  for size in [1_000, 77_777] {
    try client.send("POST /buffered HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
    try client.send(chunked(body, size: size))
    #expect(try client.response().body == body.reversed())
  }
}

@Test func aLargeBodyStreams() throws {
  let client = try bodyServer().client()
  let line = Array(#"{"event":"cache_get","key":"user:1","hit":true}"#.utf8) + [UInt8(ascii: "\n")]
  let body = Array(repeatElement(line, count: (13 << 20) / line.count).joined())
  let expected = "\(body.count / line.count) \(body.count) \(body.count)"
  #expect(try client.post("/streamed", body).text == expected)
  try client.send("POST /streamed HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
  try client.send(chunked(body, size: 60_000))
  #expect(try client.response().text == expected)
}

@Test func aBodyOneByteTooLargeIsRefusedByItsLength() throws {
  let client = try bodyServer().client()
  let response = try client.post("/buffered", Array(repeating: 1, count: 100_001))
  #expect(response.status == 413)
  #expect(response.text == "the body exceeds 100000 bytes\n")
  // That little is read to its end, so the connection is kept.
  #expect(try client.get("/").text == "root")
}

@Test func aHugeAnnouncedBodyIsRefusedWhileTheClientStillSends() throws {
  let client = try bodyServer().client()
  try client.send("POST /streamed HTTP/1.1\r\nHost: t\r\nContent-Length: \(64 << 20)\r\n\r\n")
  // The client does not look up before all is sent, as many do.
  try? client.send([UInt8](repeating: 1, count: 64 << 20))
  #expect(try client.response().status == 413)
  #expect(client.isClosedByServer())
}

@Test func aChunkedBodyTooLargeIsRefusedWhileItArrives() throws {
  let client = try bodyServer().client()
  try client.send("POST /buffered HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
  try client.send(chunked([UInt8](repeating: 1, count: 200_000), size: 10_000))
  #expect(try client.response().status == 413)
  #expect(try client.get("/").status == 200)
}

@Test func aHugeChunkedBodyIsRefusedAndTheRefusalArrives() throws {
  let client = try bodyServer().client()
  try client.send("POST /buffered HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
  try? client.send(chunked([UInt8](repeating: 1, count: 32 << 20), size: 100_000))
  let response = try client.response()
  #expect(response.status == 413)
  #expect(response["Connection"] == "close")
  #expect(response.text == "the body exceeds 100000 bytes\n")
  #expect(client.isClosedByServer())
}

@Test func aClientThatAsksFirstIsRefusedWithoutSending() throws {
  let client = try bodyServer().client()
  try client.send("POST /buffered HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 100001\r\n\r\n")
  #expect(try client.response().status == 413)
}

@Test func aClientThatAsksFirstMaySend() throws {
  let client = try bodyServer().client()
  try client.send("POST /buffered HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
  #expect(try client.readUntil("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
  try client.send("abc")
  #expect(try client.response().text == "cba")
}

@Test func aReceiverCanRefuse() throws {
  let client = try bodyServer().client()
  let response = try client.post("/streamed", [1, 1, 0, 1])
  #expect(response.status == 422)
  #expect(response.text == "byte 2 is 0\n")
  #expect(try client.post("/streamed", [1], "Content-Encoding: br\r\n").status == 415)
  #expect(try client.post("/streamed", [10, 1]).text == "1 2 2")
}

@Test func anUnwantedBodyIsReadAndDropped() throws {
  let client = try bodyServer().client()
  #expect(try client.post("/none", [1, 2, 3]).text == "none 0")
  #expect(try client.post("/missing", Array(repeating: 1, count: 100_000)).status == 404)
  #expect(try client.post("/none", []).text == "none 0")
  try client.send("GET / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc")
  #expect(try client.response().text == "root")
}

@Test func aHugeUnwantedBodyIsRefused() throws {
  let server = try bodyServer()
  let client = try server.client()
  try client.send("POST /none HTTP/1.1\r\nHost: t\r\nContent-Length: \(8 << 20)\r\n\r\n")
  try? client.send([UInt8](repeating: 1, count: 8 << 20))
  #expect(try client.response().status == 413)
}

@Test func admissionRefusesBeforeTheBodyIsRead() throws {
  let opened = Box(0)
  let hooks = HTTPServer.Hooks(admission: { exchange in
    exchange.header("Authorization") == "Bearer t" ? nil : Response(status: 401, text: "no token\n")
  })
  let server = try TestServer(hooks: hooks) { router in
    router.post(
      "/in",
      body: .streamed(bytesMax: bodyMax) { _ in
        opened.change { $0 += 1 }
        return .accept(LineCounter())
      }
    ) { $0.respond(Response(status: 204)) }
  }
  for size in [0, 1_000, 500_000, 14 << 20] {
    let client = try server.client()
    try client.send("POST /in HTTP/1.1\r\nHost: t\r\nContent-Length: \(size)\r\n\r\n")
    try? client.send([UInt8](repeating: 1, count: size))
    #expect(try client.response().status == 401, "a body of \(size) bytes")
  }
  #expect(try server.client().get("/none").status == 401)
  #expect(opened.value == 0)
  #expect(try server.client().post("/in", [1], "Authorization: Bearer t\r\n").status == 204)
  #expect(opened.value == 1)
}
