// SPDX-License-Identifier: Apache-2.0

internal import Compression
internal import HTTP
internal import Ingest
internal import Platform
internal import Storage
internal import TimeSeries

// What the protocols of ingest share: bodies within bounds, decoders, keys by which a repetition is recognised, the
// commit and the counters. How a protocol wraps records and words its answers is its route's business. A request waits
// suspended while the committer writes, so a slow disk holds no thread; a large body is decoded on a thread of its own, so
// that it keeps no other connection waiting.

/// An error in the words of a protocol.
typealias ErrorForm = @Sendable (any Error) -> Response

struct EventIntake: Sendable {
  let store: Store
  let settings: IngestSettings
  let counters: IngestCounters
  private let decoders: DecoderPool
  private let budget: BodyBudget
  private let bodyBytesMax: Int
  /// Decodes large bodies.
  private let worker: Worker
  let keys: DeliveryKeys

  /// The server's threads serve some connections each, whoever came to them. A body of this size takes one for half a
  /// millisecond; handing it on takes 10 µs.
  private static let bodyBytesAtOnce = 64 << 10

  init(
    store: Store, settings: IngestSettings, counters: IngestCounters, budget: BodyBudget, bodyBytesMax: Int,
    worker: Worker, keys: DeliveryKeys
  ) {
    self.store = store
    self.settings = settings
    self.counters = counters
    self.budget = budget
    self.bodyBytesMax = bodyBytesMax
    self.worker = worker
    self.keys = keys
    decoders = DecoderPool(settings: settings)
  }

  // MARK: Bodies

  /// What becomes of a protocol's bodies. The bound is kept here and not by the server, whose refusal would not be in the
  /// protocol's words.
  ///
  /// - Parameter encoding: how the body is compressed, by the headers; `contentEncoding` where the protocol says nothing
  ///   of its own.
  func bodies(
    refusal: @escaping @Sendable (Exchange) -> ErrorForm,
    encoding: @escaping @Sendable (Exchange) throws(RequestError) -> ContentEncoding = EventIntake.contentEncoding
  ) -> BodyPolicy {
    .streamed(bytesMax: .max) { exchange in
      let form = refusal(exchange)
      do throws(RequestError) {
        // Not a number, or more than a number holds: the bound is met while the body comes.
        let length = exchange.header("Content-Length").flatMap { Int($0) }
        return .accept(
          try EventBodyReceiver(
            encoding: try encoding(exchange), contentLength: length, bytesMax: bodyBytesMax, budget: budget, refusal: form))
      } catch {
        return .refuse(form(error))
      }
    }
  }

  static func contentEncoding(_ exchange: Exchange) throws(RequestError) -> ContentEncoding {
    let name = exchange.header("Content-Encoding") ?? ""
    guard let encoding = ContentEncoding(name: name) else {
      throw .unsupportedMediaType("Content-Encoding: \(name.prefix(40)): not supported: use \(ContentEncoding.names)")
    }
    return encoding
  }

  /// The receiver that `bodies` opened for a request.
  func receiver(_ exchange: Exchange) -> EventBodyReceiver {
    guard let receiver = exchange.receiver as? EventBodyReceiver else {
      preconditionFailure("the route opened another receiver")
    }
    return receiver
  }

  /// A body within a body, such as the snappy block within gzip.
  func decompressed(_ body: [UInt8], _ encoding: ContentEncoding) throws -> [UInt8] {
    let decompressor = encoding.makeDecompressor(bytesMax: bodyBytesMax)
    var output: [UInt8] = []
    do {
      try decompressor.append(body.span, to: &output)
      try decompressor.finish(to: &output)
    } catch {
      throw RequestError.badRequest("body: \(error)")
    }
    return output
  }

  // MARK: Decoding

  /// Lines or documents, as `/api/v1/events` takes them.
  func decode(_ body: [UInt8], from origin: EventOrigin = EventOrigin(), nowMs: Int64) -> DecodedBatch {
    let batch = decoders.decode { $0.decode(body.span, from: origin, receivedAtMs: nowMs) }
    counters.addOverflows(batch.overflowedLabels)
    return batch
  }

