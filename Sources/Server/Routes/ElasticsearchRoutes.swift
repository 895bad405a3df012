// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import Ingest
internal import Platform
internal import Storage

// `/elasticsearch/`: bulk requests, and what shippers ask before they send the first. Templates, policies and pipelines
// are accepted and change nothing: there are no documents to apply them to.

struct ElasticsearchRoutes: Sendable {
  private static let root = "/elasticsearch"
  private static let name = "elasticsearch"
  /// What `GET` answers under each of these, and under whatever lies below it.
  private static let readings: [String: String] = [
    "_license":
      #"{"license":{"status":"active","uid":"rampart","type":"basic","expiry_date_in_millis":4000000000000}}"#,
    "_xpack": #"{"features":{"ilm":{"available":true,"enabled":true},"security":{"available":true,"enabled":false}}}"#,
    "_cluster": #"{"cluster_name":"rampart","status":"green","timed_out":false,"number_of_nodes":1}"#,
    "_nodes": #"{"cluster_name":"rampart","nodes":{}}"#, "_ilm": "{}", "_index_template": "{}", "_component_template": "{}",
    "_template": "{}", "_ingest": "{}", "_data_stream": "{}", "_alias": "{}", "_logstash": "{}", "_security": "{}", "_cat": "[]",
  ]

  let intake: EventIntake
  /// Decodes again what was in part counted before.
  let worker: Worker

  func add(to router: inout Router) {
    intake.counters.begin(protocol: ElasticsearchRoutes.name)
    let policy = intake.bodies(refusal: { _ in ElasticsearchAnswers.refusal })
    for method in [Method.post, .put] {
      router.add(method, ElasticsearchRoutes.root + "/_bulk", body: policy) { respond(to: $0, index: "") }
      router.add(method, ElasticsearchRoutes.root + "/:index/_bulk", body: policy) { respond(to: $0, index: $0.parameter(0)) }
    }
    router.get(ElasticsearchRoutes.root, ElasticsearchRoutes.greet)
    router.get(ElasticsearchRoutes.root + "/", ElasticsearchRoutes.greet)
    router.get(ElasticsearchRoutes.root + "/*rest") { $0.respond(ElasticsearchRoutes.reading($0.parameter(0))) }
    for method in [Method.put, .post] {
      router.add(method, ElasticsearchRoutes.root + "/*rest") { $0.respond(ElasticsearchRoutes.change($0.parameter(0))) }
    }
  }

  // MARK: Bulk

  private func respond(to exchange: Exchange, index: String) {
    let sender = EventIntake.SenderKeys(exchange)
    intake.take(exchange) { body, _ in
      let nowMs = Clock.wallMs()
      let (batch, items) = try intake.decode(bulk: body, index: index, seen: [], nowMs: nowMs)
      let hasIDs = items.contains { !$0.id.isEmpty }
      // Ids tell more than the bytes: a request that repeats some of them is answered item by item.
      let isKeyed = !sender.idempotency.isEmpty || !hasIDs
      let key = isKeyed ? intake.dedupeKey(sender, path: ElasticsearchRoutes.root, body, batch, nowMs: nowMs) : nil
      return delivery(Bulk(body: body, index: index, key: key, nowMs: nowMs), batch, items)
    }
  }

  /// A request, as it is kept until it is committed.
  private struct Bulk: Sendable {
    let body: [UInt8]
    let index: String
    let key: DedupeKey?
    let nowMs: Int64
    /// Numbers of items that earlier requests have counted.
    var seen: Set<Int> = []
  }

  private func delivery(_ bulk: Bulk, _ batch: DecodedBatch, _ items: [BulkItem]) -> EventIntake.Delivery {
    let counted = items.filter { !$0.id.isEmpty && $0.outcome == .accepted }
    // Made before the commit, which others wait for. A repetition is answered with its own, which says the same: the
    // first is as long as its request and is not kept.
    let answer = ElasticsearchAnswers.bulk(
      items, batch.rejections, body: bulk.body, index: bulk.index, tookMs: max(Clock.wallMs() - bulk.nowMs, 0))
    var delivery = EventIntake.Delivery(
      name: ElasticsearchRoutes.name, batch, dedupeKey: bulk.key, stored: Answer(status: 200, body: []),
      receivedMs: bulk.nowMs, refusal: ElasticsearchAnswers.refusal
    ) { _ in
      ElasticsearchAnswers.json(answer)
    }
    delivery.repeated = items.count { $0.outcome == .seen }
    delivery.submission.itemKeys = intake.keys.keys(of: counted, path: ElasticsearchRoutes.root, nowMs: bulk.nowMs) { item, text in
      if item.index.isEmpty { text += bulk.index.utf8 } else { text += bulk.body[item.index] }
      text.append(0)
      text += bulk.body[item.id]
    }
    delivery.decodeAgain = { [delivery] indexes, token in
      var again = bulk
      again.seen.formUnion(indexes.map { counted[$0].number })
      decodeAgain(again, insteadOf: delivery, token)
    }
    return delivery
  }

  /// Some items were counted before: the sums without them need another look at the body, away from the committer.
  private func decodeAgain(_ bulk: Bulk, insteadOf delivery: EventIntake.Delivery, _ token: SuspendedExchange) {
    let isQueued = worker.submit {
      do throws(RequestError) {
        let (batch, items) = try intake.decode(bulk: bulk.body, index: bulk.index, seen: bulk.seen, nowMs: bulk.nowMs)
        intake.commit(self.delivery(bulk, batch, items), token)
      } catch {
        intake.refuse(delivery, error, token)
      }
    }
    if !isQueued {
      intake.refuse(delivery, RequestError.unavailable("bulk: too many repeated requests are waiting: send it again"), token)
    }
  }

  // MARK: What shippers ask

  @Sendable private static func greet(_ exchange: Exchange) {
    exchange.respond(
      ElasticsearchAnswers.json(
        #"{"name":"rampart","cluster_name":"rampart","cluster_uuid":"rampart","version":{"number":"\#(ElasticsearchAnswers.version)","#
          + #""build_flavor":"default","build_type":"tar","build_hash":"unknown","build_date":"2025-01-01T00:00:00.000Z","#
          + #""build_snapshot":false,"lucene_version":"9.12.0","minimum_wire_compatibility_version":"7.17.0","#
          + #""minimum_index_compatibility_version":"7.0.0"},"tagline":"You Know, for Search"}"#))
  }

  /// Every index exists, and nothing can be searched.
  private static func reading(_ path: String) -> Response {
    let parts = path.split(separator: "/")
    if let first = parts.first, first.first == "_" {
      if let answer = readings[String(first)] { return ElasticsearchAnswers.json(answer) }
    } else if parts.count <= 1 || parts[1] == "_alias" || parts[1] == "_mapping" || parts[1] == "_settings" {
      return ElasticsearchAnswers.json("{}")
    }
    return ElasticsearchAnswers.error(404, "\(path): not here: Rampart takes bulk requests and answers PromQL")
  }

  private static func change(_ path: String) -> Response {
    let parts = path.split(separator: "/")
    if parts.last == "_refresh" || parts.last == "_flush" {
      return ElasticsearchAnswers.json(#"{"_shards":{"total":1,"successful":1,"failed":0}}"#)
    }
    let isKnown = parts.first.map { $0.first == "_" ? readings[String($0)] != nil : parts.count == 1 } ?? false
    return isKnown
      ? ElasticsearchAnswers.json(#"{"acknowledged":true,"shards_acknowledged":true}"#)
      : ElasticsearchAnswers.error(404, "\(path): not here: send documents in bulk requests")
  }
}
