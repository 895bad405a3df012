// SPDX-License-Identifier: Apache-2.0

internal import Compression
internal import HTTP
internal import Synchronization

// Collects a body as it arrives, decompressed on the way, within its own bound and within one shared by all bodies.

/// How many bytes all bodies together may hold at one time, so that many large ones cannot exhaust memory.
final class BodyBudget: Sendable {
  private let bytesMax: Int
  private let bytes = Mutex(0)

  init(bytesMax: Int) {
    self.bytesMax = bytesMax
  }

  /// False, and nothing is taken, where it would be too much.
  func take(_ count: Int) -> Bool {
    bytes.withLock {
      guard $0 + count <= bytesMax else { return false }
      $0 += count
      return true
    }
  }

  func giveBack(_ count: Int) {
    bytes.withLock { $0 -= count }
  }
}

/// One body of events on its way in. Used by one request.
final class EventBodyReceiver: BodyReceiver {
  /// How this request's errors are answered.
  let refusal: ErrorForm
  private var body: [UInt8] = []
  private let decompressor: any Decompressor
  private let bytesMax: Int
  private let budget: BodyBudget
  private var bytesTaken = 0
  private var bytesSent = 0

  /// Room made before the first byte, at most: growing by doubling would copy a body twice on its way in.
  private static let reservedBytesMax = 4 << 20

  /// - Parameters:
  ///   - contentLength: what the sender says the body will have, as sent.
  ///   - bytesMax: most bytes, counted as they are sent and again decompressed.
  /// - Throws: `RequestError` 413 for a length that is too much.
  init(
    encoding: ContentEncoding, contentLength: Int?, bytesMax: Int, budget: BodyBudget, refusal: @escaping ErrorForm
  ) throws(RequestError) {
    self.bytesMax = bytesMax
    self.budget = budget
    self.refusal = refusal
    decompressor = encoding.makeDecompressor(bytesMax: bytesMax)
    guard contentLength ?? 0 <= bytesMax else { throw EventBodyReceiver.tooLarge(bytesMax) }
    body.reserveCapacity(min(max(contentLength ?? 0, 0), EventBodyReceiver.reservedBytesMax))
  }

  deinit {
    budget.giveBack(bytesTaken)
  }

  func receive(_ chunk: Span<UInt8>) -> BodyVerdict {
    do {
      bytesSent += chunk.count
      guard bytesSent <= bytesMax else { throw EventBodyReceiver.tooLarge(bytesMax) }
      try decompressor.append(chunk, to: &body)
      try takeBudget()
      return .proceed
    } catch {
      return .refuse(refusal(requestError(error)))
    }
  }

  /// The whole body, decompressed. Call it once, after the last chunk.
  func finish() throws -> [UInt8] {
    do {
      try decompressor.finish(to: &body)
    } catch {
      throw requestError(error)
    }
    return body
  }

  private func takeBudget() throws {
    let missing = max(body.count + decompressor.heldBytes - bytesTaken, 0)
    guard budget.take(missing) else {
      throw RequestError.unavailable("body: too many large bodies are being received: send it again")
    }
    bytesTaken += missing
  }

  private static func tooLarge(_ bytesMax: Int) -> RequestError {
    .tooLarge("body: more than \(bytesMax) bytes, as sent or decompressed: send smaller batches or raise ingest.max_body")
  }

  private func requestError(_ error: any Error) -> any Error {
    guard let error = error as? CompressionError else { return error }
    if case .tooLarge = error { return EventBodyReceiver.tooLarge(bytesMax) }
    return RequestError.badRequest("body: \(error)")
  }
}