  func decode(_ body: [UInt8], as format: WrappedFormat, nowMs: Int64) throws(RequestError) -> DecodedBatch {
    do throws(BodyFault) {
      let batch = try decoders.decode { (decoder) throws(BodyFault) in
        try decoder.decode(body.span, as: format, receivedAtMs: nowMs)
      }
      counters.addOverflows(batch.overflowedLabels)
      return batch
    } catch {
      throw .badRequest("body: \(error.reason)")
    }
  }

  /// Records that were rejected before.
  func decode(again records: [RejectedRecord], nowMs: Int64) -> (batch: DecodedBatch, outcomes: [AgainOutcome]) {
    let result = decoders.decode { $0.decode(again: records, receivedAtMs: nowMs) }
    counters.addOverflows(result.batch.overflowedLabels)
    return result
  }

  /// A bulk request of Elasticsearch.
  func decode(
    bulk body: [UInt8], index: String, seen: Set<Int>, nowMs: Int64
  ) throws(RequestError) -> (batch: DecodedBatch, items: [BulkItem]) {
    do throws(BodyFault) {
      let result = try decoders.decode { (decoder) throws(BodyFault) in
        try decoder.decode(bulk: body.span, index: Array(index.utf8), seen: seen, receivedAtMs: nowMs)
      }
      counters.addOverflows(result.batch.overflowedLabels)
      return result
    } catch {
      throw .badRequest(error.reason)
    }
  }

  // MARK: Commit

  /// One decoded body on its way to the disk, with the words for what becomes of it.
  struct Delivery: Sendable {
    /// The `protocol` label and the `source` of dead letters.
    let name: String
    var submission: Submission
    let counts: BatchCounts
    /// Records that were not decoded, because they were counted before.
    var repeated = 0
    let answer: @Sendable (CommitOutcome) -> Response
    let refusal: ErrorForm
    /// Called on the committer's thread where items of the submission were counted before, with their indexes.
    var decodeAgain: (@Sendable ([Int], SuspendedExchange) -> Void)?

    init(
      name: String, _ batch: DecodedBatch, dedupeKey: DedupeKey?, stored: Answer, receivedMs: Int64,
      refusal: @escaping ErrorForm, answer: @escaping @Sendable (CommitOutcome) -> Response
    ) {
      self.name = name
      submission = Submission(batch, source: name, dedupeKey: dedupeKey, answer: stored, receivedMs: receivedMs)
      counts = BatchCounts(batch, receivedMs: receivedMs)
      self.refusal = refusal
      self.answer = answer
    }
  }

  /// Unpacks a body further where its protocol has that, and decodes it. What it leaves in `body` is what a repetition is
  /// recognised by.
  typealias Decode = @Sendable (_ body: inout [UInt8], _ nowMs: Int64) throws -> DecodedBatch

  /// Answers a request whose repetitions get what the first one got.
  ///
  /// - Parameters:
  ///   - path, name: of the protocol, for its dedupe keys and its counters.
  ///   - response: to a body that was counted now, or when it came before.
  func take(
    _ exchange: Exchange, path: String, name: String, decode: @escaping Decode,
    answer: @escaping @Sendable (DecodedBatch) -> Answer,
    response: @escaping @Sendable (Answer, _ isDuplicate: Bool) -> Response
  ) {
    let sender = SenderKeys(exchange)
    take(exchange) { body, refusal in
      var body = body
      let nowMs = Clock.wallMs()
      let batch = try decode(&body, nowMs)
      let answer = answer(batch)
      return Delivery(
        name: name, batch, dedupeKey: dedupeKey(sender, path: path, body, batch, nowMs: nowMs), stored: answer,
        receivedMs: nowMs, refusal: refusal
      ) { outcome in
        if case .duplicate(let first) = outcome { return response(first, true) }
        return response(answer, false)
      }
    }
  }

