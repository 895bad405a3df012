// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import JSON
internal import Platform
internal import Storage
internal import TimeSeries

// What can be read: health, metrics, totals, status. Whatever reads the disk runs on a
// worker with the request suspended, so that a long query delays neither ingest nor flags.

struct ReadingRoutes: Sendable {
  let store: Store
  let metrics: MetricsPage
  let counters: IngestCounters
  let worker: Worker
  let resolutionMs: Int64
  let startedMs: Int64

  func add(to router: inout Router) {
    let healthy = PreparedResponse(Response(text: "Rampart is healthy.\n"))
    router.get("/-/healthy") { $0.respond(healthy) }
    router.get("/-/ready") { exchange in
      exchange.answer(on: worker) {
        try store.probe(nowMs: Clock.wallMs())
        return Response(text: "Rampart is ready.\n")
      }
    }
    router.get("/metrics") { exchange in
      let format = Exposition.format(accept: exchange.header("Accept"))
      exchange.answer(on: worker) {
        Response(contentType: format.contentType, body: metrics.write(format, nowMs: Clock.wallMs()))
      }
    }
    router.get("/api/v1/totals") { totals($0) }
    router.get("/api/v1/status") { exchange in exchange.answer(on: worker) { Answers.json(status()) } }
  }

  private func totals(_ exchange: Exchange) {
    do throws(RequestError) {
      let query = try TotalsQuery(
        from: exchange.query("from"), to: exchange.query("to"), by: exchange.query("by"), step: exchange.query("step"),
        nowMs: Clock.wallMs(), resolutionMs: resolutionMs)
      exchange.answer(on: worker) { Answers.json(try query.answer(from: store)) }
    } catch {
      exchange.respond(Answers.error(error))
    }
  }

  private func status() -> [UInt8] {
    let series = store.series
    let nowMs = Clock.wallMs()
    var writer = JSONWriter(capacity: 1024)
    writer.beginObject()
    writer.member("version", BuildInformation.version)
    writer.member("started_ms", startedMs)
    writer.member("uptime_seconds", Double(nowMs - startedMs) / 1000)
    writer.member("now_ms", nowMs)
    writer.member("resolution_ms", resolutionMs)
    writer.member("events_total", counters.accepted)
    let caches = CacheStatus.all(of: series)
    writer.optional("last_event_ms", caches.map(\.lastEventMs).max())
    writer.key("caches")
    writer.beginArray()
    for cache in caches { cache.write(to: &writer) }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }
}
