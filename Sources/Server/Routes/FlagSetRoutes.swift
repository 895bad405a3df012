// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import HTTP
internal import JSON
internal import Platform
internal import Synchronization

// Segments, and an environment as one document: exported, imported, and polled by whoever evaluates by itself.

struct FlagSetRoutes: Sendable {
  /// Twice 10,000 keys of 256 bytes, and what JSON adds.
  private static let segmentBytesMax = 8 << 20
  /// A document of many flags and segments.
  private static let documentBytesMax = 16 << 20

  let flags: FlagService
  let administration: Worker
  /// Takes imports, which last: a kill must not wait behind one.
  let imports: Worker
  private let documents = FlagSetDocuments()

  init(flags: FlagService, administration: Worker, imports: Worker) {
    self.flags = flags
    self.administration = administration
    self.imports = imports
  }

  func add(to router: inout Router) {
    let body = BodyPolicy.buffered(bytesMax: FlagSetRoutes.segmentBytesMax)
    router.get("/api/v1/segments") { list($0) }
    router.get("/api/v1/segments/:key") { read($0) }
    router.add(.put, "/api/v1/segments/:key", body: body) { exchange in
      edit(exchange) { .putSegment($0.id.key, try $0.document(), $0.expectedVersion) }
    }
    router.add(.delete, "/api/v1/segments/:key", body: body) { exchange in
      edit(exchange) { .deleteSegment($0.id.key, $0.expectedVersion) }
    }
    router.get("/api/v1/flagset") { export($0) }
    router.add(.post, "/api/v1/flagset", body: .buffered(bytesMax: FlagSetRoutes.documentBytesMax)) { importDocument($0) }
  }

  // MARK: Segments

  private func list(_ exchange: Exchange) {
    do throws(RequestError) {
      let set = try flags.flagSet(environment: exchange.query("environment"))
      var writer = JSONWriter(capacity: 4096)
      writer.beginObject()
      writer.member("environment", set.environment)
      writer.key("segments")
      writer.beginArray()
      for segment in set.segments { segment.json.write(to: &writer) }
      writer.endArray()
      writer.endObject()
      exchange.respond(Answers.json(writer.bytes))
    } catch {
      exchange.respond(Answers.error(error))
    }
  }

  private func read(_ exchange: Exchange) {
    do throws(RequestError) {
      let environment = try FlagService.checked(environment: exchange.query("environment"))
      exchange.respond(FlagSetRoutes.answer(try flags.segment(exchange.parameter(0), environment: environment)))
    } catch {
      exchange.respond(Answers.error(error))
    }
  }

  private static func answer(_ segment: Segment) -> Response {
    Answers.json(Array(segment.json.text.utf8)).with("ETag", "\"\(segment.version)\"")
  }

  private func edit(_ exchange: Exchange, _ wanted: @escaping @Sendable (FlagRoutes.Change) throws -> EnvironmentChange) {
    let flags = flags
    exchange.change(
      on: administration, { (exchange) throws(RequestError) in try FlagRoutes.Change(exchange, key: exchange.parameter(0)) }
    ) { request in
      try FlagRoutes.make(try wanted(request), request, flags) { set in
        set.segment(key: request.id.key).map { FlagSetRoutes.answer($0) }
      }
    }
  }

  // MARK: The document

  private func export(_ exchange: Exchange) {
    do throws(RequestError) {
      let set = try flags.flagSet(environment: exchange.query("environment"))
      flags.propagation.acknowledge(exchange, set, flag: nil)
      let (body, tag) = documents.document(of: set)
      let isHeld = exchange.withHeader("If-None-Match") { EntityTag.isListed(tag, in: $0) } ?? false
      // Cached by whoever asked, and asked for again each time.
      let response = isHeld ? Response(status: 304) : Response(contentType: "application/json", body: body)
      exchange.respond(response.with("ETag", tag).with("Cache-Control", "private, no-cache"))
    } catch {
      exchange.respond(Answers.error(error))
    }
  }

  private func importDocument(_ exchange: Exchange) {
    let flags = flags
    let modeText = exchange.query("mode")
    exchange.change(
      on: imports,
      { (exchange) throws(RequestError) in
        try FlagRoutes.Change(exchange, key: "", parameters: ["environment", "dry_run", "mode"])
      }
    ) { request in
      let wanted = EnvironmentChange.importDocument(try request.document(), try FlagSetRoutes.mode(modeText))
      let environment = request.id.environment
      guard !request.isDryRun else {
        return Answers.json(try flags.preview(wanted, in: environment, nowMs: request.nowMs).json(isDryRun: true))
      }
      let made = try flags.change(wanted, in: environment, reason: request.reason, nowMs: request.nowMs)
      return Answers.json(made.plan.json(isDryRun: false))
    }
  }

  private static func mode(_ text: String?) throws(RequestError) -> EnvironmentChange.ImportMode {
    guard let text else { return .merge }
    guard let mode = EnvironmentChange.ImportMode(rawValue: text) else {
      throw .badRequest("mode: \(text.prefix(40)): must be merge or replace")
    }
    return mode
  }
}

/// The document of each environment's newest set, made when it is first asked for: many poll one that rarely changes. At
/// most as many as there may be environments.
private final class FlagSetDocuments: Sendable {
  private struct Made {
    let revision: Int64
    let body: [UInt8]
    let tag: String
  }

  private let made = Mutex<[String: Made]>([:])

  func document(of set: FlagSet) -> (body: [UInt8], tag: String) {
    if let known = made.withLock({ $0[set.environment] }), known.revision == set.revision { return (known.body, known.tag) }
    let body = set.document
    let tag = EntityTag.text(of: body)
    made.withLock { made in
      // A name that has no flags is anybody's choice, and is not kept.
      guard !set.flags.isEmpty || !set.segments.isEmpty, made[set.environment]?.revision ?? -1 < set.revision else { return }
      made[set.environment] = Made(revision: set.revision, body: body, tag: tag)
    }
    return (body, tag)
  }
}
