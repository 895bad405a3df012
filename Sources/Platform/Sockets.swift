// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// Sockets that listen, for threads that serve many of them with poll(2). None of their calls waits.

/// A socket that could not be opened.
package struct SocketError: Error, Equatable, CustomStringConvertible {
  package let address: String
  package let reason: String

  package var description: String { "listen on \(address): \(reason)" }
}

/// A socket; closed with its last reference.
package final class Socket: Sendable {
  package enum Kind: Sendable { case stream, datagram }

  package enum Received: Equatable, Sendable {
    case bytes(Int)
    /// Nothing is there yet.
    case nothing
    /// The other side has ended, or the connection has broken.
    case end
  }

  // Connections the kernel keeps while the thread is busy.
  private static let backlog: Int32 = 128
  // What a burst of datagrams needs while a commit takes its time; the kernel cuts it to net.core.rmem_max.
  private static let datagramBufferBytes: Int32 = 4 << 20

  fileprivate let descriptor: Int32

  fileprivate init(_ descriptor: Int32) {
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Listens, or receives datagrams.
  ///
  /// - Parameters:
  ///   - host: an IPv4 or IPv6 address without brackets.
  ///   - port: 0 takes any free one.
  package static func listening(_ kind: Kind, host: String, port: UInt16) throws(SocketError) -> Socket {
    var storage = sockaddr_storage()
    let address = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    guard let size = fill(&storage, host, port) else {
      throw SocketError(address: address, reason: "\(host) is no IP address")
    }
    let type = kind == .stream ? SOCK_STREAM : SOCK_DGRAM
    let flags = Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(Int32(storage.ss_family), flags, 0)
    guard descriptor >= 0 else { throw failure(address) }
    let opened = Socket(descriptor)
    // A restarted server must not wait for the old one's connections to leave TIME_WAIT.
    if kind == .stream { opened.set(SO_REUSEADDR, 1) } else { opened.set(SO_RCVBUF, datagramBufferBytes) }
    let status = unsafe withUnsafePointer(to: &storage) { storage in
      unsafe bind(descriptor, UnsafeRawPointer(storage).assumingMemoryBound(to: sockaddr.self), size)
    }
    guard status == 0, kind == .datagram || listen(descriptor, backlog) == 0 else { throw failure(address) }
    return opened
  }

  /// The port that it has.
  package var port: UInt16 {
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let status = unsafe withUnsafeMutablePointer(to: &storage) { storage in
      unsafe getsockname(descriptor, UnsafeMutableRawPointer(storage).assumingMemoryBound(to: sockaddr.self), &size)
    }
    precondition(status == 0, "getsockname failed with errno \(errno)")
    // Both families have the port at the same place.
    return unsafe withUnsafeBytes(of: storage) { UInt16(bigEndian: unsafe $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)) }
  }

  /// A connection that waits to be taken; nil where there is none.
  package func accept() -> Socket? {
    let connection = Glibc.accept(descriptor, nil, nil)
    guard connection >= 0 else { return nil }
    let flags = fcntl(connection, F_GETFL)
    _ = fcntl(connection, F_SETFL, flags | O_NONBLOCK)
    _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
    let taken = Socket(connection)
    // So that connections whose other side has vanished end some time.
    taken.set(SO_KEEPALIVE, 1)
    return taken
  }

  /// Appends what has arrived, of a datagram socket one datagram, cut to `countMax`.
  package func receive(countMax: Int, to buffer: inout [UInt8]) -> Received {
    var count = 0
    var code: Int32 = 0
    buffer.append(addingCapacity: countMax) { (output: inout OutputSpan<UInt8>) in
      unsafe output.withUnsafeMutableBufferPointer { bytes, initialized in
        count = unsafe recv(descriptor, bytes.baseAddress.map { unsafe $0 + initialized }, countMax, 0)
        code = errno
        initialized += max(count, 0)
      }
    }
    if count > 0 { return .bytes(count) }
    return count < 0 && (code == EAGAIN || code == EINTR) ? .nothing : .end
  }

  /// Sends as much as the kernel takes now.
  ///
  /// - Returns: how many bytes; nil where the connection has broken.
  package func send(_ bytes: ArraySlice<UInt8>) -> Int? {
    let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    if count >= 0 { return count }
    return errno == EAGAIN || errno == EINTR ? 0 : nil
  }

  private func set(_ option: Int32, _ value: Int32) {
    var value = value
    _ = unsafe setsockopt(descriptor, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  private static func fill(_ storage: inout sockaddr_storage, _ host: String, _ port: UInt16) -> socklen_t? {
    var four = sockaddr_in()
    if unsafe inet_pton(AF_INET, host, &four.sin_addr) == 1 {
      four.sin_family = sa_family_t(AF_INET)
      four.sin_port = port.bigEndian
      unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: four, as: sockaddr_in.self) }
      return socklen_t(MemoryLayout<sockaddr_in>.size)
    }
    var six = sockaddr_in6()
    guard unsafe inet_pton(AF_INET6, host, &six.sin6_addr) == 1 else { return nil }
    six.sin6_family = sa_family_t(AF_INET6)
    six.sin6_port = port.bigEndian
    unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: six, as: sockaddr_in6.self) }
    return socklen_t(MemoryLayout<sockaddr_in6>.size)
  }

  private static func failure(_ address: String) -> SocketError {
    SocketError(address: address, reason: unsafe String(cString: strerror(errno)))
  }
}

/// Waits for sockets, and can be woken by other threads.
package final class SocketPoll: Sendable {
  // A byte in this pipe ends a wait.
  private let readEnd: Int32
  private let writeEnd: Int32

  package init() {
    var ends: [Int32] = [-1, -1]
    let status = unsafe pipe(&ends)
    precondition(status == 0, "pipe failed with errno \(errno)")
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    (readEnd, writeEnd) = (ends[0], ends[1])
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  /// Ends the wait that is under way, or the next one.
  package func wake() {
    // A full pipe wakes as well.
    var byte: UInt8 = 0
    _ = unsafe write(writeEnd, &byte, 1)
  }

  /// Waits until something can be done with one of the sockets, at most `timeoutMs`.
  ///
  /// - Parameter sockets: each with whether it waits for room to send, and not only for what arrives.
  /// - Returns: which of them, by index.
  package func wait(_ sockets: [(socket: Socket, isSending: Bool)], timeoutMs: Int32) -> [Int] {
    var entries = [pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)]
    for entry in sockets {
      let events = Int16(POLLIN) | (entry.isSending ? Int16(POLLOUT) : 0)
      entries.append(pollfd(fd: entry.socket.descriptor, events: events, revents: 0))
    }
    let count = unsafe poll(&entries, nfds_t(entries.count), timeoutMs)
    guard count > 0 else { return [] }
    if entries[0].revents != 0 {
      var bytes = [UInt8](repeating: 0, count: 64)
      _ = unsafe read(readEnd, &bytes, bytes.count)
    }
    return (1..<entries.count).filter { entries[$0].revents != 0 }.map { $0 - 1 }
  }
}
