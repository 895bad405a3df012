// SPDX-License-Identifier: Apache-2.0

package import Ingest
package import Platform

// What sources need of the rest of the server: a place where events are counted, and somebody to tell what goes wrong.

/// What one read of a source adds.
package struct SourceBatch: Sendable {
  /// The `protocol` label and the `source` of dead letters, such as `file`.
  package let name: String
  package let events: DecodedBatch
  /// What tells a repetition of this batch from another one; nil where nothing does.
  package var key: [UInt8]?
  /// How far the file has been read with it.
  package var position: FilePosition?
  package let receivedMs: Int64

  package init(name: String, events: DecodedBatch, receivedMs: Int64) {
    self.name = name
    self.events = events
    self.receivedMs = receivedMs
  }
}

/// What became of a batch.
package enum SourceOutcome: Sendable, Equatable {
  /// On disk.
  case committed
  /// On disk since an earlier time; nothing was counted now.
  case duplicate
  /// Nothing was counted; it may be tried again.
  case refused(String)
}

/// Where sources bring what they read.
package protocol EventSink: Sendable {
  /// Stores a batch with all that belongs to it in one transaction.
  ///
  /// - Parameter completion: runs once, perhaps at once, perhaps on another thread; it must not block.
  func submit(_ batch: SourceBatch, completion: @escaping @Sendable (SourceOutcome) -> Void)

  /// Tells the operator of something that a source could not do.
  func report(_ message: String, name: String)
}

extension EventSink {
  /// Submits and waits.
  func store(_ batch: SourceBatch) -> SourceOutcome { store([batch])[0] }

  /// Submits all and waits for each; what waits together is written together.
  ///
  /// - Returns: an outcome a batch, in their order.
  func store(_ batches: [SourceBatch]) -> [SourceOutcome] {
    let done = Monitor([SourceOutcome?](repeating: nil, count: batches.count))
    for (index, batch) in batches.enumerated() {
      submit(batch) { outcome in done.change { $0[index] = outcome } }
    }
    guard let outcomes = done.wait(until: { $0.contains(nil) ? nil : $0.compactMap(\.self) }) else {
      preconditionFailure("a wait without end ended without a value")
    }
    return outcomes
  }
}

/// A source that runs on threads of its own.
package protocol EventSource: Sendable {
  func start()
  /// Takes nothing more, and ends what is under way.
  ///
  /// - Returns: false when it did not end in time.
  func stop(timeoutMs: Int64) -> Bool
}
