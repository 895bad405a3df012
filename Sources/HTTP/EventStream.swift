// SPDX-License-Identifier: Apache-2.0

// Server-sent events (HTML Living Standard, section 9.2): one publisher, many listeners, each with a bounded queue.
// What an event means is the owner's.

internal import Synchronization

/// Sends events to every client that listens. Give it to `Exchange.stream(_:initial:)`; publish from any thread.
package final class EventStream: Sendable {
  /// What a stream has done so far.
  package struct Statistics: Sendable, Equatable {
    /// Connected now.
    package var listeners = 0
    /// Since the start.
    package var listenersTotal = 0
    /// Disconnected because they did not read.
    package var droppedTotal = 0
    /// Turned away because of `listenersMax`.
    package var refusedTotal = 0
    /// Events published; a heartbeat is none.
    package var eventsTotal = 0
  }

  private struct State {
    var listeners: [EventListener] = []
    var statistics = Statistics()
    var nextHeartbeatMs: Int64?
    var isClosed = false
  }

  /// Most listeners at a time; one more is answered with 503.
  package let listenersMax: Int
  /// Most bytes that wait for one listener; one that falls further behind is disconnected, and may come back.
  package let queuedBytesMax: Int
  /// Time between comments that keep proxies from closing a quiet stream and let the server notice clients that left.
  package let heartbeatSeconds: Double

  private let state = Mutex(State())

  package init(listenersMax: Int = 6000, queuedBytesMax: Int = 256 << 10, heartbeatSeconds: Double = 15) {
    self.listenersMax = listenersMax
    self.queuedBytesMax = queuedBytesMax
    self.heartbeatSeconds = heartbeatSeconds
  }

  package var statistics: Statistics {
    state.withLock { state in
      var statistics = state.statistics
      statistics.listeners = state.listeners.count
      return statistics
    }
  }

  /// Queues an event for every listener, in the same order for all. O(listeners).
  ///
  /// - Parameters:
  ///   - event: the type; nil is the browser's "message". Line breaks in it or in `id` are left out.
  ///   - data: may have several lines.
  ///   - id: what a browser sends as Last-Event-ID when it reconnects.
  package func publish(event: String? = nil, data: String, id: String? = nil) {
    publish(encoded: EventStream.encode(event: event, data: data, id: id))
  }

  /// Queues bytes made by `encode(event:data:id:)`: of one event, or of several, which take no longer than one to reach
  /// thousands of listeners.
  package func publish(encoded bytes: [UInt8], eventCount: Int = 1) {
    state.withLock { state in
      state.statistics.eventsTotal += eventCount
      send(bytes, &state)
    }
  }

  /// Ends every listener's response after what is queued, and refuses new ones.
  package func close() {
    state.withLock { state in
      state.isClosed = true
      for listener in state.listeners { listener.finish() }
    }
  }

  /// Sends a heartbeat when it is due. The server does this for every stream with a listener; the owner need not.
  ///
  /// - Parameter nowMs: of a clock that does not go back.
  package func tick(nowMs: Int64) {
    state.withLock { state in
      let isDue = state.nextHeartbeatMs.map { nowMs >= $0 }
      guard isDue != false else { return }
      state.nextHeartbeatMs = nowMs + Int64(heartbeatSeconds * 1000)
      // The first turn only starts the clock.
      if isDue == true { send(Array(":\n\n".utf8), &state) }
    }
  }

  /// The bytes of one event, for `initial` and for publishing the same event to several streams.
  package static func encode(event: String? = nil, data: String, id: String? = nil) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(data.utf8.count + 64)
    if let id { appendField("id: ", id, &bytes) }
    if let event { appendField("event: ", event, &bytes) }
    // All three kinds of line break end a line (section 9.2.5), so each part needs a field of its own.
    bytes.append(contentsOf: "data: ".utf8)
    var previous: UInt8 = 0
    for byte in data.utf8 {
      switch byte {
      case UInt8(ascii: "\n") where previous == UInt8(ascii: "\r"): break
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"): bytes.append(contentsOf: "\ndata: ".utf8)
      default: bytes.append(byte)
      }
      previous = byte
    }
    bytes.append(contentsOf: "\n\n".utf8)
    return bytes
  }

  private static func appendField(_ name: StaticString, _ value: String, _ bytes: inout [UInt8]) {
    bytes.append(contentsOf: name.description.utf8)
    bytes.append(contentsOf: value.utf8.filter { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") && $0 != 0 })
    bytes.append(UInt8(ascii: "\n"))
  }

  // False when the stream is full or closed.
  func add(_ listener: EventListener) -> Bool {
    state.withLock { state in
      guard !state.isClosed, state.listeners.count < listenersMax else {
        state.statistics.refusedTotal += 1
        return false
      }
      state.statistics.listenersTotal += 1
      state.listeners.append(listener)
      return true
    }
  }

  // The listener's request has ended.
  func remove(_ listener: EventListener) {
    state.withLock { $0.listeners.removeAll { $0 === listener } }
  }

  // Under the lock, so that all listeners see one order.
  private func send(_ bytes: [UInt8], _ state: inout State) {
    state.listeners.removeAll { listener in
      guard !listener.send(bytes, queuedBytesMax: queuedBytesMax) else { return false }
      state.statistics.droppedTotal += 1
      return true
    }
  }
}
