// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import HTTP
internal import JSON
internal import Platform

// Definitions and ramps: reading answers at once, changing runs on the administration worker with the request
// suspended, because it waits for the disk.

struct FlagRoutes: Sendable {
  private static let bodyBytesMax = 1 << 20
  private static let reasonBytesMax = 1_000

  let flags: FlagService
  let administration: Worker
  let stream: EventStream
  let backtests: RolloutBacktest
  /// Runs backtests, one at a time.
  let backtestWorker: Worker

  func add(to router: inout Router) {
    let body = BodyPolicy.buffered(bytesMax: FlagRoutes.bodyBytesMax)
    router.get("/api/v1/stream") { $0.stream(stream) }
    router.get("/api/v1/flags") { list($0) }
    router.get("/api/v1/flags/:key") { exchange in
      read(exchange) { FlagRoutes.answer(try flags.flag($0)) }
    }
    router.add(.put, "/api/v1/flags/:key", body: body) { exchange in
      edit(exchange) { .putFlag($0.id.key, try $0.document(), $0.expectedVersion) }
    }
    router.add(.patch, "/api/v1/flags/:key", body: body) { exchange in
      edit(exchange) { .patchFlag($0.id.key, try $0.document(), $0.expectedVersion) }
    }
    router.add(.delete, "/api/v1/flags/:key", body: body) { exchange in
      edit(exchange) { .deleteFlag($0.id.key, $0.expectedVersion) }
    }
    router.get("/api/v1/flags/:key/rollout") { exchange in
      read(exchange) { id in
        let nowMs = Clock.wallMs()
        return FlagRoutes.answer(try flags.rollout(id, nowMs: nowMs), nowMs: nowMs)
      }
    }
    router.add(.post, "/api/v1/flags/:key/rollout", body: body) { exchange in
      change(exchange, parameters: ["environment"]) { request in
        let rollout = try flags.start(request.id, plan: try request.plan(), reason: request.reason, nowMs: request.nowMs)
        return FlagRoutes.answer(rollout, nowMs: request.nowMs)
      }
    }
    router.add(.post, "/api/v1/flags/:key/rollout/backtest", body: body) { backtest($0) }
    router.add(.post, "/api/v1/flags/:key/rollout/:action", body: body) { exchange in
      let name = exchange.parameter(1)
      change(exchange, parameters: ["environment"]) { request in
        guard let action = RolloutAction(rawValue: name) else {
          let known = RolloutAction.allCases.map(\.rawValue).joined(separator: ", ")
          throw RequestError.notFound("\(name.prefix(40)): no action on a ramp: known here: \(known)")
        }
        let rollout = try flags.apply(action, to: request.id, reason: request.reason, nowMs: request.nowMs)
        return FlagRoutes.answer(rollout, nowMs: request.nowMs)
      }
    }
  }

  // MARK: Reading

  private func list(_ exchange: Exchange) {
    do throws(RequestError) {
      let set = try flags.flagSet(environment: exchange.query("environment"))
      var writer = JSONWriter(capacity: 4096)
      writer.beginObject()
      writer.member("environment", set.environment)
      writer.key("flags")
      writer.beginArray()
      for flag in set.flags { flag.json.write(to: &writer) }
      writer.endArray()
      writer.endObject()
      exchange.respond(Answers.json(writer.bytes))
    } catch {
      exchange.respond(Answers.error(error))
    }
  }

  private func read(_ exchange: Exchange, _ work: (FlagService.FlagID) throws -> Response) {
    do {
      exchange.respond(try work(try FlagRoutes.id(exchange)))
    } catch {
      exchange.respond(Answers.error(error))
    }
  }

  private static func id(_ exchange: Exchange) throws(RequestError) -> FlagService.FlagID {
    let environment = try FlagService.checked(environment: exchange.query("environment"))
    return FlagService.FlagID(environment: environment, key: exchange.parameter(0))
  }

  static func answer(_ flag: Flag) -> Response {
    Answers.json(Array(flag.json.text.utf8)).with("ETag", "\"\(flag.version)\"")
  }

  private static func answer(_ rollout: Rollout, nowMs: Int64) -> Response {
    Answers.json(Array(rollout.json(nowMs: nowMs).text.utf8))
  }

  /// Changes nothing: the plan in the body, or the flag's own, over what the store holds.
  private func backtest(_ exchange: Exchange) {
    do {
      let change = try Change(exchange, key: exchange.parameter(0), parameters: ["environment", "from", "to"])
      let throughMs = try RequestTime.ms(exchange.query("to"), parameter: "to") ?? change.nowMs
      let fromMs = try RequestTime.ms(exchange.query("from"), parameter: "from")
      let flag = try flags.flag(change.id)
      let guarding = try CompiledGuard(try flags.plan(try change.plan(), of: flag))
      let busy = RequestError.unavailable("another backtest is running: try again when it has ended")
      exchange.answer(on: backtestWorker, busy: busy, failure: { Answers.error($0) }) { token in
        let trial = try backtests.run(
          guarding, key: flag.key, environment: change.id.environment, caches: flag.caches, fromMs: fromMs, throughMs: throughMs
        ) { !token.isAbandoned }
        return trial.map { Answers.json(Array($0.text.utf8)) }
      }
    } catch {
      exchange.respond(Answers.error(error))
    }
  }

