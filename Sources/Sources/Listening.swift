// SPDX-License-Identifier: Apache-2.0

internal import Platform

// What listeners share: an address, and a bound on their connections.

/// An address to listen on.
package struct ListenAddress: Sendable, Equatable {
  /// An IPv4 or IPv6 address without brackets.
  package let host: String
  package let port: UInt16

  package init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }
}

/// A connection that a listener has taken.
protocol ListenerConnection {
  /// When something last arrived; monotonic.
  var lastMs: Int64 { get }
}

/// The bound on a listener's connections.
enum Listening {
  static let connectionsMax = 256
  /// A connection that was silent for so long makes room for another one.
  static let idleMs: Int64 = 60_000

  /// Takes every connection that waits.
  ///
  /// - Parameter make: a connection from its socket and the time.
  static func accept<Connection: ListenerConnection>(
    from socket: Socket, into connections: inout [Connection], name: String, sink: any EventSink,
    make: (Socket, Int64) -> Connection
  ) {
    while let taken = socket.accept() {
      let nowMs = Clock.monotonicMs()
      if connections.count >= connectionsMax {
        let oldest = connections.indices.min { connections[$0].lastMs < connections[$1].lastMs }
        guard let oldest, nowMs - connections[oldest].lastMs > idleMs else {
          sink.report("a connection was closed: \(connections.count) are open", name: name)
          continue
        }
        connections.remove(at: oldest)
      }
      connections.append(make(taken, nowMs))
    }
  }
}
