// SPDX-License-Identifier: Apache-2.0

package import Platform
package import TimeSeries

// What goes into a commit and what comes out of it.

/// A line that could not be counted, kept so that nobody loses it without a trace.
package struct DeadLetter: Sendable, Equatable {
  /// Which input it came by, such as `events`.
  package var source: String
  /// Line or index within its body, from 1.
  package var line: Int
  package var reason: String
  /// The line, possibly cut.
  package var body: [UInt8]
  /// Whether `body` is all of it: else it cannot be replayed.
  package var isWhole = true
  /// What its protocol said of it beside its bytes: its time, and the service and cache of its source, empty where unknown.
  package var timeMs: Int64?
  package var service = ""
  package var cache = ""

  package init(source: String, line: Int, reason: String, body: [UInt8]) {
    self.source = source
    self.line = line
    self.reason = reason
    self.body = body
  }
}

/// What was answered to a body, kept to be answered again when the body is sent again.
package struct Answer: Sendable, Equatable {
  package var status: Int
  package var body: [UInt8]

  package init(status: Int, body: [UInt8]) {
    self.status = status
    self.body = body
  }
}

/// How a body is recognised when it comes again.
package struct DedupeKey: Sendable, Equatable {
  /// 32 bytes: a digest over who sent it, where, and what.
  package var digest: [UInt8]
  /// Until when it is recognised.
  package var expiresMs: Int64

  package init(digest: [UInt8], expiresMs: Int64) {
    precondition(digest.count == 32, "a digest has 32 bytes")
    self.digest = digest
    self.expiresMs = expiresMs
  }
}

/// How single items of a body are recognised when they come again, in whichever body.
package struct ItemKeys: Sendable, Equatable {
  package static let digestBytes = 16

  /// A digest of 16 bytes for each item, one after the other; over who sent it, where, and its id.
  package private(set) var digests: [UInt8] = []
  /// Until when they are recognised.
  package var expiresMs: Int64

  package init(expiresMs: Int64) {
    self.expiresMs = expiresMs
  }

  package var count: Int { digests.count / ItemKeys.digestBytes }

  /// - Parameter digest: its first 16 bytes count.
  package mutating func append(_ digest: [UInt8]) {
    precondition(digest.count >= ItemKeys.digestBytes, "a digest of an item has 16 bytes")
    digests.append(contentsOf: digest[..<ItemKeys.digestBytes])
  }
}

/// One body, to be stored whole or not at all.
package struct Submission: Sendable {
  package var delta: BatchDelta
  package var deadLetters: [DeadLetter]
  /// Nil where a repetition cannot be told from new events.
  package var dedupeKey: DedupeKey?
  /// Of items that count only if none of them was counted before; nil where items are not told apart.
  package var itemKeys: ItemKeys?
  /// Ids of dead letters that go with what this counts of them; it counts only if all of them are still there.
  package var replayed: [Int64] = []
  package var answer: Answer
  package var receivedMs: Int64
  /// How far the file that this comes from has then been read; nil for what comes from elsewhere.
  package var position: FilePosition?
  /// What is kept of its events as they were received.
  package var recent = RecentEventChunk.empty

  package init(delta: BatchDelta, deadLetters: [DeadLetter], dedupeKey: DedupeKey?, answer: Answer, receivedMs: Int64) {
    self.delta = delta
    self.deadLetters = deadLetters
    self.dedupeKey = dedupeKey
    self.answer = answer
    self.receivedMs = receivedMs
  }
}

/// What became of a submission.
package enum CommitOutcome: Sendable, Equatable {
  /// On disk.
  case committed
  /// It was on disk before; nothing was counted. The answer it got then.
  case duplicate(Answer)
  /// Nothing was counted, because these items were counted before, or these dead letters are gone: indexes into the
  /// submission's `itemKeys`, or into its `replayed`, ascending. The submission may come again without them.
  case seen([Int])
}
