// SPDX-License-Identifier: Apache-2.0

internal import Compression
package import Ingest
package import Platform

// Fluent's forward protocol. A chunk is acknowledged once it is on disk, and recognised by its id when it comes again; so
// a sender that waits for acknowledgements loses nothing and counts nothing twice. What cannot be read ends its
// connection alone: the protocol has no other way to say no.

/// One entry of the settings.
package struct ForwardSettings: Sendable, Equatable {
  package var address: ListenAddress
  package var service: String?
  package var cache: String?

  package init(address: ListenAddress, service: String? = nil, cache: String? = nil) {
    self.address = address
    self.service = service
    self.cache = cache
  }
}

/// The thread of one address of the forward protocol.
package final class ForwardListener: EventSource {
  static let name = "forward"
  /// Received from a connection before it is the next one's turn.
  private static let receiveBytes = 256 << 10
  /// Entries that are read before a commit, at most one message more.
  private static let roundBytes = 4 << 20
  /// Held of messages that are not whole, from all connections together, as a multiple of the largest message.
  private static let heldFactor = 4

  private let settings: ForwardSettings
  private let ingest: IngestSettings
  private let messageBytesMax: Int
  private let sink: any EventSink
  private let socket: Socket
  private let poll = SocketPoll()
  private let thread = SourceThread()

  /// Opens the socket.
  ///
  /// - Parameter messageBytesMax: of one message, as it is sent and again after decompression.
  package init(
    _ settings: ForwardSettings, ingest: IngestSettings, messageBytesMax: Int, sink: any EventSink
  ) throws(SocketError) {
    self.settings = settings
    self.ingest = ingest
    self.messageBytesMax = messageBytesMax
    self.sink = sink
    socket = try Socket.listening(.stream, host: settings.address.host, port: settings.address.port)
  }

  package var port: UInt16 { socket.port }

  package func start() {
    thread.start(named: "forward") { self.run() }
  }

  package func stop(timeoutMs: Int64) -> Bool {
    thread.stop(timeoutMs: timeoutMs) { poll.wake() }
  }

  private func run() {
    let decoder = EventDecoder(settings: ingest)
    var connections: [ForwardConnection] = []
    while !thread.isStopping {
      let sockets = [(socket: socket, isSending: false)] + connections.map { ($0.socket, !$0.acks.isEmpty) }
      let ready = poll.wait(sockets, timeoutMs: 1_000)
      serve(ready.filter { $0 > 0 }.map { connections[$0 - 1] }, of: &connections, decoder)
      guard ready.first == 0 else { continue }
      Listening.accept(from: socket, into: &connections, name: ForwardListener.name, sink: sink) { socket, nowMs in
        ForwardConnection(socket, framing: ForwardFraming(messageBytesMax: messageBytesMax), nowMs: nowMs)
      }
    }
    // What has arrived is counted; what has not is its sender's.
    serve(connections, of: &connections, decoder)
  }

  // MARK: Reading

  /// Reads what some connections have brought, waits until it is on disk, and acknowledges it. Meanwhile the kernel
  /// keeps what comes, and holds the senders back.
  private func serve(_ ready: [ForwardConnection], of connections: inout [ForwardConnection], _ decoder: EventDecoder) {
    var round = ForwardRound()
    var heldBytes = connections.reduce(0) { $0 + $1.framing.bytes.count }
    for connection in ready {
      heldBytes -= connection.framing.bytes.count
      receive(connection, &round, decoder)
      heldBytes += connection.framing.bytes.count
      if heldBytes > messageBytesMax * ForwardListener.heldFactor, !connection.hasEnded {
        heldBytes -= connection.framing.bytes.count
        close(connection, "\(heldBytes) bytes of messages wait for their ends on the others")
      }
    }
    commit(&round, decoder)
    for connection in ready where !connection.sendAcks() { close(connection, "it takes no acknowledgements") }
    connections.removeAll(where: \.hasEnded)
  }

  private func receive(_ connection: ForwardConnection, _ round: inout ForwardRound, _ decoder: EventDecoder) {
    var buffer: [UInt8] = []
    switch connection.socket.receive(countMax: ForwardListener.receiveBytes, to: &buffer) {
    case .nothing: return
    case .end:
      connection.hasEnded = true
      let left = connection.framing.bytes.count
      if left > 0 { close(connection, "it ended in the middle of a message, of which \(left) bytes had come") }
    case .bytes:
      connection.lastMs = Clock.monotonicMs()
      connection.framing.append(buffer)
      do throws(BodyFault) {
        while let range = try connection.framing.next() { try read(range, of: connection, &round, decoder) }
        connection.framing.removeRead()
      } catch {
        close(connection, error.reason)
      }
    }
  }

  private func read(
    _ range: Range<Int>, of connection: ForwardConnection, _ round: inout ForwardRound, _ decoder: EventDecoder
  ) throws(BodyFault) {
    let bytes = connection.framing.bytes
    guard let message = try ForwardMessage(bytes.span, range) else { return }
    var entries: [UInt8] = []
    try message.appendEntries(bytes.span, to: &entries)
    if message.compression != .none { entries = try decompressed(entries, message.compression) }
    round.entryBytes += entries.count
    if let key = message.key(bytes.span), let ack = message.ack(bytes.span) {
      round.append(batch(entries, decoder, key: key), connection, ack: ack)
    } else {
      round.entries += entries
    }
    if round.entryBytes >= ForwardListener.roundBytes { commit(&round, decoder) }
  }

  private func decompressed(
    _ bytes: [UInt8], _ compression: ForwardMessage.Compression
  ) throws(BodyFault) -> [UInt8] {
    let encoding = compression == .zstd ? ContentEncoding.zstd : .gzip
    let decompressor = encoding.makeDecompressor(bytesMax: messageBytesMax)
    var entries: [UInt8] = []
    do throws(CompressionError) {
      try decompressor.append(bytes.span, to: &entries)
      try decompressor.finish(to: &entries)
    } catch {
      throw BodyFault(reason: "\(error)")
    }
    try ForwardMessage.checkEntries(entries.span, 0..<entries.count)
    return entries
  }

  private func close(_ connection: ForwardConnection, _ reason: String) {
    connection.hasEnded = true
    sink.report("a connection was closed: \(reason)", name: ForwardListener.name)
  }

  // MARK: Counting

  private func batch(_ entries: [UInt8], _ decoder: EventDecoder, key: [UInt8]?) -> SourceBatch {
    let nowMs = Clock.wallMs()
    let origin = EventOrigin(service: settings.service, cache: settings.cache)
    let events = decoder.decode(forward: entries.span, from: origin, receivedAtMs: nowMs)
    var batch = SourceBatch(name: ForwardListener.name, events: events, receivedMs: nowMs)
    batch.key = key
    return batch
  }

  /// Waits until all of a round is on disk; what has an acknowledgement then has it to be sent.
  private func commit(_ round: inout ForwardRound, _ decoder: EventDecoder) {
    if !round.entries.isEmpty { round.append(batch(round.entries, decoder, key: nil)) }
    var waiting = round.deliveries
    round = ForwardRound()
    let refusal = thread.insist(name: ForwardListener.name, sink: sink) { store(&waiting) }
    if let refusal { reportLost(waiting, refusal) }
  }

  /// Stores deliveries together, and keeps those that were refused.
  private func store(_ waiting: inout [ForwardDelivery]) -> SourceOutcome {
    let outcomes = sink.store(waiting.map(\.batch))
    var refusal = SourceOutcome.committed
    waiting = zip(waiting, outcomes).compactMap { delivery, outcome in
      guard case .refused = outcome else {
        delivery.acknowledge()
        return nil
      }
      refusal = outcome
      return delivery
    }
    return refusal
  }

  /// Chunks that were not acknowledged come again.
  private func reportLost(_ deliveries: [ForwardDelivery], _ reason: String) {
    let lost = deliveries.filter { $0.ack.isEmpty }.reduce(0) { sum, delivery in
      let events = delivery.batch.events
      return sum + events.accepted + events.rejected + events.ignored
    }
    if lost > 0 { sink.report("\(lost) records without a chunk are lost: \(reason)", name: ForwardListener.name) }
  }
}
