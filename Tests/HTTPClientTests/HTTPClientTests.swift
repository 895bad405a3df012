// SPDX-License-Identifier: Apache-2.0

import HTTPClient
import Testing

// The client against a real socket: what it sends, what it makes of answers, and every bound.

private func answer(_ status: String = "200 OK", headers: String = "", body: String = "") -> String {
  "HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

private func failure(_ send: () throws -> HTTPClientResponse) -> HTTPClientError? {
  do {
    _ = try send()
    return nil
  } catch {
    return error as? HTTPClientError
  }
}

@Test func aGetReturnsStatusHeadersAndBody() throws {
  let server = OneShotServer(answers: [answer("203 Fine", headers: "ETag:  \"7\" \r\nX-Empty:\r\n", body: "café")])
  let response = try HTTPClient().send(method: "GET", url: server.url + "/a?b=c", headers: [("X-One", "1")])
  #expect(response.status == 203)
  #expect(response.isSuccess)
  #expect(response.header("etag") == "\"7\"")
  #expect(response.header("X-EMPTY") == "")
  #expect(response.header("absent") == nil)
  #expect(response.text == "café")
  let request = server.requests()[0]
  #expect(request.hasPrefix("GET /a?b=c HTTP/1.1\r\n"))
  #expect(request.contains("\r\nX-One: 1\r\n"))
}

@Test func aPostCarriesItsBodyAndTheConnectionIsKept() throws {
  let server = OneShotServer(answers: [answer(body: "1"), answer("404 Not Found", body: "2"), answer(body: "3")])
  let client = HTTPClient()
  let body = [UInt8](repeating: UInt8(ascii: "x"), count: 2_000_000)
  let json = [("Content-Type", "application/json")]
  #expect(try client.send(method: "POST", url: server.url + "/e", headers: json, body: body).text == "1")
  #expect(try client.send(method: "GET", url: server.url + "/e").status == 404)
  #expect(try client.send(method: "PATCH", url: server.url + "/e", headers: [("X-Nothing", "")], body: []).text == "3")
  let requests = server.requests()
  #expect(server.connectionsCount == 1)
  #expect(requests[0].hasPrefix("POST /e HTTP/1.1\r\n"))
  #expect(requests[0].contains("\r\nContent-Type: application/json\r\n"))
  #expect(!requests[0].contains("Expect:"))
  #expect(requests[0].hasSuffix("\r\n\r\n" + String(decoding: body, as: UTF8.self)))
  #expect(requests[1].hasPrefix("GET /e HTTP/1.1\r\n"))
  #expect(!requests[1].contains("Content-"))
  #expect(requests[2].hasPrefix("PATCH /e HTTP/1.1\r\n"))
  #expect(requests[2].contains("\r\nContent-Length: 0\r\n"))
  #expect(requests[2].contains("\r\nX-Nothing:\r\n"))
}

@Test func aRedirectIsAnAnswerAndIsNotFollowed() throws {
  let server = OneShotServer(answers: [answer("302 Found", headers: "Location: http://127.0.0.1:1/\r\n")])
  let response = try HTTPClient().send(method: "GET", url: server.url)
  #expect(response.status == 302)
  #expect(response.header("location") == "http://127.0.0.1:1/")
}

@Test func aKeptConnectionThatWasClosedIsReplaced() throws {
  let server = OneShotServer(answers: [answer(body: "1"), nil, answer(body: "3")])
  let client = HTTPClient()
  #expect(try client.send(method: "POST", url: server.url, body: [1]).text == "1")
  #expect(try client.send(method: "POST", url: server.url, body: [2]).text == "3")
  #expect(server.requests().count == 3)
  #expect(server.connectionsCount == 2)
}

@Test func anAnswerToAHeadHasNoBody() throws {
  let server = OneShotServer(answers: ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", answer(body: "next")])
  let client = HTTPClient()
  let head = try client.send(method: "HEAD", url: server.url)
  #expect(head.body.isEmpty && head.header("content-length") == "9")
  #expect(try client.send(method: "GET", url: server.url).text == "next")
}

@Test func anInterimAnswerIsNotTheAnswer() throws {
  let server = OneShotServer(answers: ["HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n" + answer(body: "late")])
  let response = try HTTPClient().send(method: "GET", url: server.url)
  #expect(response.status == 200)
  #expect(response.header("x-early") == nil)
  #expect(response.text == "late")
}

@Test func aBodyAtTheBoundIsTakenAndOneByteMoreIsRefused() throws {
  let server = OneShotServer(answers: [answer(body: "12345678"), answer(body: "123456789")])
  let client = HTTPClient(limits: .init(responseBodyBytesMax: 8))
  #expect(try client.send(method: "GET", url: server.url).text == "12345678")
  #expect(failure { try client.send(method: "GET", url: server.url) }?.kind == .responseTooLarge)
}

@Test func headersBeyondTheBoundAreRefused() {
  let long = String(repeating: "h", count: 2_000)
  let server = OneShotServer(answers: [answer(headers: "X-Long: \(long)\r\n")])
  let client = HTTPClient(limits: .init(responseHeaderBytesMax: 1_000))
  #expect(failure { try client.send(method: "GET", url: server.url) }?.kind == .responseTooLarge)
}

@Test func aSilentServerTimesOut() {
  // Half an answer: the body announced never comes.
  let server = OneShotServer(answers: ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", nil])
  let client = HTTPClient(limits: .init(totalMs: 200))
  #expect(failure { try client.send(method: "GET", url: server.url) }?.kind == .timedOut)
}

@Test func aConnectionClosedWithoutAnAnswerIsInterrupted() {
  let server = OneShotServer(answers: [nil])
  #expect(failure { try HTTPClient().send(method: "GET", url: server.url) }?.kind == .interrupted)
}

@Test func aRefusedConnectionNamesTheOperationAndNoSecret() {
  let error = failure {
    try HTTPClient().send(method: "GET", url: "http://user:secret@127.0.0.1:1/path?token=secret#secret")
  }
  #expect(error?.kind == .cannotConnect)
  #expect(error?.description.hasPrefix("GET http://127.0.0.1:1/path: ") == true)
  #expect(error?.description.contains("secret") == false)
}

@Test func whatCouldForgeAHeaderOrLeaveHTTPIsRefusedBeforeSending() {
  let client = HTTPClient()
  let url = "http://127.0.0.1:1/"
  #expect(failure { try client.send(method: "GE T", url: url) }?.kind == .invalidRequest)
  #expect(failure { try client.send(method: "", url: url) }?.kind == .invalidRequest)
  #expect(failure { try client.send(method: "GET", url: url + " x") }?.kind == .invalidRequest)
  #expect(failure { try client.send(method: "GET", url: url, headers: [("A", "b\r\nC: d")]) }?.kind == .invalidRequest)
  #expect(failure { try client.send(method: "GET", url: url, headers: [("A:b", "c")]) }?.kind == .invalidRequest)
  #expect(failure { try client.send(method: "GET", url: "file:///etc/hostname") }?.kind == .invalidRequest)
  #expect(failure { try client.send(method: "GET", url: "gopher://127.0.0.1:1/") }?.kind == .invalidRequest)
}

@Test func aDownloadIsHandedOnAndMayBeLargerThanTheBound() throws {
  let server = OneShotServer(answers: [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n6\r\nabcdef\r\n0\r\n\r\n",
    answer("400 Bad Request", body: "wrong"),
  ])
  let client = HTTPClient(limits: .init(responseBodyBytesMax: 8))
  let received = Received()
  let response = try client.download(url: server.url + "/a") { received.append($0) }
  #expect(response.status == 200 && response.body.isEmpty)
  #expect(received.text == "123456abcdef")
  #expect(try client.download(url: server.url + "/b") { received.append($0) }.text == "wrong")
  #expect(received.text == "123456abcdef")
}

@Test func aDownloadThatBreaksOffOrIsGivenUpIsAnError() {
  let server = OneShotServer(answers: ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n", nil])
  let client = HTTPClient(limits: .init(stallSeconds: 1))
  #expect(failure { try client.download(url: server.url) { _ in true } }?.kind == .timedOut)
  let other = OneShotServer(answers: [answer(body: "123")])
  #expect(failure { try client.download(url: other.url) { _ in false } }?.kind == .failed)
}

private final class Received {
  private var bytes: [UInt8] = []

  var text: String { String(decoding: bytes, as: UTF8.self) }

  func append(_ piece: [UInt8]) -> Bool {
    bytes += piece
    return true
  }
}

@Test func anAddressThatMayNotBeConnectedToIsNot() throws {
  let server = OneShotServer(answers: [answer(body: "in")])
  let refusing = HTTPClient { _ in false }
  let error = failure { try refusing.send(method: "POST", url: server.url, body: [1]) }
  #expect(error?.kind == .addressRefused)
  #expect(error?.message.hasPrefix("127.0.0.1: ") == true, "\(error?.message ?? "")")
  // A name counts by what it resolves to.
  let port = server.url.split(separator: ":").last ?? ""
  #expect(failure { try refusing.send(method: "GET", url: "http://localhost:\(port)/") }?.kind == .addressRefused)
  let admitting = HTTPClient { $0 == RemoteAddress("127.0.0.1") }
  #expect(try admitting.send(method: "GET", url: server.url).text == "in")
}

@Test func anAnswerThatBreaksOffSaysItsStatus() {
  let server = OneShotServer(answers: ["HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nab", answer(body: "123456789")])
  let slow = HTTPClient(limits: .init(totalMs: 200, responseBodyBytesMax: 8))
  #expect(failure { try slow.send(method: "GET", url: server.url) }?.status == 202)
  #expect(failure { try slow.send(method: "GET", url: server.url) }?.status == 200)
  #expect(failure { try slow.send(method: "GET", url: "http://127.0.0.1:1/") }?.status == nil)
}

@Test(arguments: [
  ("127.0.0.1", [127, 0, 0, 1]), ("0.0.0.0", [0, 0, 0, 0]), ("::1", [UInt8](repeating: 0, count: 15) + [1]),
  ("127.1", nil), ("0177.0.0.1", nil), ("010.0.0.1", nil), ("0x7f000001", nil), ("2130706433", nil), ("localhost", nil), ("", nil),
  ("[::1]", nil), ("fe80::1%lo", nil), (" 127.0.0.1", nil),
] as [(String, [UInt8]?)])
func onlyWholeAddressesAreRead(text: String, bytes: [UInt8]?) {
  #expect(RemoteAddress(text)?.bytes == bytes)
}
