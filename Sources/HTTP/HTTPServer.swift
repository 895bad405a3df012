// SPDX-License-Identifier: Apache-2.0

// An HTTP/1.1 server on libmicrohttpd's epoll threads. It knows routes, bodies and limits; what is served is the
// owner's. https://www.gnu.org/software/libmicrohttpd/manual/libmicrohttpd.html

internal import CMicroHTTPD
internal import Glibc
internal import Synchronization

/// An HTTP server: started once, stopped once.
@safe package final class HTTPServer: Sendable {
  private enum Phase {
    case new
    case running(Daemon)
    case stopped
  }

  // libmicrohttpd's, destroyed by stop(); the descriptor is the listening socket, closed there too.
  @safe private struct Daemon: @unchecked Sendable {
    let handle: OpaquePointer
    let descriptor: Int32
  }

  let core: ServerCore
  private let phase = Mutex(Phase.new)

  /// Nothing happens before `start()`.
  package init(configuration: Configuration, router: Router, hooks: Hooks = Hooks()) {
    core = ServerCore(configuration, router, hooks)
  }

  deinit {
    stop(drainSeconds: 0)
  }

  /// Listens and answers from now on, on threads of its own.
  ///
  /// - Returns: the port that is listened on.
  package func start() throws(HTTPServerError) -> Int {
    let result: Result<Int, HTTPServerError> = phase.withLock { phase in
      guard case .new = phase else { return .failure(.alreadyStarted) }
      do throws(HTTPServerError) {
        let (descriptor, port) = try ListeningSocket.open(
          host: core.configuration.host, port: core.configuration.port)
        guard core.sweeper.start(), let daemon = unsafe HTTPServer.startDaemon(core, descriptor) else {
          core.sweeper.stop()
          close(descriptor)
          throw .cannotStart
        }
        phase = .running(unsafe Daemon(handle: daemon, descriptor: descriptor))
        return .success(port)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Takes no new connections, lets requests that were received be answered, ends event streams, and stops.
  ///
  /// The event streams that had a listener here are closed for good. Not to be called from a handler.
  ///
  /// - Parameter drainSeconds: after that, what is suspended is answered with 503 and all connections are closed.
  ///   Without requests in progress it takes a few milliseconds.
  package func stop(drainSeconds: Double = 10) {
    let daemon: Daemon? = phase.withLock { phase in
      defer { phase = .stopped }
      if case .running(let daemon) = phase { return daemon }
      return nil
    }
    guard let daemon else { return }
    // Not MHD_quiesce_daemon: where one of its threads is awake at that moment, both take the socket out of the same epoll
    // set, and libmicrohttpd 0.9.75 ends the process ("Failed to remove listen FD from epoll set").
    ListeningSocket.refuse(daemon.descriptor)
    core.isDraining.store(true, ordering: .relaxed)
    drain(untilMs: monotonicMs() + Int64(drainSeconds * 1000))
    // libmicrohttpd must not be stopped with a suspended connection.
    core.registry.refuseSuspensions(with: core.error(503, "the server is stopping"))
    drain(untilMs: monotonicMs() + 200)
    // It closes the descriptor too.
    unsafe MHD_stop_daemon(daemon.handle)
    core.sweeper.stop()
    // Balances startDaemon.
    unsafe Unmanaged.passUnretained(core).release()
  }

  // Waits until all connections are closed, which those in progress are after their answer. Idle ones are told that
  // nothing more is read, which lets a request that has arrived already be answered; streams are closed again and
  // again because one may just be beginning.
  private func drain(untilMs: Int64) {
    while true {
      for stream in core.sweeper.streams { stream.close() }
      let open = core.registry.all
      for connection in open where !connection.isBusy.load(ordering: .relaxed) { connection.cut(Int32(SHUT_RD)) }
      guard !open.isEmpty, monotonicMs() < untilMs else { return }
      usleep(2_000)
    }
  }
}