  // MARK: Changing

  /// What a change needs of its request, taken before the request is suspended.
  struct Change: Sendable {
    /// Without a key where what is changed has none.
    let id: FlagService.FlagID
    let expectedVersion: FlagService.ExpectedVersion
    let body: [UInt8]
    let headerReason: String?
    let nowMs: Int64
    /// Whether to say only what would change.
    let isDryRun: Bool

    /// - Parameter parameters: those that the change knows. Any other is refused: a misspelt `dry_run` or `environment` would
    ///   change what nobody meant to change.
    init(
      _ exchange: Exchange, key: String, parameters: [String] = ["environment", "dry_run"]
    ) throws(RequestError) {
      if let unknown = exchange.queryNames.first(where: { !parameters.contains($0) }) {
        throw .badRequest("\(unknown.prefix(40)): no such parameter here: known are \(parameters.joined(separator: ", "))")
      }
      id = FlagService.FlagID(environment: try FlagService.checked(environment: exchange.query("environment")), key: key)
      isDryRun = try Change.isTrue("dry_run", exchange)
      let mustBeAbsent = exchange.header("If-None-Match") == "*"
      expectedVersion = mustBeAbsent ? .absent : try Change.version(exchange.header("If-Match"))
      headerReason = exchange.header("X-Reason")
      nowMs = Clock.wallMs()
      body = try exchange.takeJSONBody()
    }

    /// The body without the `reason` that may stand beside what it is about.
    func document() throws -> JSONValue {
      do {
        let document = try JSONValue(parsing: body)
        return document.members.map { .object($0.filter { $0.name != "reason" }) } ?? document
      } catch {
        throw RequestError.badRequest("body: \(error)")
      }
    }

    /// Nil where the body holds no plan.
    func plan() throws -> RolloutPlan? {
      guard !body.isEmpty else { return nil }
      guard let members = try document().members else {
        throw RequestError.badRequest(#"body: must be a plan, such as {"steps":[{"percent":10,"bake":"1h"}]}"#)
      }
      return members.isEmpty ? nil : try RolloutPlan(.object(members))
    }

    /// From the body or the header, cut to a bound.
    var reason: String {
      let text = (try? JSONValue(parsing: body))?["reason"]?.string ?? headerReason ?? ""
      return String(text.prefix(FlagRoutes.reasonBytesMax))
    }

    private static func isTrue(_ name: StaticString, _ exchange: Exchange) throws(RequestError) -> Bool {
      switch exchange.query(name) {
      case nil, "false": return false
      case "true", "": return true
      case let text?: throw .badRequest("\(name): \(text.prefix(40)): must be true or false")
      }
    }

    private static func version(_ header: String?) throws(RequestError) -> FlagService.ExpectedVersion {
      guard let header else { return .any }
      if header == "*" { return .existing }
      // Proxies that compress weaken a tag; it still names the version.
      let tag = header.hasPrefix("W/") ? header.dropFirst(2) : header[...]
      guard let version = Int64(tag.filter { $0 != "\"" }) else {
        throw .badRequest("If-Match: \(header.prefix(40)): must be the version in quotes, as its ETag gives it")
      }
      return .exactly(version)
    }
  }

  private func change(
    _ exchange: Exchange, parameters: [String], _ work: @escaping @Sendable (Change) throws -> Response
  ) {
    exchange.change(
      on: administration,
      { (exchange) throws(RequestError) in try Change(exchange, key: exchange.parameter(0), parameters: parameters) }, work)
  }

  /// A change of a definition, or with `dry_run` what it would change.
  private func edit(_ exchange: Exchange, _ wanted: @escaping @Sendable (Change) throws -> EnvironmentChange) {
    change(exchange, parameters: ["environment", "dry_run"]) { request in
      try FlagRoutes.make(try wanted(request), request, flags) { set in set.flag(key: request.id.key).map { FlagRoutes.answer($0) } }
    }
  }

  /// - Parameter answer: of what is there afterwards; nil where nothing is.
  static func make(
    _ wanted: EnvironmentChange, _ request: Change, _ flags: FlagService, answer: (FlagSet) -> Response?
  ) throws -> Response {
    guard !request.isDryRun else {
      return Answers.json(try flags.preview(wanted, in: request.id.environment, nowMs: request.nowMs).json(isDryRun: true))
    }
    let made = try flags.change(wanted, in: request.id.environment, reason: request.reason, nowMs: request.nowMs)
    return answer(made.set) ?? Response(status: 204)
  }
}
