// SPDX-License-Identifier: Apache-2.0

// A bound and listening TCP socket. Made here rather than by libmicrohttpd, which does not say why it failed.

internal import CMicroHTTPD
internal import Glibc

enum ListeningSocket {
  // Connections the kernel keeps while all workers are busy; the kernel cuts it to net.core.somaxconn.
  private static let backlog: Int32 = 1024

  // The caller closes the descriptor. `port` 0 takes any free one; the second member is the one bound.
  static func open(host: String, port: Int) throws(HTTPServerError) -> (descriptor: Int32, port: Int) {
    guard let wanted = UInt16(exactly: port) else { throw .invalidPort(port) }
    var storage = sockaddr_storage()
    guard let size = fill(&storage, host, wanted) else { throw .invalidHost(host) }
    let descriptor = socket(
      Int32(storage.ss_family),
      Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { throw failure(host, port, errno) }
    do throws(HTTPServerError) {
      return (descriptor, try listen(descriptor, &storage, size, host, port))
    } catch {
      close(descriptor)
      throw error
    }
  }

  /// Closes the socket behind a descriptor, so that new clients are refused and no epoll set has it any more, while the
  /// descriptor itself stays in use: for a socket that nobody can connect to.
  static func refuse(_ descriptor: Int32) {
    let idle = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard idle >= 0 else {
      // Short of descriptors: clients are refused all the same, and libmicrohttpd's threads find out again and again.
      _ = shutdown(descriptor, Int32(SHUT_RDWR))
      return
    }
    dup2(idle, descriptor)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    close(idle)
  }

  private static func listen(
    _ descriptor: Int32, _ storage: inout sockaddr_storage, _ size: socklen_t, _ host: String, _ port: Int
  ) throws(HTTPServerError) -> Int {
    // A restarted server must not wait for the old one's connections to leave TIME_WAIT.
    var on: Int32 = 1
    _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    var size = size
    let code: Int32 = unsafe withUnsafeMutablePointer(to: &storage) { storage in
      let address = unsafe UnsafeMutableRawPointer(storage).assumingMemoryBound(to: sockaddr.self)
      guard unsafe bind(descriptor, address, size) == 0, Glibc.listen(descriptor, backlog) == 0,
        unsafe getsockname(descriptor, address, &size) == 0
      else { return errno }
      return 0
    }
    guard code == 0 else { throw failure(host, port, code) }
    // Both families have the port at the same place.
    return unsafe withUnsafeBytes(of: storage) {
      Int(UInt16(bigEndian: unsafe $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
    }
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

  private static func failure(_ host: String, _ port: Int, _ code: Int32) -> HTTPServerError {
    if code == EADDRINUSE { return .addressInUse(host: host, port: port) }
    return .cannotListen(host: host, port: port, message: unsafe String(cString: strerror(code)))
  }
}
