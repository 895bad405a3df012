// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import HTTP
internal import Ingest
internal import JSON
internal import Platform
internal import Storage
internal import TimeSeries

// `POST /api/v1/events`: bytes in, decoded into one delta, committed, answered. The request waits suspended while the
// committer writes, so a slow disk holds no thread.

struct EventRoutes: Sendable {
  private static let path = "/api/v1/events"
  /// The `protocol` label and the `source` of dead letters.
  private static let name = "events"

  let store: Store
  let settings: IngestSettings
  let counters: IngestCounters
  let budget: BodyBudget
  let bodyBytesMax: Int
  let dedupeWindowMs: Int64
  private let decoders: DecoderPool

  init(
    store: Store, settings: IngestSettings, counters: IngestCounters, budget: BodyBudget, bodyBytesMax: Int,
    dedupeWindowMs: Int64
  ) {
    self.store = store
    self.settings = settings
    self.counters = counters
    self.budget = budget
    self.bodyBytesMax = bodyBytesMax
    self.dedupeWindowMs = dedupeWindowMs
    decoders = DecoderPool(settings: settings)
  }

  func add(to router: inout Router) {
    let policy = BodyPolicy.streamed(bytesMax: bodyBytesMax) { exchange in
      do throws(RequestError) {
        let encoding = exchange.header("Content-Encoding")
        let length = exchange.header("Content-Length").flatMap { Int($0) }
        return .accept(
          try EventBodyReceiver(
            contentEncoding: encoding, contentLength: length, bytesMax: bodyBytesMax, budget: budget))
      } catch {
        return .refuse(Answers.error(error))
      }
    }
    router.add(.post, EventRoutes.path, body: policy) { respond(to: $0) }
  }

  private func respond(to exchange: Exchange) {
    guard let receiver = exchange.receiver as? EventBodyReceiver else { preconditionFailure("the route opened another receiver") }
    do {
      let body = try receiver.finish()
      let nowMs = Clock.wallMs()
      let batch = decoders.decode(body, receivedAtMs: nowMs)
      counters.addOverflows(batch.overflowedLabels)
      let submission = Submission(
        delta: batch.delta,
        deadLetters: batch.rejections.map {
          DeadLetter(source: EventRoutes.name, line: $0.line, reason: $0.reason, body: $0.bytes)
        },
        dedupeKey: dedupeKey(idempotencyKey: exchange.header("Idempotency-Key"), body, batch, nowMs),
        answer: answer(to: batch), receivedMs: nowMs)
      commit(submission, batch, exchange)
    } catch {
      exchange.respond(Answers.error(error))
    }
  }

  private func commit(_ submission: Submission, _ batch: DecodedBatch, _ exchange: Exchange) {
    // Nothing to keep: a body of lines that are no events.
    if submission.delta.isEmpty, submission.deadLetters.isEmpty, submission.dedupeKey == nil {
      count(batch)
      return exchange.respond(response(submission.answer, isDuplicate: false))
    }
    let accepted = batch.accepted, rejected = batch.rejected, ignored = batch.ignored, newestEventMs = batch.newestEventMs
    let token = exchange.suspend()
    let fail: @Sendable (StoreError) -> Void = { error in
      counters.add(.refused, accepted + rejected + ignored, protocol: EventRoutes.name)
      token.complete(Answers.error(error))
    }
    do throws(StoreError) {
      try store.submit(submission) { result in
        switch result {
        case .success(.committed):
          count(accepted, rejected, ignored, newestEventMs)
          token.complete(response(submission.answer, isDuplicate: false))
        case .success(.duplicate(let answer)):
          counters.add(.duplicate, accepted + rejected + ignored, protocol: EventRoutes.name)
          token.complete(response(answer, isDuplicate: true))
        case .failure(let error): fail(error)
        }
      }
    } catch {
      fail(error)
    }
  }

  private func count(_ batch: DecodedBatch) {
    count(batch.accepted, batch.rejected, batch.ignored, batch.newestEventMs)
  }

  private func count(_ accepted: Int, _ rejected: Int, _ ignored: Int, _ newestEventMs: Int64?) {
    counters.add(.accepted, accepted, protocol: EventRoutes.name)
    counters.add(.rejected, rejected, protocol: EventRoutes.name)
    counters.add(.ignored, ignored, protocol: EventRoutes.name)
    counters.saw(newestEventMs: newestEventMs)
  }

  // MARK: Deduplication

  /// The sender's own key where there is one; else the bytes, where they hold an identity that makes two equal bodies
  /// the same delivery and not two equal happenings.
  private func dedupeKey(idempotencyKey: String?, _ body: [UInt8], _ batch: DecodedBatch, _ nowMs: Int64) -> DedupeKey? {
    var hash = SHA256()
    hash.update(data: Array("\(EventRoutes.path)\0".utf8))
    if let idempotencyKey, !idempotencyKey.isEmpty {
      hash.update(data: Array("key\0\(idempotencyKey)".utf8))
    } else if batch.carriesIdentity {
      hash.update(data: Array("body\0".utf8))
      hash.update(data: body)
    } else {
      return nil
    }
    return DedupeKey(digest: Array(hash.finalize()), expiresMs: nowMs + dedupeWindowMs)
  }

  // MARK: Answers

  /// The members of the answer without `duplicate` and the closing brace, so that a repetition differs in that alone.
  private func answer(to batch: DecodedBatch) -> Answer {
    var writer = JSONWriter(capacity: 256)
    writer.beginArray()
    for rejection in batch.rejections.prefix(settings.errorsMax) {
      writer.beginObject()
      writer.member("line", rejection.line)
      writer.member("reason", rejection.reason)
      writer.endObject()
    }
    writer.endArray()
    let counts = "\"accepted\":\(batch.accepted),\"rejected\":\(batch.rejected),\"ignored\":\(batch.ignored)"
    let hasNothingGood = batch.accepted == 0 && batch.ignored == 0 && batch.rejected > 0
    return Answer(status: hasNothingGood ? 400 : 200, body: Array("\(counts),\"errors\":".utf8) + writer.bytes)
  }

  private func response(_ answer: Answer, isDuplicate: Bool) -> Response {
    Answers.json(status: answer.status, Array("{\"duplicate\":\(isDuplicate),".utf8) + answer.body + [UInt8(ascii: "}")])
  }
}
