// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import HTTP
internal import Ingest
internal import Logging
internal import Notification
internal import Platform
internal import Sources
internal import Storage

// The whole server: what is started in which order, and stopped in reverse. Storage, flags, the driver of ramps, HTTP
// last, so that nobody is answered before everything is there.

/// A Rampart server within this process.
package final class Service: Sendable {
  /// Bodies being received at one time, in bytes, as a multiple of the largest one.
  private static let bodyBudgetFactor = 4
  private static let drainSeconds = 8.0
  /// Files, listeners, receivers, and the connections of syslog and forward listeners.
  private static let ownDescriptorsMax = 2_048

  private struct Running: Sendable {
    let store: Store
    let driver: RepeatingThread
    let ramps: RolloutDriver
    let recorder: RepeatingThread
    let rules: RuleService
    let ruleTimes: RepeatingThread
    let http: HTTPServer
    let sources: SourceSet
    let notifier: Notifier
    let workers: Workers
  }

  /// What waits for the disk waits in one of these.
  private struct Workers: Sendable {
    // Bodies that wait are within the budget of all bodies.
    let decoders = Worker(name: "decoders", threads: HTTPServer.Configuration().workers, queueMax: 4_096)
    let readings = Worker(name: "readings", threads: 2, queueMax: 256)
    let queries = Worker(name: "queries", threads: 2, queueMax: 64)
    let exports = Worker(name: "exports", queueMax: 1)
    let backtests = Worker(name: "backtests", queueMax: 1)
    let administration = Worker(name: "administration", queueMax: 256)
    let imports = Worker(name: "imports", queueMax: 4)
    let auditChecks = Worker(name: "audit checks", queueMax: 4)
    let tests = Worker(name: "tests", queueMax: 1)

    /// - Returns: false when one did not end in time.
    func stop(timeoutMs: Int64) -> Bool {
      let workers = [decoders, readings, queries, exports, backtests, administration, imports, auditChecks]
      let hasEnded = workers.map { $0.stop(timeoutMs: timeoutMs) }
      // A test of a receiver that does not answer takes longer than a stop may, and leaves nothing behind.
      _ = tests.stop(timeoutMs: 0)
      return hasEnded.allSatisfy { $0 }
    }
  }

  private let configuration: Configuration
  private let logger = Logger(label: "rampart")
  private let running = Monitor<Running?>(nil)

  package init(_ configuration: Configuration) {
    self.configuration = configuration
  }

  /// Opens the store and serves from now on.
  ///
  /// - Throws: `StoreError`, `HTTPServerError`.
  package func start() throws {
    precondition(Access.isLoopback(configuration.listenHost), "nobody can sign in, so nobody from elsewhere may come")
    let startedMs = Clock.wallMs()
    raiseDescriptorLimit()
    let store = try Store(configuration.store)
    do {
      let streams = ChangeStreams()
      let workers = Workers()
      let logger = logger
      let notifier = try Notifier(store: NotificationTable(store: store)) { $0.write(to: logger) }
      let silences = try SilenceService(store: store, notifier: notifier, nowMs: startedMs)
      let groups = try RuleFiles(configuration.rules).groups
      let rules = makeRules(store, streams, notifier)
      try rules.begin(groups, nowMs: startedMs)
      let flags = try FlagService(
        store: store, streams: streams, resolutionMs: configuration.resolutionMs, nowMs: startedMs,
        review: { (compiled) throws(RequestError) in try rules.review(compiled) })
      let ramps = makeDriver(store, flags, rules, notifier)
      let driver = ramps.makeThread()
      let counters = IngestCounters(startedMs: startedMs)
      // The page of metrics is a route of the server whose counters it shows.
      let server = Monitor<HTTPServer?>(nil)
      let metrics = MetricsPage(store: store, counters: counters, flags: flags, rules: rules, notifier: notifier) {
        server.withLock { $0?.statistics }
      }
      let http = makeServer(store, flags, streams, workers, metrics, silences, startedMs: startedMs)
      server.change { $0 = http }
      let recorder = SelfRecorder(store: store, metrics: metrics, logger: logger)
        .makeThread(resolutionMs: configuration.resolutionMs)
      let ruleTimes = rules.makeThread()
      driver.start()
      recorder.start()
      let port = try http.start()
      // Its links name the port, and rules are evaluated for it.
      try notifier.start(configuration.notify, externalURL: configuration.externalURL ?? configuration.listenURL(port: port))
      notifier.keep(groups, nowMs: startedMs)
      ruleTimes.start()
      let sources = makeSources(store, counters, flags)
      do {
        try sources.change(to: configuration.sources)
      } catch {
        http.stop(drainSeconds: 0)
        throw error
      }
      running.change {
        $0 = Running(
          store: store, driver: driver, ramps: ramps, recorder: recorder, rules: rules, ruleTimes: ruleTimes, http: http, sources: sources,
          notifier: notifier, workers: workers)
      }
      logger.info("listening", metadata: ["url": "\(configuration.listenURL(port: port))/", "data": "\(configuration.dataFolder)"])
    } catch {
      // The store's own error would hide the one that matters.
      try? store.close()
      throw error
    }
  }

  /// Stops accepting, answers what is in flight, commits, and closes the store.
  ///
  /// - Returns: false when something did not end in time.
  package func stop() -> Bool {
    guard let parts = running.change({ state in
      defer { state = nil }
      return state
    }) else { return true }
    logger.info("stopping")
    parts.http.stop(drainSeconds: Service.drainSeconds)
    let hasEnded = [
      parts.sources.stop(), parts.ruleTimes.stop(timeoutMs: 2_000), parts.rules.stop(timeoutMs: 2_000),
      parts.driver.stop(timeoutMs: 2_000), parts.ramps.stop(timeoutMs: 2_000), parts.recorder.stop(timeoutMs: 2_000),
      parts.workers.stop(timeoutMs: 2_000),
      parts.notifier.stop(timeoutMs: 2_000),
    ]
    do throws(StoreError) {
      try parts.store.close()
    } catch {
      logger.error("\(error)")
      return false
    }
    logger.info("stopped")
    return hasEnded.allSatisfy { $0 }
  }

  /// What SIGHUP asks for: sources, rules and receivers of notifications as the settings and files are now. Other settings
  /// count from the next start on.
  ///
  /// - Parameter read: reads the settings. What it throws is told, and what was in force stays; so it does for sources or
  ///   rules alone.
  package func reload(_ read: () throws -> Configuration) {
    guard let parts = running.withLock({ $0 }) else { return }
    let settings: Configuration
    do {
      settings = try read()
    } catch {
      return logger.error("reload: \(error): the old sources, rules and receivers stay in force")
    }
    do {
      try parts.sources.change(to: settings.sources)
      logger.info("reload: the sources are as the settings say")
    } catch {
      logger.error("reload: \(error): the old sources stay in force")
    }
    do {
      let files = try RuleFiles(settings.rules)
      let nowMs = Clock.wallMs()
      parts.rules.change(to: files.groups, nowMs: nowMs)
      parts.notifier.keep(files.groups, nowMs: nowMs)
      logger.info("reload: \(files.groups.count) groups of rules from \(files.fileCount) files are in force")
    } catch {
      logger.error("reload: \(error): the old rules stay in force")
    }
    do {
      try parts.notifier.change(to: settings.notify)
      logger.info("reload: \(settings.notify.count) receivers of notifications are in force")
    } catch {
      logger.error("reload: \(error): the old receivers of notifications stay in force")
    }
  }

  private func makeRules(_ store: Store, _ streams: ChangeStreams, _ notifier: Notifier) -> RuleService {
    RuleService(
      store: store, resolutionMs: configuration.resolutionMs, defaultIntervalMs: configuration.rules.intervalMs,
      externalURL: configuration.rulesURL, logger: logger
    ) { telling in
      streams.alertsChanged(telling)
      notifier.tell(telling)
    }
  }

  private func makeDriver(
    _ store: Store, _ flags: FlagService, _ rules: RuleService, _ notifier: Notifier
  ) -> RolloutDriver {
    let notices = RolloutNotices(flags: flags, notifier: notifier)
    return RolloutDriver(
      flags: flags, measurement: GuardMeasurement(store: store, rules: rules, resolutionMs: configuration.resolutionMs), logger: logger,
      instances: { flags.instances(of: $0) }, ticked: { notices.tell(nowMs: $0) }
    )
  }

  private func makeSources(_ store: Store, _ counters: IngestCounters, _ flags: FlagService) -> SourceSet {
    let sink = SourceIntake(
      store: store, counters: counters, keys: DeliveryKeys(store: store, windowMs: configuration.ingest.dedupeWindowMs),
      logger: logger)
    return SourceSet(
      store: store, sink: sink, ingest: ingestSettings(store, flags),
      messageBytesMax: configuration.ingest.bodyBytesMax, logger: logger)
  }

  private func ingestSettings(_ store: Store, _ flags: FlagService) -> IngestSettings {
    configuration.ingestSettings(userSeed: store.userSeed) { [exposures = flags.exposures] in exposures.picture() }
  }

  private func makeServer(
    _ store: Store, _ flags: FlagService, _ streams: ChangeStreams, _ workers: Workers, _ metrics: MetricsPage,
    _ silences: SilenceService, startedMs: Int64
  ) -> HTTPServer {
    let counters = metrics.counters
    var router = Router()
    let intake = EventIntake(
      store: store, settings: ingestSettings(store, flags), counters: counters,
      budget: BodyBudget(bytesMax: configuration.ingest.bodyBytesMax * Service.bodyBudgetFactor),
      bodyBytesMax: configuration.ingest.bodyBytesMax, worker: workers.decoders,
      keys: DeliveryKeys(store: store, windowMs: configuration.ingest.dedupeWindowMs))
    EventRoutes(intake: intake).add(to: &router)
    LokiRoutes(intake: intake).add(to: &router)
    OTLPRoutes(intake: intake).add(to: &router)
    ElasticsearchRoutes(intake: intake, worker: workers.readings).add(to: &router)
    DeadLetterRoutes(store: store, replay: DeadLetterReplay(intake: intake), worker: workers.readings).add(to: &router)
    ReadingRoutes(
      store: store, metrics: metrics, counters: counters, worker: workers.readings, resolutionMs: configuration.resolutionMs,
      startedMs: startedMs
    ).add(to: &router)
    AuditRoutes(store: store, worker: workers.readings, checks: workers.auditChecks).add(to: &router)
    RecentEventRoutes(store: store, worker: workers.readings).add(to: &router)
    HotKeyRoutes(counters: counters, worker: workers.readings).add(to: &router)
    QueryRoutes(
      queries: QueryService(store: store, resolutionMs: configuration.resolutionMs), metrics: metrics, worker: workers.queries
    ).add(to: &router)
    RuleRoutes(
      rules: metrics.rules, notifier: metrics.notifier,
      backtests: BacktestService(store: store, resolutionMs: configuration.resolutionMs, externalURL: configuration.rulesURL),
      worker: workers.readings, backtestWorker: workers.backtests
    ).add(to: &router)
    ExportRoutes(
      export: StoreExport(store: store, resolutionMs: configuration.resolutionMs), worker: workers.exports, logger: logger
    ).add(to: &router)
    EvaluationRoutes(flags: flags, changes: streams.ofrep, crossOrigin: crossOrigin).add(to: &router)
    FlagRoutes(
      flags: flags, administration: workers.administration, stream: streams.page,
      backtests: RolloutBacktest(store: store, resolutionMs: configuration.resolutionMs), backtestWorker: workers.backtests
    ).add(to: &router)
    PropagationRoutes(flags: flags).add(to: &router)
    FlagSetRoutes(flags: flags, administration: workers.administration, imports: workers.imports).add(to: &router)
    VerifyRoutes(
      service: VerifyService(flags: flags, store: store, resolutionMs: configuration.resolutionMs), worker: workers.readings
    ).add(to: &router)
    SilenceRoutes(silences: silences, rules: metrics.rules, administration: workers.administration).add(to: &router)
    NotifyRoutes(notifier: metrics.notifier, worker: workers.tests).add(to: &router)
    PageRoutes(folder: configuration.assetsFolder).add(to: &router)
    return HTTPServer(configuration: httpConfiguration, router: router, hooks: hooks)
  }

  /// Connections need a descriptor each, and the store, sources and receivers some.
  private func raiseDescriptorLimit() {
    let needed = httpConfiguration.connectionsMax + Service.ownDescriptorsMax
    let limit = DescriptorLimit.raise(to: needed)
    guard limit < needed else { return }
    logger.warning(
      "open files: the limit is \(limit), and \(needed) are needed for all connections: raise the hard limit (ulimit -Hn, LimitNOFILE=)")
  }

  private var httpConfiguration: HTTPServer.Configuration {
    var settings = HTTPServer.Configuration()
    settings.host = configuration.listenHost
    settings.port = Int(configuration.listenPort)
    return settings
  }

  private var crossOrigin: CrossOrigin { CrossOrigin(allowedOrigins: configuration.allowedOrigins) }

  private var hooks: HTTPServer.Hooks {
    let access = Access(allowedHosts: configuration.allowedHosts, crossOrigin: crossOrigin)
    return HTTPServer.Hooks(
      admission: { access.refusal(of: $0) }, errorResponse: { Answers.error($0, $1) })
  }
}
