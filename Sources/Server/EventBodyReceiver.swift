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
  private var body: [UInt8] = []
  private let decompressor: any Decompressor
  private let bytesMax: Int
  private let budget: BodyBudget
  private var bytesTaken = 0

  /// Room made before the first byte, at most: growing by doubling would copy a body twice on its way in.
  private static let reservedBytesMax = 4 << 20

  /// - Parameters:
  ///   - contentEncoding: the header's value; nil or `identity` for none.
  ///   - contentLength: what the sender says the body will have, as sent.
  /// - Throws: `RequestError` 415 for an encoding that is not supported.
  init(
    contentEncoding: String?, contentLength: Int?, bytesMax: Int, budget: BodyBudget
  ) throws(RequestError) {
    self.bytesMax = bytesMax
    self.budget = budget
    let name = contentEncoding ?? "identity"
    guard let encoding = ContentEncoding(name: name) else {
      throw .unsupportedMediaType("Content-Encoding: \(name.prefix(40)): not supported: use \(ContentEncoding.names)")
    }
    decompressor = encoding.makeDecompressor(bytesMax: bytesMax)
    body.reserveCapacity(min(max(contentLength ?? 0, 0), bytesMax, EventBodyReceiver.reservedBytesMax))
  }

  deinit {
    budget.giveBack(bytesTaken)
  }

  func receive(_ chunk: Span<UInt8>) -> BodyVerdict {
    do {
      try decompressor.append(chunk, to: &body)
      try takeBudget()
      return .proceed
    } catch {
      return .refuse(Answers.error(requestError(error)))
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

  private var tooLarge: RequestError {
    .tooLarge("body: more than \(bytesMax) bytes after decompression: send smaller batches or raise ingest.max_body")
  }

  private func requestError(_ error: any Error) -> any Error {
    guard let error = error as? CompressionError else { return error }
    if case .tooLarge = error { return tooLarge }
    return RequestError.badRequest("body: \(error)")
  }
}
