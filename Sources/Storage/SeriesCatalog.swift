// SPDX-License-Identifier: Apache-2.0

package import TimeSeries
internal import Foundation
internal import GRDB
internal import Synchronization

// Every series with its state over all time, in memory: the committer finds ids here, /metrics reads values here. The
// tables behind it are written by the committer alone.

/// A series and its state after the last commit.
package struct SeriesState: Sendable {
  /// Id in the store.
  package let id: Int64
  package let key: SeriesKey
  /// Time of the newest window or sample.
  package var latestMs: Int64
  /// Running total of a counter.
  package var count: Int64
  /// Running total of a histogram.
  package var histogram: Histogram?
  /// Newest value of a gauge.
  package var value: Double

  init(id: Int64, key: SeriesKey) {
    self.id = id
    self.key = key
    latestMs = .min
    count = 0
    histogram = key.kind == .histogram ? Histogram() : nil
    value = 0
  }
}

/// Bounds on what events may create in the store.
package struct SeriesLimits: Sendable {
  /// Distinct values of one label that comes from outside; further ones become `overflowValue`.
  package var labelValuesMax: Int
  /// Series in total; of further ones every label becomes `overflowValue`.
  package var seriesMax: Int

  package init(labelValuesMax: Int = 1_000, seriesMax: Int = 1_000_000) {
    self.labelValuesMax = labelValuesMax
    self.seriesMax = seriesMax
  }

  package static let overflowValue = "__overflow__"
}

/// Series that a transaction is about to create.
struct StagedSeries {
  private(set) var count = 0
  private(set) var valuesByLabel: [String: Set<String>] = [:]

  mutating func insert(_ key: SeriesKey) {
    count += 1
    for label in key.labels.all where label.name != Labels.metricLabel {
      valuesByLabel[label.name, default: []].insert(label.value)
    }
  }
}

/// The series of a store. Only the committer changes it.
final class SeriesCatalog: Sendable {
  private struct State {
    var series: [SeriesState] = []
    var indexByKey: [SeriesKey: Int] = [:]
    var valuesByLabel: [String: Set<String>] = [:]
    var overflows: Int64 = 0
  }

  private let limits: SeriesLimits
  private let state: Mutex<State>

  /// Reads all series and their totals.
  init(limits: SeriesLimits, from db: Database) throws {
    self.limits = limits
    var loaded = State()
    let sql = """
      SELECT id, kind, name, labels, latest_ms, count, sum, buckets, value
      FROM series LEFT JOIN series_total ON series_id = id ORDER BY id
      """
    let rows = try Row.fetchCursor(db, sql: sql)
    while let row = try rows.next() {
      SeriesCatalog.insert(try SeriesCatalog.series(of: row), into: &loaded)
    }
    state = Mutex(loaded)
  }

  /// All series, in the order they were created.
  var all: [SeriesState] { state.withLock { $0.series } }

  /// How often a label value was folded into `__overflow__` since the start.
  var overflows: Int64 { state.withLock { $0.overflows } }

  /// The series of a key, or nil where it is new.
  func series(_ key: SeriesKey) -> SeriesState? {
    state.withLock { state in state.indexByKey[key].map { state.series[$0] } }
  }

  /// The key under which a series that does not exist yet may be created: the given one, or one with labels folded.
  ///
  /// - Parameter staged: what the same transaction is about to create.
  func boundedKey(_ key: SeriesKey, staged: StagedSeries) -> SeriesKey {
    state.withLock { state in
      let isFull = state.series.count + staged.count >= limits.seriesMax
      let labels = key.labels.all.map { label in
        if label.name == Labels.metricLabel || label.value == SeriesLimits.overflowValue { return label }
        let values = state.valuesByLabel[label.name] ?? []
        let stagedValues = staged.valuesByLabel[label.name] ?? []
        let isKnown = values.contains(label.value) || stagedValues.contains(label.value)
        if !isFull, isKnown || values.count + stagedValues.subtracting(values).count < limits.labelValuesMax { return label }
        state.overflows += 1
        return Label(label.name, SeriesLimits.overflowValue)
      }
      return SeriesKey(kind: key.kind, labels: Labels(labels))
    }
  }

  /// Takes over what a transaction wrote, after it has been committed.
  func apply(created: [SeriesState], changed: [SeriesState]) {
    state.withLock { state in
      for series in created { SeriesCatalog.insert(series, into: &state) }
      for series in changed {
        guard let index = state.indexByKey[series.key] else { preconditionFailure("\(series.key.labels) was never created") }
        state.series[index] = series
      }
    }
  }

  private static func insert(_ series: SeriesState, into state: inout State) {
    precondition(state.indexByKey[series.key] == nil, "\(series.key.labels) is created twice")
    state.indexByKey[series.key] = state.series.count
    state.series.append(series)
    for label in series.key.labels.all where label.name != Labels.metricLabel {
      state.valuesByLabel[label.name, default: []].insert(label.value)
    }
  }

  private static func series(of row: Row) throws -> SeriesState {
    guard let kind = SeriesKind(rawValue: row["kind"]) else { throw StoreError.damaged("series \(row["id"] as Int64): unknown kind") }
    let pairs = try JSONDecoder().decode([String: String].self, from: Data((row["labels"] as String).utf8))
    let labels = Labels(metric: row["name"], pairs.map { Label($0.key, $0.value) })
    var series = SeriesState(id: row["id"], key: SeriesKey(kind: kind, labels: labels))
    guard let latestMs = row["latest_ms"] as Int64? else { return series }
    series.latestMs = latestMs
    series.count = row["count"] ?? 0
    series.value = row["value"] ?? 0
    if let buckets = row["buckets"] as Data? {
      series.histogram?.add(try Histogram.decode(Array(buckets)), sum: row["sum"] ?? 0)
    }
    return series
  }
}

extension SeriesKey {
  /// The labels without the name as a JSON object, ascending by name: what `series.labels` holds.
  var labelsDocument: String {
    let pairs = labels.all.filter { $0.name != Labels.metricLabel }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(Dictionary(uniqueKeysWithValues: pairs.map { ($0.name, $0.value) })) else {
      preconditionFailure("a dictionary of strings is always encodable")
    }
    return String(decoding: data, as: UTF8.self)
  }
}
