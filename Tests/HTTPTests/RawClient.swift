// SPDX-License-Identifier: Apache-2.0

// A client that speaks HTTP by hand over a socket, so that tests say exactly which bytes go out and when. Every wait
// has a deadline.

import Glibc
import HTTP
import Synchronization

struct ClientError: Error, CustomStringConvertible {
  let description: String
}

struct RawResponse {
  let status: Int
  let headers: [(name: String, value: String)]
  let body: [UInt8]

  subscript(name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }

  var text: String { String(decoding: body, as: UTF8.self) }
}

final class RawClient {
  private let descriptor: Int32
  private var received: [UInt8] = []
  // Runs for as long as one of its clients.
  private let server: TestServer?

  init(port: Int, receiveBufferBytes: Int32? = nil, of server: TestServer? = nil) throws {
    self.server = server
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if var size = receiveBufferBytes {
      unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4)
    }
    // Headers and body go out in two writes; the second would otherwise wait for a delayed acknowledgement.
    var on: Int32 = 1
    unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let code = unsafe withUnsafePointer(to: &address) { address in
      unsafe connect(
        descriptor, UnsafeRawPointer(address).assumingMemoryBound(to: sockaddr.self),
        socklen_t(MemoryLayout<sockaddr_in>.size))
    }
    guard code == 0 else { throw failure("connect") }
  }

  deinit {
    close(descriptor)
  }

  func send(_ text: String) throws {
    try send(Array(text.utf8))
  }

  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes[sent...].withUnsafeBytes {
        unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw failure("send") }
      sent += count
    }
  }

  func get(_ path: String, _ headers: String = "") throws -> RawResponse {
    try send("GET \(path) HTTP/1.1\r\nHost: t\r\n\(headers)\r\n")
    return try response()
  }

  func post(_ path: String, _ body: [UInt8], _ headers: String = "") throws -> RawResponse {
    try send("POST \(path) HTTP/1.1\r\nHost: t\r\n\(headers)Content-Length: \(body.count)\r\n\r\n")
    try send(body)
    return try response()
  }

  // Reads the next response; `isHead` when it has no body whatever its length says.
  func response(isHead: Bool = false) throws -> RawResponse {
    let lines = try readUntil("\r\n\r\n").split(separator: "\r\n", omittingEmptySubsequences: true)
    guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
      throw ClientError(description: "no status line")
    }
    if status == 100 { return try response(isHead: isHead) }
    let headers = lines.dropFirst().map { line in
      let parts = line.split(separator: ":", maxSplits: 1)
      return (name: String(parts[0]), value: parts.count > 1 ? String(parts[1].drop { $0 == " " }) : "")
    }
    let head = RawResponse(status: status, headers: headers, body: [])
    guard !isHead, status != 204, status != 304, head["Transfer-Encoding"] == nil else { return head }
    let length = Int(head["Content-Length"] ?? "0") ?? 0
    return RawResponse(status: status, headers: headers, body: try read(length))
  }

  // Of a chunked body, the next chunk; empty at its end.
  func chunk() throws -> String {
    // One character: Swift counts \r\n as a single grapheme.
    let line = try readUntil("\r\n").dropLast()
    guard let size = Int(line, radix: 16) else { throw ClientError(description: "no chunk size: \(line)") }
    let bytes = try read(size + 2)
    return String(decoding: bytes.dropLast(2), as: UTF8.self)
  }

  func readUntil(_ mark: String) throws -> String {
    let mark = Array(mark.utf8)
    var searched = 0
    while true {
      while searched + mark.count <= received.count {
        if received[searched] == mark[0], Array(received[searched..<searched + mark.count]) == mark {
          let end = searched + mark.count
          defer { received.removeFirst(end) }
          return String(decoding: received[..<end], as: UTF8.self)
        }
        searched += 1
      }
      guard try receive() else { throw ClientError(description: "closed while waiting for \(mark)") }
    }
  }

  func read(_ count: Int) throws -> [UInt8] {
    while received.count < count {
      guard try receive() else { throw ClientError(description: "closed after \(received.count) of \(count) bytes") }
    }
    defer { received.removeFirst(count) }
    return Array(received.prefix(count))
  }

  // True when the server closes or resets the connection within the deadline; what it still sends is dropped.
  func isClosedByServer() -> Bool {
    while true {
      do {
        guard try receive() else { return true }
      } catch {
        return errno != EAGAIN
      }
    }
  }

  private func receive() throws -> Bool {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
    guard count >= 0 else { throw failure("receive") }
    received.append(contentsOf: buffer[..<count])
    return count > 0
  }

  private func failure(_ what: String) -> ClientError {
    unsafe ClientError(description: "\(what): \(String(cString: strerror(errno)))")
  }
}

// A server on a free port, stopped with the test.
final class TestServer: Sendable {
  let server: HTTPServer
  let port: Int

  init(
    _ configure: (inout HTTPServer.Configuration) -> Void = { _ in }, hooks: HTTPServer.Hooks = HTTPServer.Hooks(),
    routes: (inout Router) -> Void
  ) throws {
    var configuration = HTTPServer.Configuration()
    configuration.workers = 2
    configure(&configuration)
    var router = Router()
    routes(&router)
    server = HTTPServer(configuration: configuration, router: router, hooks: hooks)
    port = try server.start()
  }

  deinit {
    server.stop(drainSeconds: 1)
  }

  func client() throws -> RawClient { try RawClient(port: port, of: self) }
}

// Waits for a condition with a deadline; false when it did not come true.
func eventually(seconds: Double = 20, _ condition: () -> Bool) -> Bool {
  for _ in 0..<Int(seconds * 200) {
    if condition() { return true }
    usleep(5_000)
  }
  return condition()
}

// Runs `body` on threads of its own, 0..<count, and waits for all.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
  final class Start: Sendable {
    let index: Int
    let body: @Sendable (Int) -> Void
    init(_ index: Int, _ body: @escaping @Sendable (Int) -> Void) {
      self.index = index
      self.body = body
    }
  }
  let threads = (0..<count).map { index in
    var thread = pthread_t()
    let code = unsafe pthread_create(
      &thread, nil,
      { context in
        let start = unsafe Unmanaged<Start>.fromOpaque(context!).takeRetainedValue()
        start.body(start.index)
        return nil
      }, Unmanaged.passRetained(Start(index, body)).toOpaque())
    precondition(code == 0)
    return thread
  }
  for thread in threads { pthread_join(thread, nil) }
}

// What several threads collect.
final class Box<Value: Sendable>: Sendable {
  private let mutex: Mutex<Value>
  init(_ value: Value) { mutex = Mutex(value) }
  var value: Value { mutex.withLock { $0 } }
  func change<R: Sendable>(_ body: @Sendable (inout Value) -> R) -> R { mutex.withLock { body(&$0) } }
}
