// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import JSON
internal import Storage
internal import TimeSeries

// `GET /api/v1/totals`: exact counts of a range of time, grouped by labels and steps. The store sums, this groups and
// writes.

/// What is asked for, already widened to whole windows.
struct TotalsQuery: Sendable {
  static let labelNames = ["service", "cache", "tier", "cohort", "operation", "reason"]
  /// As Prometheus bounds a range query.
  static let stepsMax = 11_000
  /// Groups in one answer, over all steps.
  static let rowsMax = 200_000

  let fromMs: Int64
  let untilMs: Int64
  let stepMs: Int64?
  let by: [String]
  let resolutionMs: Int64

  /// - Throws: `RequestError` naming the parameter.
  init(
    from: String?, to: String?, by: String?, step: String?, nowMs: Int64, resolutionMs: Int64
  ) throws(RequestError) {
    let toMs = try RequestTime.ms(to, parameter: "to") ?? nowMs
    let fromMs = try RequestTime.ms(from, parameter: "from") ?? toMs - 3_600_000
    guard fromMs <= toMs else {
      throw .badRequest("from: \(from ?? ""): must not be after to")
    }
    self.resolutionMs = resolutionMs
    self.fromMs = floor(fromMs, to: resolutionMs)
    self.by = try TotalsQuery.labels(by)
    guard let step else {
      stepMs = nil
      untilMs = floor(toMs + resolutionMs - 1, to: resolutionMs)
      return
    }
    guard let stepMs = DurationText.milliseconds(step), stepMs >= resolutionMs, stepMs % resolutionMs == 0 else {
      throw .badRequest("step: \(step.prefix(40)): must be a duration and a multiple of the resolution, \(resolutionMs / 1000)s")
    }
    guard (toMs - self.fromMs) / stepMs < Int64(TotalsQuery.stepsMax) else {
      throw .badRequest("step: \(step): gives more than \(TotalsQuery.stepsMax) steps: use a longer step or a shorter range")
    }
    self.stepMs = stepMs
    untilMs = self.fromMs + floor(toMs - self.fromMs + stepMs - 1, to: stepMs)
  }

  private static func labels(_ text: String?) throws(RequestError) -> [String] {
    var names: [String] = []
    for name in (text ?? "").split(separator: ",").map({ $0.filter { $0 != " " } }) where !names.contains(name) {
      guard labelNames.contains(name) else {
        throw .badRequest("by: \(name.prefix(40)): unknown label: known here: \(labelNames.joined(separator: ", "))")
      }
      names.append(name)
    }
    return names
  }

  /// Reads and writes the answer.
  func answer(from store: Store) throws -> [UInt8] {
    var groups: [[String: CacheTotals]] = Array(repeating: [:], count: stepCount)
    var labelsByGroup: [String: [Label]] = [:]
    var rows = 0
    let sums = try store.sums(fromMs: fromMs, untilMs: untilMs, stepMs: stepMs) { wants($0) }
    for sum in sums {
      let labels = by.compactMap { name in sum.key.labels[name].map { Label(name, $0) } }
      let group = labels.map { "\($0.name)\u{1}\($0.value)" }.joined(separator: "\u{2}")
      labelsByGroup[group] = labels
      if groups[sum.step][group] == nil { rows += 1 }
      guard rows <= TotalsQuery.rowsMax else {
        throw RequestError.badRequest("answer: more than \(TotalsQuery.rowsMax) rows: use a longer step or fewer labels in by")
      }
      groups[sum.step][group, default: CacheTotals()].add(metric: sum.key.labels.metricName, count: sum.count, histogram: sum.histogram)
    }
    return write(groups, labelsByGroup)
  }

  private var stepCount: Int { stepMs.map { Int((untilMs - fromMs) / $0) } ?? 1 }

  /// Durations of lookups only, unless the caller asks for each operation by itself.
  private func wants(_ key: SeriesKey) -> Bool {
    guard key.labels.metricName == "cache_operation_duration_seconds" else { return true }
    return by.contains("operation") || key.labels["operation"] != "invalidation"
  }

  private func write(_ groups: [[String: CacheTotals]], _ labels: [String: [Label]]) -> [UInt8] {
    var writer = JSONWriter(capacity: 4096)
    writer.beginObject()
    writer.member("from_ms", fromMs)
    writer.member("to_ms", untilMs)
    writer.member("resolution_ms", resolutionMs)
    writer.key("by")
    writer.beginArray()
    for name in by { writer.string(name) }
    writer.endArray()
    if let stepMs {
      writer.member("step_ms", stepMs)
      writer.key("steps")
      writer.beginArray()
      for (index, rows) in groups.enumerated() {
        writer.beginObject()
        writer.member("from_ms", fromMs + Int64(index) * stepMs)
        write(rows, labels, to: &writer)
        writer.endObject()
      }
      writer.endArray()
    } else {
      write(groups[0], labels, to: &writer)
    }
    writer.endObject()
    return writer.bytes
  }

  private func write(_ rows: [String: CacheTotals], _ labels: [String: [Label]], to writer: inout JSONWriter) {
    writer.key("rows")
    writer.beginArray()
    for (group, totals) in rows.sorted(by: { $0.key < $1.key }) {
      writer.beginObject()
      writer.key("labels")
      writer.beginObject()
      for label in labels[group] ?? [] {
        writer.key(label.name)
        writer.string(label.value)
      }
      writer.endObject()
      totals.writeMembers(to: &writer)
      writer.endObject()
    }
    writer.endArray()
  }
}

extension CacheTotals {
  func writeMembers(to writer: inout JSONWriter) {
    writer.member("lookups", lookups)
    writer.member("hits", hits)
    writer.member("misses", misses)
    writer.member("bypasses", bypasses)
    writer.member("stale_hits", staleHits)
    writer.member("sets", sets)
    writer.member("invalidations", invalidations)
    writer.member("invalidation_errors", invalidationErrors)
    writer.member("invalidated_keys", invalidatedKeys)
    writer.member("errors", errors)
    writer.member("lookup_failures", lookupFailures)
    writer.optional("hit_ratio", hitRatio)
    writer.optional("error_ratio", errorRatio)
    writer.key("duration")
    writer.beginObject()
    writer.member("count", durations.count)
    writer.member("sum_seconds", durations.sum)
    writer.optional("p50_seconds", durations.quantile(0.5))
    writer.optional("p95_seconds", durations.quantile(0.95))
    writer.optional("p99_seconds", durations.quantile(0.99))
    writer.endObject()
  }
}

extension JSONWriter {
  /// A member that is null where there is no value.
  mutating func optional(_ key: StaticString, _ value: Double?) {
    self.key(key)
    if let value { number(value) } else { null() }
  }

  /// A member that is null where there is no value.
  mutating func optional(_ key: StaticString, _ value: Int64?) {
    self.key(key)
    if let value { integer(value) } else { null() }
  }

  /// A member that is null where there is no value.
  mutating func optional(_ key: StaticString, _ value: String?) {
    self.key(key)
    if let value { string(value) } else { null() }
  }
}
