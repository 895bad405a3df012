// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import Ingest
internal import JSON
internal import Platform

// `GET /api/v1/hotkeys`: which keys of a cache are looked up most.

struct HotKeyRoutes: Sendable {
  private static let keysMax = 100

  let counters: IngestCounters
  let worker: Worker

  func add(to router: inout Router) {
    router.get("/api/v1/hotkeys") { respond(to: $0) }
  }

  private func respond(to exchange: Exchange) {
    do throws(RequestError) {
      let limit = try exchange.limit(default: 10, max: HotKeyRoutes.keysMax)
      let service = exchange.filter("service"), cache = exchange.filter("cache")
      exchange.answer(on: worker) {
        let nowMs = Clock.wallMs()
        let keys = counters.hotKeys
        let caches = keys.caches(service: service, cache: cache, limit: limit, nowMs: nowMs)
        return Answers.json(HotKeyRoutes.document(caches, sinceMs: keys.sinceMs(nowMs: nowMs)))
      }
    } catch {
      exchange.respond(Answers.error(error))
    }
  }

  private static func document(_ caches: [HotKeys.Cache], sinceMs: Int64) -> [UInt8] {
    var writer = JSONWriter(capacity: 4096)
    writer.beginObject()
    writer.member("since_ms", sinceMs)
    writer.key("caches")
    writer.beginArray()
    for cache in caches {
      writer.beginObject()
      writer.member("service", cache.place.service)
      writer.member("cache", cache.place.cache)
      writer.member("lookups", cache.lookups)
      writer.key("keys")
      writer.beginArray()
      for key in cache.keys { write(key, to: &writer) }
      writer.endArray()
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  private static func write(_ key: HotKeys.Key, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("key")
    writer.string(utf8: key.key.span)
    writer.member("count", key.count)
    writer.member("error", key.error)
    writer.endObject()
  }
}
