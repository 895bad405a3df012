// SPDX-License-Identifier: Apache-2.0

internal import Ingest
internal import Platform

// One connection of the forward protocol, and what it has brought on its way to the disk.

/// Belongs to the thread of its listener.
final class ForwardConnection: ListenerConnection {
  /// Acknowledgements that wait for a client to take them.
  private static let acksBytesMax = 256 << 10

  let socket: Socket
  var framing: ForwardFraming
  var lastMs: Int64
  private(set) var acks: [UInt8] = []
  var hasEnded = false

  init(_ socket: Socket, framing: ForwardFraming, nowMs: Int64) {
    self.socket = socket
    self.framing = framing
    lastMs = nowMs
  }

  func acknowledge(_ ack: [UInt8]) { acks += ack }

  /// Sends what the kernel takes; nothing where the other side has gone, whose chunks come again.
  ///
  /// - Returns: false where too much waits.
  func sendAcks() -> Bool {
    while !acks.isEmpty {
      guard let count = socket.send(acks[...]) else {
        hasEnded = true
        return true
      }
      guard count > 0 else { break }
      acks.removeFirst(count)
    }
    return acks.count <= ForwardConnection.acksBytesMax
  }
}

/// A batch, and who is to hear that it is on disk.
struct ForwardDelivery {
  let batch: SourceBatch
  let connection: ForwardConnection?
  /// Empty where nobody wants to hear it.
  let ack: [UInt8]

  func acknowledge() { connection?.acknowledge(ack) }
}

/// What is counted with one wait for the disk.
struct ForwardRound {
  private(set) var deliveries: [ForwardDelivery] = []
  /// Of messages without a chunk.
  var entries: [UInt8] = []
  /// Read so far.
  var entryBytes = 0

  mutating func append(_ batch: SourceBatch, _ connection: ForwardConnection? = nil, ack: [UInt8] = []) {
    deliveries.append(ForwardDelivery(batch: batch, connection: connection, ack: ack))
  }
}
