// SPDX-License-Identifier: Apache-2.0

// What the callbacks of one server share: the routes and hooks, which never change, and the counters.

internal import Synchronization

final class ServerCore: Sendable {
  let configuration: HTTPServer.Configuration
  let router: Router
  let hooks: HTTPServer.Hooks
  let registry: ConnectionRegistry
  let sweeper: Sweeper
  let bodies: BodyPool
  let isDraining = Atomic<Bool>(false)

  init(_ configuration: HTTPServer.Configuration, _ router: Router, _ hooks: HTTPServer.Hooks) {
    self.configuration = configuration
    self.router = router
    self.hooks = hooks
    registry = ConnectionRegistry(
      connectionsMax: configuration.connectionsMax, connectionsPerClientMax: configuration.connectionsPerClientMax)
    sweeper = Sweeper(registry)
    bodies = BodyPool(buffersMax: configuration.workers * 4)
  }

  func error(_ status: Int, _ message: String) -> Response {
    hooks.errorResponse(status, message)
  }

  // The next deadline for a connection. A sweep's interval is added because the clock may be that old, so that nobody
  // is cut early.
  var requestDeadlineMs: Int64 {
    sweeper.nowMs + Int64(configuration.requestDeadlineSeconds * 1000) + Sweeper.intervalMs
  }
}

// Buffers for whole bodies, reused so that a body costs no growth from empty.
final class BodyPool: Sendable {
  // A larger buffer is freed rather than kept: a few enormous bodies must not stay resident.
  private static let keptBytesMax = 1 << 20

  private let buffersMax: Int
  private let buffers = Mutex<[[UInt8]]>([])

  init(buffersMax: Int) {
    self.buffersMax = buffersMax
  }

  func take() -> [UInt8] {
    buffers.withLock { $0.popLast() } ?? []
  }

  func giveBack(_ buffer: consuming [UInt8]) {
    guard buffer.capacity > 0, buffer.capacity <= BodyPool.keptBytesMax else { return }
    buffer.removeAll(keepingCapacity: true)
    let empty = buffer
    buffers.withLock { if $0.count < buffersMax { $0.append(empty) } }
  }
}
