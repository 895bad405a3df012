// SPDX-License-Identifier: Apache-2.0

// What is known of a body beside its bytes: defaults of the source it comes from, and how it is to be cut.

import JSON

/// Where a body comes from.
package struct EventOrigin: Sendable, Equatable {
  package enum Framing: Sendable {
    /// Told by the first bytes.
    case byContent
    /// A record a line, whatever the first one looks like: the body is a part of something longer.
    case lines
  }

  /// The service and the cache of events for which neither they nor their key nor their log record tell one.
  package var service: String?
  package var cache: String?
  package var framing: Framing

  package init(service: String? = nil, cache: String? = nil, framing: Framing = .byContent) {
    self.service = service
    self.cache = cache
    self.framing = framing
  }
}

extension EventDecoder {
  /// Counts the events of a body of which more is known than its bytes.
  package func decode(_ body: Span<UInt8>, from origin: EventOrigin, receivedAtMs: Int64) -> DecodedBatch {
    read(receivedAtMs: receivedAtMs) { reading in
      reading.labels.setSource(service: origin.service, cache: origin.cache)
      switch origin.framing {
      case .byContent: reading.readEvents(body)
      case .lines: reading.readLines(body, from: EventBody.start(body))
      }
    }
  }
}
