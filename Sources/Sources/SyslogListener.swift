// SPDX-License-Identifier: Apache-2.0

package import Ingest
package import Platform

// Syslog over TCP or UDP. Nobody answers a syslog sender, so what is on its way when a process or a network ends is
// lost: this input is as good as the protocol, and no better.

/// One entry of the settings.
package struct SyslogSettings: Sendable, Equatable {
  package var kind: Socket.Kind
  package var address: ListenAddress
  package var service: String?
  package var cache: String?

  package init(kind: Socket.Kind, address: ListenAddress, service: String? = nil, cache: String? = nil) {
    self.kind = kind
    self.address = address
    self.service = service
    self.cache = cache
  }
}

/// The thread of one syslog address.
package final class SyslogListener: EventSource {
  static let name = "syslog"
  private static let receiveBytes = 64 << 10
  /// Received before a commit, at most, from all connections together.
  private static let batchBytes = 1 << 20

  private struct Connection: ListenerConnection {
    let socket: Socket
    var framing: SyslogFraming
    var lastMs: Int64
  }

  private let settings: SyslogSettings
  private let ingest: IngestSettings
  private let sink: any EventSink
  private let socket: Socket
  private let poll = SocketPoll()
  private let thread = SourceThread()

  /// Opens the socket.
  package init(_ settings: SyslogSettings, ingest: IngestSettings, sink: any EventSink) throws(SocketError) {
    self.settings = settings
    self.ingest = ingest
    self.sink = sink
    socket = try Socket.listening(settings.kind, host: settings.address.host, port: settings.address.port)
  }

  package var port: UInt16 { socket.port }

  package func start() {
    thread.start(named: "syslog") { self.run() }
  }

  package func stop(timeoutMs: Int64) -> Bool {
    thread.stop(timeoutMs: timeoutMs) { poll.wake() }
  }

  private func run() {
    let decoder = EventDecoder(settings: ingest)
    var connections: [Connection] = []
    var messages = SyslogMessages()
    while !thread.isStopping {
      let sockets = [(socket: socket, isSending: false)] + connections.map { ($0.socket, false) }
      let ready = poll.wait(sockets, timeoutMs: 1_000)
      messages.removeAll()
      for index in ready.reversed() {
        if index == 0, settings.kind == .datagram {
          receiveDatagrams(to: &messages)
        } else if index > 0, !receive(&connections[index - 1], to: &messages) {
          connections.remove(at: index - 1)
        }
      }
      if ready.first == 0, settings.kind == .stream {
        Listening.accept(from: socket, into: &connections, name: SyslogListener.name, sink: sink) { socket, nowMs in
          Connection(socket: socket, framing: SyslogFraming(messageBytesMax: ingest.lineBytesMax), lastMs: nowMs)
        }
      }
      count(messages, decoder)
    }
    // What has arrived is counted; what has not is its sender's.
    messages.removeAll()
    for index in connections.indices { _ = receive(&connections[index], to: &messages) }
    if settings.kind == .datagram { receiveDatagrams(to: &messages) }
    count(messages, decoder)
  }

  /// False when the connection has ended.
  private func receive(_ connection: inout Connection, to messages: inout SyslogMessages) -> Bool {
    var buffer: [UInt8] = []
    while messages.bytes.count < SyslogListener.batchBytes {
      buffer.removeAll(keepingCapacity: true)
      switch connection.socket.receive(countMax: SyslogListener.receiveBytes, to: &buffer) {
      case .bytes(let count):
        connection.lastMs = Clock.monotonicMs()
        connection.framing.append(buffer[...], to: &messages)
        if count < SyslogListener.receiveBytes { return true }
      case .nothing: return true
      case .end:
        connection.framing.finish(to: &messages)
        return false
      }
    }
    return true
  }

  /// A datagram is a message, or several lines.
  private func receiveDatagrams(to messages: inout SyslogMessages) {
    var buffer: [UInt8] = []
    while messages.bytes.count < SyslogListener.batchBytes {
      buffer.removeAll(keepingCapacity: true)
      guard case .bytes = socket.receive(countMax: SyslogListener.receiveBytes, to: &buffer) else { return }
      for line in buffer.split(separator: 0x0a) { messages.append(line) }
    }
  }

  /// Counts what has arrived and waits until it is on disk; meanwhile the kernel keeps what comes.
  private func count(_ messages: SyslogMessages, _ decoder: EventDecoder) {
    guard !messages.ranges.isEmpty else { return }
    let nowMs = Clock.wallMs()
    let origin = EventOrigin(service: settings.service, cache: settings.cache)
    let events = decoder.decode(
      syslog: messages, from: origin, zoneOffsetMs: Clock.zoneOffsetMs(atMs: nowMs), receivedAtMs: nowMs)
    let batch = SourceBatch(name: SyslogListener.name, events: events, receivedMs: nowMs)
    guard let reason = thread.insist(name: SyslogListener.name, sink: sink, { sink.store(batch) }) else { return }
    sink.report("\(messages.ranges.count) messages are lost: \(reason)", name: SyslogListener.name)
  }
}