  /// Answers a request once the delivery that is made of its body is on disk.
  func take(
    _ exchange: Exchange, _ delivery: @escaping @Sendable (_ body: [UInt8], _ refusal: @escaping ErrorForm) throws -> Delivery
  ) {
    let receiver = receiver(exchange)
    let refusal = receiver.refusal
    do {
      let body = try receiver.finish()
      guard body.count >= EventIntake.bodyBytesAtOnce else { return commit(try delivery(body, refusal), exchange) }
      let busy = RequestError.unavailable("body: too many large bodies are waiting: send it again")
      exchange.answer(on: worker, busy: busy, failure: refusal) { token in
        commit(try delivery(body, refusal), token)
        return nil
      }
    } catch {
      exchange.respond(refusal(error))
    }
  }

  /// Answers a request once its events are on disk.
  private func commit(_ delivery: Delivery, _ exchange: Exchange) {
    let submission = delivery.submission
    if submission.isEmpty {
      count(delivery)
      return exchange.respond(delivery.answer(.committed))
    }
    commit(delivery, exchange.suspend())
  }

  /// The same for a request that waits already.
  func commit(_ delivery: Delivery, _ token: SuspendedExchange) {
    do throws(StoreError) {
      if delivery.submission.isEmpty {
        count(delivery)
        token.complete(delivery.answer(.committed))
        return
      }
      try store.submit(delivery.submission) { result in
        switch result {
        case .success(.committed):
          count(delivery)
          token.complete(delivery.answer(.committed))
        case .success(.duplicate(let answer)):
          counters.add(.duplicate, delivery.recordCount, protocol: delivery.name)
          token.complete(delivery.answer(.duplicate(answer)))
        case .success(.seen(let items)):
          guard let decodeAgain = delivery.decodeAgain else { preconditionFailure("a submission without items has none") }
          decodeAgain(items, token)
        case .failure(let error): refuse(delivery, error, token)
        }
      }
    } catch {
      refuse(delivery, error, token)
    }
  }

  /// Answers that nothing was counted.
  func refuse(_ delivery: Delivery, _ error: any Error, _ token: SuspendedExchange) {
    counters.add(.refused, delivery.recordCount, protocol: delivery.name)
    token.complete(delivery.refusal(error))
  }

  private func count(_ delivery: Delivery) {
    delivery.counts.add(to: counters, protocol: delivery.name)
    counters.add(.duplicate, delivery.repeated, protocol: delivery.name)
  }

  // MARK: Deduplication

  /// What a sender names a body by.
  struct SenderKeys: Sendable {
    let idempotency: String
    /// Of a sender who wants just its retries recognised.
    let retry: String

    init(_ exchange: Exchange) {
      idempotency = exchange.header("Idempotency-Key") ?? ""
      retry = exchange.header("Retry-Key") ?? ""
    }
  }

  /// The sender's own key where there is one; else the bytes, where they hold an identity that makes two equal bodies
  /// the same delivery and not two equal happenings; else the key of its retries.
  ///
  /// - Parameter path: the endpoint, since no two endpoints share keys.
  func dedupeKey(_ sender: SenderKeys, path: String, _ body: [UInt8], _ batch: DecodedBatch, nowMs: Int64) -> DedupeKey? {
    if !sender.idempotency.isEmpty { return keys.key(path: path, "key", Array(sender.idempotency.utf8), nowMs: nowMs) }
    if batch.carriesIdentity { return keys.key(path: path, "body", body, nowMs: nowMs) }
    return sender.retry.isEmpty ? nil : keys.key(path: path, "retry", Array(sender.retry.utf8), nowMs: nowMs)
  }
}

extension EventIntake.Delivery {
  var recordCount: Int { counts.records + repeated }
}

extension Submission {
  /// Nothing to keep: a body of records that are no events.
  fileprivate var isEmpty: Bool { delta.isEmpty && deadLetters.isEmpty && dedupeKey == nil && itemKeys == nil }
}
