// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import HTTP
internal import JSON

// Evaluations: OFREP's two endpoints and the small GET. They read the current FlagSet and nothing else: no disk, no
// thread, no work that waits.
// https://github.com/open-feature/protocol/blob/main/service/openapi.yaml

struct EvaluationRoutes: Sendable {
  /// OFREP names no limit; flagd takes 1 MiB.
  private static let bodyBytesMax = 1 << 20
  private static let streamPath = "/ofrep/v1/stream"

  let flags: FlagService
  let changes: EventStream
  let crossOrigin: CrossOrigin

  func add(to router: inout Router) {
    let body = BodyPolicy.buffered(bytesMax: EvaluationRoutes.bodyBytesMax)
    router.get("/api/v1/evaluate/:key") { evaluate($0) }
    router.add(.post, "/ofrep/v1/evaluate/flags/:key", body: body) { evaluateSingle($0) }
    // A client that does not escape the slashes of a key asks for a flag all the same.
    router.add(.post, "/ofrep/v1/evaluate/flags/*key", body: body) { evaluateSingle($0) }
    router.add(.post, "/ofrep/v1/evaluate/flags", body: body) { evaluateAll($0) }
    // flagd takes it too, and clients join paths either way.
    router.add(.post, "/ofrep/v1/evaluate/flags/", body: body) { evaluateAll($0) }
    router.get(EvaluationRoutes.streamPath) { $0.stream(changes, headers: crossOrigin.headers(for: $0)) }
    for path in [
      "/api/v1/evaluate/:key", "/ofrep/v1/evaluate/flags/:key", "/ofrep/v1/evaluate/flags", "/ofrep/v1/evaluate/flags/",
      EvaluationRoutes.streamPath,
    ] {
      router.add(.options, path) { $0.respond(crossOrigin.preflight($0)) }
    }
  }

  private func evaluate(_ exchange: Exchange) {
    guard let set = flagSet(for: exchange, hasKey: true) else { return }
    var writer = JSONWriter(capacity: 320)
    let status = exchange.withParameter(0) { key in
      exchange.withQuery("targetingKey") { set.answer(key: key, targetingKey: $0, into: &writer) }
        ?? set.answer(key: key, targetingKey: nil, into: &writer)
    }
    if status == .success { exchange.withParameter(0) { flags.propagation.acknowledge(exchange, set, flag: $0) } }
    respondWithTag(exchange, status, writer.bytes)
  }

  private func evaluateSingle(_ exchange: Exchange) {
    guard let set = flagSet(for: exchange, hasKey: true) else { return }
    var writer = JSONWriter(capacity: 320)
    let status: AnswerStatus = exchange.withParameter(0) { key in
      do {
        let context = try exchange.withBody { try EvaluationContext(body: $0) }
        let status = set.answer(key: key, context: context, into: &writer)
        if status == .success { flags.propagation.acknowledge(exchange, set, flag: key, context: context) }
        return status
      } catch {
        set.countFailure(key: key)
        writer.removeAll()
        failure(error).write(key: key, to: &writer)
        return .badRequest
      }
    }
    respond(exchange, Response(status: status.httpStatus, contentType: "application/json", body: writer.bytes))
  }

  private func evaluateAll(_ exchange: Exchange) {
    guard let set = flagSet(for: exchange, hasKey: false) else { return }
    var writer = JSONWriter(capacity: set.bulkBytes)
    do {
      let context = try exchange.withBody { try EvaluationContext(body: $0) }
      set.answerAll(context: context, eventStreams: EvaluationRoutes.eventStreams.span, into: &writer)
      flags.propagation.acknowledge(exchange, set, flag: nil, context: context)
    } catch {
      failure(error).write(key: nil, to: &writer)
      return respond(exchange, Response(status: 400, contentType: "application/json", body: writer.bytes))
    }
    respondWithTag(exchange, .success, writer.bytes)
  }

  /// The stream is named by path alone, which a client completes with the address it reached this server by, so it
  /// works behind any proxy (OFREP ADR-0008).
  private static let eventStreams = Array(
    #"[{"type":"sse","endpoint":{"requestUri":"\#(streamPath)"},"inactivityDelaySec":120}]"#.utf8)

  private func failure(_ error: any Error) -> EvaluationFailure {
    error as? EvaluationFailure ?? EvaluationFailure(code: .general, details: "\(error)")
  }

  /// Nil when the request has been answered: there can be no such environment.
  private func flagSet(for exchange: Exchange, hasKey: Bool) -> FlagSet? {
    do throws(RequestError) {
      return try flags.flagSet(environment: exchange.query("environment"))
    } catch {
      let failure = EvaluationFailure(code: .general, details: error.sentence)
      var writer = JSONWriter(capacity: 320)
      if hasKey {
        exchange.withParameter(0) { failure.write(key: $0, to: &writer) }
      } else {
        failure.write(key: nil, to: &writer)
      }
      respond(exchange, Response(status: error.status, contentType: "application/json", body: writer.bytes))
      return nil
    }
  }

  private func respond(_ exchange: Exchange, _ response: Response) {
    let headers = crossOrigin.headers(for: exchange)
    guard !headers.isEmpty else { return exchange.respond(response) }
    var shared = response
    shared.add(headers)
    exchange.respond(shared)
  }

  // MARK: Entity tags

  /// The tag is a digest of the body, so that it covers the context as well as the configuration.
  private func respondWithTag(_ exchange: Exchange, _ status: AnswerStatus, _ body: [UInt8]) {
    guard status == .success else {
      return respond(exchange, Response(status: status.httpStatus, contentType: "application/json", body: body))
    }
    let tag = EntityTag.text(of: body)
    let isHeld = exchange.withHeader("If-None-Match") { EntityTag.isListed(tag, in: $0) } ?? false
    let response = isHeld ? Response(status: 304) : Response(contentType: "application/json", body: body)
    respond(exchange, response.with("ETag", tag))
  }
}
