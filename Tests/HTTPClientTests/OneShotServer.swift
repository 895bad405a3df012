// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(Glibc)
  import Glibc
#endif

// A real server socket on a free loopback port that plays prepared answers, one per request, and keeps what it was
// sent. Just enough HTTP to test the client; not a server anyone else may use.

/// Answers request n with `answers[n]`, all on one connection after the other, then closes.
final class OneShotServer: @unchecked Sendable {
  let port: Int
  private let listener: Int32
  private let lock = NSLock()
  private var seen: [String] = []
  private var accepted = 0
  private let finished = DispatchSemaphore(value: 0)

  /// - Parameter answers: complete HTTP answers; nil reads the request and then closes without a word.
  init(answers: [String?]) {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = unsafe inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = listener
    port = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        precondition(unsafe bind(descriptor, generic, length) == 0, "bind")
        precondition(listen(descriptor, 8) == 0, "listen")
        precondition(unsafe getsockname(descriptor, generic, &length) == 0, "getsockname")
      }
      return Int(UInt16(bigEndian: unsafe pointer.pointee.sin_port))
    }
    Thread.detachNewThread { self.play(answers) }
  }

  var url: String { "http://127.0.0.1:\(port)" }

  /// What was received, one element a request; waits until every answer was given.
  func requests() -> [String] {
    precondition(finished.wait(timeout: .now() + 10) == .success, "the client did not ask as often as was prepared")
    return lock.withLock { seen }
  }

  var connectionsCount: Int { lock.withLock { accepted } }

  private func play(_ answers: [String?]) {
    var connection: Int32 = -1
    var answered = 0
    while answered < answers.count {
      if connection < 0 {
        connection = accept(listener, nil, nil)
        lock.withLock { accepted += 1 }
      }
      guard let request = Self.readRequest(connection) else {
        close(connection)
        connection = -1
        continue
      }
      lock.withLock { seen.append(request) }
      if let answer = answers[answered] {
        Self.writeAll(connection, Array(answer.utf8))
      } else {
        close(connection)
        connection = -1
      }
      answered += 1
    }
    finished.signal()
    if connection >= 0 { close(connection) }
    close(listener)
  }

  private static func readRequest(_ connection: Int32) -> String? {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let text = String(decoding: bytes, as: UTF8.self)
      if let end = text.range(of: "\r\n\r\n"), text[end.upperBound...].utf8.count >= bodyLength(text) { return text }
      let count = unsafe recv(connection, &chunk, chunk.count, 0)
      guard count > 0 else { return nil }
      bytes.append(contentsOf: chunk[..<count])
    }
  }

  private static func bodyLength(_ text: String) -> Int {
    guard let line = text.components(separatedBy: "\r\n").first(where: { $0.lowercased().hasPrefix("content-length:") })
    else { return 0 }
    return Int(line.dropFirst(15).trimmingCharacters(in: .whitespaces)) ?? 0
  }

  private static func writeAll(_ connection: Int32, _ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe send(connection, Array(bytes[sent...]), bytes.count - sent, Int32(MSG_NOSIGNAL))
      guard count > 0 else { return }
      sent += count
    }
  }
}
