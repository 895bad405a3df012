// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import Logging
internal import Platform

// `GET /api/v1/export`: samples as OpenMetrics, sent while they are read.

struct ExportRoutes: Sendable {
  /// A transaction is open meanwhile, and SQLite's log grows until it ends.
  private static let timeoutMs: Int64 = 3_600_000

  let export: StoreExport
  /// Of its own: an export takes as long as its client reads, and must not take a thread from queries.
  let worker: Worker
  let logger: Logger

  func add(to router: inout Router) {
    router.get("/api/v1/export") { answer($0) }
  }

  private func answer(_ exchange: Exchange) {
    let extent: StoreExport.Extent
    do {
      extent = try StoreExport.Extent(try PrometheusParameters(exchange))
    } catch {
      return exchange.respond(PrometheusError(error).response)
    }
    let busy = PrometheusError(.unavailable, "exports are under way: try again when one is done")
    exchange.answer(on: worker, busy: busy, failure: { PrometheusError($0).response }) { token in
      try send(extent, token)
      return nil
    }
  }

  /// The answer begins with the first piece, so that an error before it is an answer of its own. After that the
  /// connection is closed instead.
  private func send(_ extent: StoreExport.Extent, _ token: SuspendedExchange) throws {
    let deadlineMs = Clock.monotonicMs() + ExportRoutes.timeoutMs
    var body: BodyWriter?
    do {
      let isWhole = try export.write(extent, while: { Clock.monotonicMs() < deadlineMs && !token.isAbandoned }) { piece in
        let writer = body ?? token.stream(Response(contentType: StoreExport.contentType).with("Cache-Control", "no-store"))
        body = writer
        return writer.write(piece)
      }
      if isWhole { body?.finish() }
      guard Clock.monotonicMs() < deadlineMs else { throw PrometheusError(.timeout, "the export took more than an hour") }
    } catch {
      if body != nil { logger.error("export: broken off: \(error)") }
      throw error
    }
  }
}
