// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import HTTP
internal import JSON
internal import Storage

// Which of those who poll a flag hold its newest revision.

struct PropagationRoutes: Sendable {
  private static let instancesDefault = 100
  private static let instancesMax = 10_000

  let flags: FlagService

  func add(to router: inout Router) {
    router.get("/api/v1/flags/:key/propagation") { exchange in
      do {
        exchange.respond(try answer(exchange))
      } catch {
        exchange.respond(Answers.error(error))
      }
    }
  }

  private func answer(_ exchange: Exchange) throws -> Response {
    let environment = try FlagService.checked(environment: exchange.query("environment"))
    let id = FlagService.FlagID(environment: environment, key: exchange.parameter(0))
    let limit = try exchange.limit(default: PropagationRoutes.instancesDefault, max: PropagationRoutes.instancesMax)
    _ = try flags.flag(id)
    let change = flags.revision(of: id)
    let instances = flags.propagation.instances(environment: environment, flag: id.key, sinceRevision: change.revision)
    var writer = JSONWriter(capacity: 4096)
    writer.beginObject()
    writer.member("flag", id.key)
    writer.member("environment", environment)
    writer.member("revision", change.revision)
    writer.member("changed_at_ms", change.atMs)
    PropagationRoutes.writeStanding(instances, changedMs: change.atMs, to: &writer)
    writer.key("instances")
    writer.beginArray()
    for instance in instances.prefix(limit) { PropagationRoutes.write(instance, changedMs: change.atMs, to: &writer) }
    writer.endArray()
    writer.endObject()
    return Answers.json(writer.bytes)
  }

  private static func writeStanding(_ instances: [Propagation.Instance], changedMs: Int64, to writer: inout JSONWriter) {
    let seen = instances.filter { !$0.isExpired }
    let current = seen.filter(\.isCurrent)
    writer.member("seen", seen.count)
    writer.member("current", current.count)
    writer.member("expired", instances.count - seen.count)
    let reached = current.count == seen.count ? current.compactMap(\.acknowledgedMs).max() : nil
    write("reached_all_after_ms", reached.map { max($0 - changedMs, 0) }, to: &writer)
  }

  private static func write(_ instance: Propagation.Instance, changedMs: Int64, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("instance", instance.name)
    writer.member("named", instance.isNamed)
    writer.member("revision", instance.revision)
    writer.member("current", instance.isCurrent)
    writer.member("first_seen_ms", instance.firstSeenMs)
    writer.member("last_seen_ms", instance.lastSeenMs)
    write("acknowledged_after_ms", instance.acknowledgedMs.map { max($0 - changedMs, 0) }, to: &writer)
    writer.member("expired", instance.isExpired)
    writer.member("polls", instance.polls)
    writer.endObject()
  }

  private static func write(_ name: String, _ value: Int64?, to writer: inout JSONWriter) {
    writer.key(name)
    if let value { writer.integer(value) } else { writer.null() }
  }
}
