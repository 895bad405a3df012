// SPDX-License-Identifier: Apache-2.0

// From the bytes of a body to what it adds: cuts it into records, reads each, counts the events. How a protocol packs
// its records is a file a protocol; what a record says is read here for all of them.

import JSON
import TimeSeries

/// Decodes bodies, one after the other; it keeps its buffers, so one of it serves one thread.
package final class EventDecoder {
  // A struct, so that exclusive access to it is checked once a body and not once a field.
  private var reading: BodyReading

  package init(settings: IngestSettings) {
    reading = BodyReading(settings: settings)
  }

  /// Counts the events of a body: NDJSON, plain text lines, a JSON array, one object or several, told by the bytes.
  ///
  /// - Parameter receivedAtMs: the server's clock; the time of events that do not tell theirs.
  package func decode(_ body: Span<UInt8>, receivedAtMs: Int64) -> DecodedBatch {
    reading.decode(receivedAtMs: receivedAtMs) { reading in reading.readEvents(body) }
  }

  /// Counts the events of a body of one of the protocols that wrap them.
  ///
  /// - Throws: a body that is not what the protocol prescribes; nothing of it is counted.
  package func decode(
    _ body: Span<UInt8>, as format: WrappedFormat, receivedAtMs: Int64
  ) throws(BodyFault) -> DecodedBatch {
    try read(receivedAtMs: receivedAtMs) { reading throws(BodyFault) in
      switch format {
      case .lokiJSON: try reading.readLokiJSON(body)
      case .lokiProtobuf: try reading.readLokiProtobuf(body)
      case .otlpJSON: try reading.readOTLPJSON(body)
      case .otlpProtobuf: try reading.readOTLPProtobuf(body)
      }
    }
  }

  func read<Fault: Error>(
    receivedAtMs: Int64, _ body: (inout BodyReading) throws(Fault) -> Void
  ) throws(Fault) -> DecodedBatch {
    try reading.decode(receivedAtMs: receivedAtMs, body)
  }
}

/// Formats in which records are members of a larger document.
package enum WrappedFormat: Sendable {
  /// Loki's push request.
  case lokiJSON, lokiProtobuf
  /// OTLP's export request of logs.
  case otlpJSON, otlpProtobuf
}

/// Why a body as a whole is none of its protocol.
package struct BodyFault: Error, Equatable {
  package let reason: String

  package init(reason: String) {
    self.reason = reason
  }
}
