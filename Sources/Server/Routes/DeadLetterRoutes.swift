// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import JSON
internal import Platform
internal import Storage

// What was rejected: reading it, replaying it, and deleting it.

struct DeadLetterRoutes: Sendable {
  private static let path = "/api/v1/deadletters"
  private static let lettersMax = 1_000
  /// Of each record in a list, so that a thousand of them stay an answer. One alone is answered whole.
  private static let excerptBytesMax = 4_096
  private static let reasonBytesMax = 1_000

  let store: Store
  let replay: DeadLetterReplay
  let worker: Worker

  func add(to router: inout Router) {
    router.get(DeadLetterRoutes.path) { list($0) }
    router.get(DeadLetterRoutes.path + "/:id") { one($0) }
    router.add(.post, DeadLetterRoutes.path + "/replay") { exchange in
      change(exchange) { selection in DeadLetterRoutes.document(try replay.run(selection), of: try store.deadLetterTotal()) }
    }
    router.add(.delete, DeadLetterRoutes.path) { exchange in
      let reason = String((exchange.header("X-Reason") ?? "").prefix(DeadLetterRoutes.reasonBytesMax))
      change(exchange) { try purge($0, reason: reason) }
    }
  }

  // MARK: Reading

  private func list(_ exchange: Exchange) {
    do throws(RequestError) {
      let limit = try exchange.limit(default: 100, max: DeadLetterRoutes.lettersMax)
      let before = try exchange.query("before").map { (text) throws(RequestError) in try DeadLetterRoutes.id(text, "before") }
      let selection = try DeadLetterRoutes.selection(exchange)
      answer(exchange) {
        // One more than is answered tells whether there is a next page.
        let letters = try store.deadLetters(
          selection, before: before, limit: limit + 1, excerptBytesMax: DeadLetterRoutes.excerptBytesMax)
        return DeadLetterRoutes.document(letters.prefix(limit), hasMore: letters.count > limit)
      }
    } catch {
      exchange.respond(Answers.error(error))
    }
  }

  private func one(_ exchange: Exchange) {
    do throws(RequestError) {
      let id = try DeadLetterRoutes.id(exchange.parameter(0), "id")
      answer(exchange) {
        let selection = DeadLetterSelection(source: nil, ids: [id...id])
        guard let letter = try store.deadLetters(selection, before: nil, limit: 1).first else {
          throw RequestError.notFound("dead letter \(id): not there: it was never kept, or has been forgotten, replayed or purged")
        }
        var writer = JSONWriter(capacity: letter.sizeBytes + 512)
        DeadLetterRoutes.write(letter, to: &writer)
        return writer.bytes
      }
    } catch {
      exchange.respond(Answers.error(error))
    }
  }

  private static func document(_ letters: ArraySlice<StoredDeadLetter>, hasMore: Bool) -> [UInt8] {
    var writer = JSONWriter(capacity: 4096)
    writer.beginObject()
    writer.key("dead_letters")
    writer.beginArray()
    for letter in letters { write(letter, to: &writer) }
    writer.endArray()
    writer.optional("next_before", hasMore ? letters.last?.id : nil)
    writer.endObject()
    return writer.bytes
  }

  private static func write(_ stored: StoredDeadLetter, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("id", stored.id)
    writer.member("at_ms", stored.atMs)
    writer.member("source", stored.letter.source)
    writer.member("line", stored.letter.line)
    writer.member("reason", stored.letter.reason)
    writer.member("size_bytes", stored.sizeBytes)
    writer.member("replayable", stored.letter.isWhole)
    writer.member("body", String(decoding: stored.letter.body, as: UTF8.self))
    writer.endObject()
  }

  // MARK: Changing

  private static func document(_ summary: DeadLetterReplay.Summary, of total: DeadLetterTotal) -> [UInt8] {
    var writer = JSONWriter(capacity: 1024)
    writer.beginObject()
    writer.member("replayed", summary.replayed)
    writer.member("rejected", summary.rejected)
    writer.member("ignored", summary.ignored)
    writer.member("cut", summary.cut)
    writer.member("remaining", total.letters)
    writer.key("errors")
    writer.beginArray()
    for error in summary.errors {
      writer.beginObject()
      writer.member("id", error.id)
      writer.member("reason", error.reason)
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  private func purge(_ selection: DeadLetterSelection, reason: String) throws -> [UInt8] {
    let nowMs = Clock.wallMs()
    let count = try store.purgeDeadLetters(selection) { count in
      var before = JSONWriter(capacity: 64)
      before.beginObject()
      before.member("dead_letters", count)
      if let source = selection.source { before.member("source", source) }
      before.endObject()
      return AuditEntry(
        atMs: nowMs, actor: Actor.localUser, action: "deadletters purge", environment: "", flag: "", reason: reason,
        before: String(decoding: before.bytes, as: UTF8.self), after: nil)
    }
    return Array("{\"purged\":\(count)}".utf8)
  }

  private func change(_ exchange: Exchange, _ work: @escaping @Sendable (DeadLetterSelection) throws -> [UInt8]) {
    do throws(RequestError) {
      let selection = try DeadLetterRoutes.selection(exchange)
      answer(exchange) { try work(selection) }
    } catch {
      exchange.respond(Answers.error(error))
    }
  }

  private func answer(_ exchange: Exchange, _ work: @escaping @Sendable () throws -> [UInt8]) {
    exchange.answer(on: worker) { Answers.json(try work()) }
  }

  // MARK: Parameters

  /// `source` and `ids`.
  private static func selection(_ exchange: Exchange) throws(RequestError) -> DeadLetterSelection {
    var selection = DeadLetterSelection(source: exchange.query("source"), ids: [])
    guard let text = exchange.query("ids") else { return selection }
    let parts = text.split(separator: ",", maxSplits: DeadLetterSelection.rangesMax, omittingEmptySubsequences: false)
    guard parts.count <= DeadLetterSelection.rangesMax else {
      throw .badRequest("ids: more than \(DeadLetterSelection.rangesMax) ids and ranges: ask several times")
    }
    for part in parts {
      let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
      let first = try id(ends[0], "ids"), last = ends.count == 2 ? try id(ends[1], "ids") : first
      guard first <= last else { throw .badRequest("ids: \(part.prefix(40)): a range ends where it begins or later") }
      selection.ids.append(first...last)
    }
    return selection
  }

  private static func id(_ text: some StringProtocol, _ name: String) throws(RequestError) -> Int64 {
    guard let id = Int64(text), id >= 1 else {
      throw .badRequest("\(name): \(text.prefix(40)): must be ids from 1, such as 7\(name == "ids" ? " or 3,7,10-20" : "")")
    }
    return id
  }
}
