// SPDX-License-Identifier: Apache-2.0

// Why a server does not start. What goes wrong later is answered to the client, not thrown.

/// Why `HTTPServer.start()` failed.
package enum HTTPServerError: Error, Equatable, CustomStringConvertible {
  /// The host is not an IPv4 or IPv6 literal.
  case invalidHost(String)
  /// The port is outside 0...65535.
  case invalidPort(Int)
  /// Another process listens on this address.
  case addressInUse(host: String, port: Int)
  /// The address is not this machine's, or the port needs privileges; `message` is the system's own.
  case cannotListen(host: String, port: Int, message: String)
  /// Threads or descriptors are short, or libmicrohttpd refused its options.
  case cannotStart
  /// The server was started before; make a new one.
  case alreadyStarted

  package var description: String {
    switch self {
    case .invalidHost(let host):
      "listen: host \"\(host)\" is not an IPv4 or IPv6 address; use 127.0.0.1, ::1, 0.0.0.0 or ::"
    case .invalidPort(let port): "listen: port \(port) is not in 0...65535"
    case .addressInUse(let host, let port):
      "listen: \(host) port \(port): address already in use; stop the other process or choose another port"
    case .cannotListen(let host, let port, let message): "listen: \(host) port \(port): \(message)"
    case .cannotStart:
      "listen: the HTTP server's threads could not be started; check the limits on processes and open files"
    case .alreadyStarted: "listen: the server was started before"
    }
  }
}
