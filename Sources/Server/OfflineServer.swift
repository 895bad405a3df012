// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import Platform
internal import Storage

// Flags, ramps and the audit of a store that no server uses, behind the same routes as a server's, so that a command
// talks to both in the same way. No event is taken, no ramp driven and no rule evaluated.

/// Serves a store to the process that opened it, and to nobody else: it listens on a free port of the loopback address
/// and answers only those who know its token.
package final class OfflineServer: Sendable {
  private static let stopMs: Int64 = 10_000

  private let store: Store
  private let http: HTTPServer
  private let administration = Worker(name: "administration", queueMax: 1)
  private let readings = Worker(name: "readings", queueMax: 1)
  private let backtests = Worker(name: "backtests", queueMax: 1)
  /// With scheme and port, without a path.
  package let url: String
  /// For `Authorization: Bearer`.
  package let token: String

  /// Opens the store.
  ///
  /// - Parameter configuration: for the folder, and the resolution, which must be the server's.
  package init(_ configuration: Configuration) throws(OfflineStoreError) {
    var random = SystemRandomNumberGenerator()
    let token = (0..<4).map { _ in String(random.next(), radix: 16) }.joined(separator: "-")
    self.token = token
    store = try OfflineStore.open(configuration)
    do {
      let streams = ChangeStreams()
      let flags = try FlagService(
        store: store, streams: streams, resolutionMs: configuration.resolutionMs, nowMs: Clock.wallMs(),
        review: { (compiled) throws(RequestError) in try OfflineServer.review(compiled, configuration.rules) })
      var router = Router()
      FlagRoutes(
        flags: flags, administration: administration, stream: streams.page,
        backtests: RolloutBacktest(store: store, resolutionMs: configuration.resolutionMs), backtestWorker: backtests
      ).add(to: &router)
      FlagSetRoutes(flags: flags, administration: administration, imports: administration).add(to: &router)
      AuditRoutes(store: store, worker: readings, checks: readings).add(to: &router)
      VerifyRoutes(
        service: VerifyService(flags: flags, store: store, resolutionMs: configuration.resolutionMs), worker: readings
      ).add(to: &router)
      var settings = HTTPServer.Configuration()
      settings.workers = 1
      http = HTTPServer(
        configuration: settings, router: router,
        hooks: HTTPServer.Hooks(
          admission: { $0.header("Authorization") == "Bearer \(token)" ? nil : Answers.error(403, "this port belongs to a command") },
          errorResponse: { Answers.error($0, $1) }))
      url = "http://127.0.0.1:\(try http.start())"
    } catch {
      // The error that matters is the first.
      try? store.close()
      throw OfflineStoreError(kind: .failed, description: "\(error)")
    }
  }

  /// By the rules that a server with these settings would have in force.
  private static func review(_ compiled: CompiledGuard, _ rules: Configuration.Rules) throws(RequestError) {
    guard !compiled.selections.isEmpty else { return }
    let files: RuleFiles
    do {
      files = try RuleFiles(rules)
    } catch {
      throw .conflict("\(error)")
    }
    try compiled.requireKnownAlerts(files.groups)
  }

  /// Ends what is under way and closes the store. Once.
  package func stop() throws(OfflineStoreError) {
    http.stop(drainSeconds: 1)
    // A change that was asked for is made before the store is closed.
    _ = administration.stop(timeoutMs: OfflineServer.stopMs)
    _ = readings.stop(timeoutMs: OfflineServer.stopMs)
    _ = backtests.stop(timeoutMs: OfflineServer.stopMs)
    do {
      try store.close()
    } catch {
      throw OfflineStoreError(kind: .failed, description: "\(error)")
    }
  }
}
