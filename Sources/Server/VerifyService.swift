// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import Storage

// A flag's verification: which time is judged, then numbers, then the report.

struct VerifyService: Sendable {
  let flags: FlagService
  let store: Store
  let resolutionMs: Int64

  /// - Parameters:
  ///   - from, to: query parameters. Without them the time is that of the newest ramp: from its start to its rollback or
  ///     kill, else until now.
  func report(_ id: FlagService.FlagID, from: String?, to: String?, nowMs: Int64) throws -> VerifyReport {
    let flag = try flags.flag(id)
    guard !flag.caches.isEmpty else {
      throw RequestError.conflict("flag \(id.key): governs no caches, so there is nothing to verify: set its caches first")
    }
    let rollout = try flags.rollout(id, nowMs: nowMs)
    let hasEnded = rollout.state == .rolledBack || rollout.state == .killed
    let untilMs = try RequestTime.ms(to, parameter: "to") ?? (hasEnded && from == nil ? rollout.stateSinceMs : nowMs + 1)
    guard let fromMs = try RequestTime.ms(from, parameter: "from") ?? rampStartMs(id) else {
      return VerifyReport(withoutRamp: id.key, environment: id.environment, caches: flag.caches)
    }
    guard fromMs < untilMs else { throw RequestError.badRequest("from: \(from ?? "the ramp's start"): must be before to") }
    let numbers = try VerifyMeasurement(store: store, resolutionMs: resolutionMs)
      .numbers(caches: flag.caches, span: VerifyNumbers.Span(fromMs: fromMs, untilMs: untilMs), nowMs: nowMs)
    return VerifyReport(key: id.key, environment: id.environment, caches: flag.caches, numbers: numbers)
  }

  /// From the audit: a ramp's own history is bounded.
  private func rampStartMs(_ id: FlagService.FlagID) throws(StoreError) -> Int64? {
    let selection = AuditSelection(flag: id.key, environment: id.environment, action: "rollout start", limit: 1)
    return try store.audit(selection).first?.entry.atMs
  }
}
