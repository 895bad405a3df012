// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import Ingest
internal import Platform
internal import Storage

// `GET /api/v1/events/recent`: what was received for one user or request, and what went wrong.

struct RecentEventRoutes: Sendable {
  private static let eventsMax = 1_000

  let store: Store
  let worker: Worker

  func add(to router: inout Router) {
    router.get("/api/v1/events/recent") { respond(to: $0) }
  }

  private func respond(to exchange: Exchange) {
    do throws(RequestError) {
      let limit = try exchange.limit(default: 100, max: RecentEventRoutes.eventsMax)
      let search = RecentEventSearch(filter: try RecentEventRoutes.filter(exchange), limit: limit)
      let before = try RecentEventRoutes.cursor(exchange)
      exchange.answer(on: worker) { Answers.json(try search.run(in: store, before: before)) }
    } catch {
      exchange.respond(Answers.error(error))
    }
  }

  private static func cursor(_ exchange: Exchange) throws(RequestError) -> RecentEventSearch.Cursor {
    guard let text = exchange.filter("before") else { return .end }
    guard let cursor = RecentEventSearch.Cursor(text) else {
      throw .badRequest("before: \(text.prefix(40)): must be the next_before of an answer")
    }
    return cursor
  }

  private static func filter(_ exchange: Exchange) throws(RequestError) -> RecentEventFilter {
    var filter = RecentEventFilter()
    filter.service = exchange.filter("service").map { Array($0.utf8) }
    filter.cache = exchange.filter("cache").map { Array($0.utf8) }
    filter.userID = exchange.filter("user_id").map { Array($0.utf8.prefix(RecentEvent.idBytesMax)) }
    filter.correlationID = exchange.filter("correlation_id").map { Array($0.utf8.prefix(RecentEvent.idBytesMax)) }
    guard let name = exchange.filter("event_type") else { return filter }
    filter.type = RecentEvent.type(named: name)
    guard filter.type != nil else {
      throw .badRequest("event_type: \(name.prefix(40)): unknown: known are \(RecentEvent.typeNames.joined(separator: ", "))")
    }
    return filter
  }
}
