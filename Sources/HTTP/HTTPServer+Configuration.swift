// SPDX-License-Identifier: Apache-2.0

// What the owner of a server sets, and what it can read.

internal import Glibc

extension HTTPServer {
  /// Address and bounds. Every bound has a default that suits a small machine.
  package struct Configuration: Sendable {
    /// An IPv4 or IPv6 literal. "::" takes IPv4 clients too, unless the system says otherwise.
    package var host = "127.0.0.1"
    /// 0 takes any free port.
    package var port = 0
    /// Threads that answer requests; at least 1.
    package var workers = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    /// Connections at a time; one more is told 503 and closed.
    package var connectionsMax = 8192
    /// Connections at a time from one address.
    package var connectionsPerClientMax = 1024
    /// Without a byte in or out for so long, a connection is closed. Whole seconds, at least 1.
    package var idleTimeoutSeconds = 30
    /// From the end of one request to the headers of the next, and from there to the end of its answer, each. It cuts
    /// clients that send or read a byte at a time. Suspended requests and event streams are exempt.
    package var requestDeadlineSeconds: Double = 60
    /// libmicrohttpd's memory for one connection: its headers, and half of it as the largest chunk of a body. It is
    /// cleared after every request, which at 64 KiB took 14 % of the time of a small one; in the other direction, large
    /// bodies came in at 5.2 million events a second with 32 KiB, 5.6 with 128. A listener takes 22 KB of 32 KiB.
    package var memoryPerConnectionBytes = 16 << 10
    /// Request line and headers; more are answered with 431. Keep it at a quarter of `memoryPerConnectionBytes`: what
    /// does not fit there is answered by libmicrohttpd, with a 431 of its own wording.
    package var headerBytesMax = 8 << 10
    /// Of a path; more are answered with 400.
    package var pathSegmentsMax = 32
    /// How much of an unwanted body is read so that the connection can be kept. After more, it is closed.
    package var discardedBytesMax = 1 << 20

    package init() {}
  }

  /// What the owner has a say in.
  package struct Hooks: Sendable {
    /// Called once a request, when its headers are in and before its body is read. A response refuses the request.
    /// `routeTag`, `method`, `pathText`, `header`, `query` and `peer` of the exchange may be read.
    package var admission: (@Sendable (Exchange) -> Response?)?
    /// Makes the answers of the server itself: 400, 404, 405, 413, 431, 500, 503.
    package var errorResponse: @Sendable (_ status: Int, _ message: String) -> Response
    /// Called after each request, answered or not, on the connection's thread.
    package var completed: (@Sendable (CompletedRequest) -> Void)?

    package init(
      admission: (@Sendable (Exchange) -> Response?)? = nil,
      errorResponse: @escaping @Sendable (_ status: Int, _ message: String) -> Response = {
        Response(status: $0, text: $1 + "\n")
      },
      completed: (@Sendable (CompletedRequest) -> Void)? = nil
    ) {
      self.admission = admission
      self.errorResponse = errorResponse
      self.completed = completed
    }
  }

  /// Counters since the start, and what is open now.
  package struct Statistics: Sendable, Equatable {
    /// Open now.
    package var connections = 0
    package var connectionsTotal = 0
    /// Closed at once because of `connectionsMax` or `connectionsPerClientMax`.
    package var connectionsRefusedTotal = 0
    /// Requests whose headers were received.
    package var requestsTotal = 0
    /// Connections cut by `requestDeadlineSeconds`.
    package var deadlineCutsTotal = 0
    /// Clients of event streams now.
    package var eventListeners = 0
    /// Clients of event streams that were cut because they did not read.
    package var eventListenersDroppedTotal = 0
  }

  /// A moment's picture. O(connections).
  package var statistics: Statistics {
    var statistics = Statistics()
    core.registry.write(to: &statistics)
    statistics.deadlineCutsTotal = core.sweeper.deadlineCutsTotal
    for stream in core.sweeper.streams.map(\.statistics) {
      statistics.eventListeners += stream.listeners
      statistics.eventListenersDroppedTotal += stream.droppedTotal
    }
    return statistics
  }
}

/// What became of a request.
package struct CompletedRequest: Sendable {
  package let method: Method
  /// The tag of its route; nil when none matched.
  package let routeTag: Int?
  /// 0 when the connection broke before an answer was made.
  package let status: Int
  /// From its headers to the end of its answer.
  package let durationNs: Int64
}
