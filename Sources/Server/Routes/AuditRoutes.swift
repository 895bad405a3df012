// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import JSON
internal import Platform
internal import Storage

// `GET /api/v1/audit`: who changed what, and whether the record of it is as it was written.

struct AuditRoutes: Sendable {
  private static let entriesMax = 1_000
  private static let headDigits = 64

  let store: Store
  let worker: Worker
  /// Of its own: a check reads every row.
  let checks: Worker

  func add(to router: inout Router) {
    router.get("/api/v1/audit") { list($0) }
    router.get("/api/v1/audit/verify") { verify($0) }
  }

  // MARK: Listing

  private func list(_ exchange: Exchange) {
    do throws(RequestError) {
      let selection = try AuditRoutes.selection(exchange)
      exchange.answer(on: worker) { Answers.json(document(of: try store.audit(selection), limit: selection.limit)) }
    } catch {
      exchange.respond(Answers.error(error))
    }
  }

  private static func selection(_ exchange: Exchange) throws(RequestError) -> AuditSelection {
    AuditSelection(
      flag: exchange.filter("flag"), environment: exchange.filter("environment"), actor: exchange.filter("actor"),
      action: exchange.filter("action"), fromMs: try RequestTime.ms(exchange.query("from"), parameter: "from"),
      untilMs: try RequestTime.ms(exchange.query("to"), parameter: "to"), beforeID: try beforeID(exchange.filter("before_id")),
      limit: try exchange.limit(default: 100, max: entriesMax))
  }

  private static func beforeID(_ text: String?) throws(RequestError) -> Int64? {
    guard let text else { return nil }
    guard let id = Int64(text), id >= 1 else {
      throw .badRequest("before_id: \(text.prefix(40)): must be an entry's id, as next_before_id gives it")
    }
    return id
  }

  private func document(of entries: [StoredAuditEntry], limit: Int) -> [UInt8] {
    var writer = JSONWriter(capacity: 4096)
    writer.beginObject()
    writer.key("entries")
    writer.beginArray()
    for stored in entries { AuditRoutes.write(stored, to: &writer) }
    writer.endArray()
    // A full page that happens to be the last is followed by an empty one.
    writer.optional("next_before_id", entries.count == limit ? entries.last?.id : nil)
    writer.endObject()
    return writer.bytes
  }

  private static func write(_ stored: StoredAuditEntry, to writer: inout JSONWriter) {
    let entry = stored.entry
    writer.beginObject()
    writer.member("id", stored.id)
    writer.member("at_ms", entry.atMs)
    writer.member("actor", entry.actor)
    writer.member("action", entry.action)
    writer.member("flag", entry.flag)
    writer.member("environment", entry.environment)
    writer.member("reason", entry.reason)
    for (key, text) in [("before", entry.before), ("after", entry.after), ("details", entry.details)] {
      writer.key(key)
      if let text { writer.raw(text.utf8.span) } else { writer.null() }
    }
    writer.member("hash", hex(stored.hash))
    writer.endObject()
  }

  // MARK: Verifying

  private func verify(_ exchange: Exchange) {
    do throws(RequestError) {
      let head = try exchange.filter("head").map { (text) throws(RequestError) in try AuditRoutes.head(text) }
      let busy = RequestError.unavailable("checks of the audit are waiting: try again")
      exchange.answer(on: checks, busy: busy, failure: { Answers.error($0) }) { token in
        try store.verifyAudit(notedHead: head) { !token.isAbandoned }.map { Answers.json(AuditRoutes.document(of: $0)) }
      }
    } catch {
      exchange.respond(Answers.error(error))
    }
  }

  private static func document(of verification: AuditVerification) -> [UInt8] {
    var writer = JSONWriter(capacity: 256)
    writer.beginObject()
    switch verification {
    case .verified(let entries, let head, let firstID, let lastID):
      writer.member("verified", true)
      writer.member("entries", entries)
      writer.member("head", hex(head))
      writer.optional("first_id", firstID)
      writer.optional("last_id", lastID)
    case .broken(let entry, let reason):
      writer.member("verified", false)
      writer.optional("entry", entry)
      writer.member("reason", reason)
    }
    writer.endObject()
    return writer.bytes
  }

  private static func head(_ text: String) throws(RequestError) -> [UInt8] {
    let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    guard digits.count == headDigits, text.utf8.count == headDigits else {
      throw .badRequest("head: \(text.prefix(80)): must be the \(headDigits) hexadecimal digits that a verification gave as head")
    }
    return stride(from: 0, to: headDigits, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
