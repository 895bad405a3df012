// SPDX-License-Identifier: Apache-2.0

internal import Alerting
internal import Flags
internal import HTTP
internal import JSON

// What is told to listeners when a flag, a ramp or an alert changes: the page's stream and OFREP's.

/// The event streams of the server.
struct ChangeStreams: Sendable {
  /// `GET /api/v1/stream`.
  let page = EventStream()
  /// `GET /ofrep/v1/stream`.
  let ofrep = EventStream()

  /// Flags and segments of one change that are told one by one; a listener need not hear of ten thousand.
  private static let changesToldMax = 100

  /// - Parameter rollouts: events of `rolloutEvent`, told together with the change: of a kill the listeners should hear as
  ///   soon as they can.
  func flagChanged(
    key: String, environment: String, version: Int64, revision: Int64, atMs: Int64, rollouts: [[UInt8]] = []
  ) {
    let change = changeEvent("key", key, environment, version, revision)
    page.publish(encoded: change + rollouts.flatMap { $0 }, eventCount: 1 + rollouts.count)
    refetch(revision, atMs)
  }

  /// Version 0 is that of what was deleted.
  func environmentChanged(_ plan: EnvironmentPlan, revision: Int64, atMs: Int64) {
    let environment = plan.set.environment
    let flags = plan.flags.map { ("key", ($0.before ?? $0.after)?.key ?? "", $0.after?.version ?? 0) }
    let segments = plan.segments.map { ("segment", ($0.before ?? $0.after)?.key ?? "", $0.after?.version ?? 0) }
    let changes = flags + segments
    for (member, key, version) in changes.prefix(ChangeStreams.changesToldMax) {
      page.publish(encoded: changeEvent(member, key, environment, version, revision), eventCount: 1)
    }
    let more = changes.count - ChangeStreams.changesToldMax
    if more > 0 {
      page.publish(
        event: "flag_change",
        data: document {
          $0.member("environment", environment)
          $0.member("more", more)
        }, id: String(revision))
    }
    refetch(revision, atMs)
  }

  private func changeEvent(
    _ member: String, _ key: String, _ environment: String, _ version: Int64, _ revision: Int64
  ) -> [UInt8] {
    EventStream.encode(
      event: "flag_change",
      data: document {
        $0.key(member)
        $0.string(key)
        $0.member("environment", environment)
        $0.member("version", version)
      }, id: String(revision))
  }

  /// The tag is that of the configuration, not of any body; clients only compare it (OFREP ADR-0008).
  private func refetch(_ revision: Int64, _ atMs: Int64) {
    ofrep.publish(
      data: document {
        $0.member("type", "refetchEvaluation")
        $0.member("etag", "\"\(revision)\"")
        $0.member("lastModified", atMs / 1000)
      }, id: String(revision))
  }

  func rolloutEvent(
    key: String, environment: String, state: String, step: Int, percent: Double, reason: String
  ) -> [UInt8] {
    EventStream.encode(
      event: "rollout",
      data: document {
        $0.member("key", key)
        $0.member("environment", environment)
        $0.member("state", state)
        $0.member("step", step)
        $0.member("percent", percent)
        $0.member("reason", reason)
      })
  }

  /// Changes of one evaluation that are told one by one; a listener need not hear of ten thousand.
  private static let alertChangesToldMax = 100

  func alertsChanged(_ telling: RuleService.Telling) {
    for change in telling.changes.prefix(ChangeStreams.alertChangesToldMax) {
      page.publish(
        event: "alert",
        data: document {
          $0.member("group", telling.group.name)
          $0.member("change", change.change.rawValue)
          $0.key("alert")
          RuleRoutes.write(change.alert, silencedBy: [], to: &$0)
        })
    }
    let more = telling.changes.count - ChangeStreams.alertChangesToldMax
    guard more > 0 else { return }
    page.publish(
      event: "alert",
      data: document {
        $0.member("group", telling.group.name)
        $0.member("more", more)
      })
  }

  private func document(_ write: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    write(&writer)
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
