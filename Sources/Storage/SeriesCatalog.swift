// SPDX-License-Identifier: Apache-2.0

package import TimeSeries
internal import Foundation
internal import GRDB
internal import JSON
internal import Synchronization

// Every series in memory, with its state over all time and the windows that no block holds yet: the committer finds
// series here, /metrics reads states here, queries the newest windows. Only the committer and the compactor change it.

/// A series and its state after the last commit.
package struct SeriesState: Sendable {
  /// Id in the store, from 1 without gaps.
  package let id: Int64
  package let key: SeriesKey
  /// Time of the newest window or sample; `Int64.min` before the first.
  package var latestMs: Int64 = .min
  /// Up to when it is known to be alive: the latest of its events' times, each no later than it arrived. Events may be
  /// dated ahead, and a sender that has fallen silent must not look alive until their time has passed.
  package var freshMs: Int64 = .min
  /// Running total of a counter, number of observations of a histogram.
  package var count: Int64 = 0
  /// Running total of a histogram.
  package var histogram: Histogram?
  /// Newest value of a gauge.
  package var value = 0.0

  init(id: Int64, key: SeriesKey) {
    self.id = id
    self.key = key
    histogram = key.kind == .histogram ? Histogram() : nil
  }

  mutating func add(_ window: CounterWindow, _ receivedMs: Int64? = nil) {
    count += window.increment
    arrived(window.timeMs, receivedMs)
    latestMs = max(latestMs, window.timeMs)
  }

  mutating func add(_ window: HistogramWindow, _ receivedMs: Int64? = nil) {
    arrived(window.timeMs, receivedMs)
    count += window.count
    histogram?.add(window.buckets, sum: window.sum)
    latestMs = max(latestMs, window.timeMs)
  }

  /// A late sample does not become the current value.
  mutating func add(_ sample: GaugeSample, _ receivedMs: Int64? = nil) {
    arrived(sample.timeMs, receivedMs)
    guard sample.timeMs >= latestMs else { return }
    // SQLite would keep a NaN as NULL; of a series that has ended the value it had is remembered.
    if !sample.value.isNaN { value = sample.value }
    latestMs = sample.timeMs
  }

  /// - Parameter receivedMs: nil for what an earlier process wrote, of which nobody knows when it came: it proves no life.
  private mutating func arrived(_ timeMs: Int64, _ receivedMs: Int64?) {
    if let receivedMs { freshMs = max(freshMs, min(timeMs, receivedMs)) }
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
  private(set) var states: [SeriesState] = []
  private(set) var valuesByLabel: [String: Set<String>] = [:]

  mutating func append(_ state: SeriesState) {
    states.append(state)
    for label in state.key.labels.all where label.name != Labels.metricLabel {
      valuesByLabel[label.name, default: []].insert(label.value)
    }
  }
}

/// The series of a store.
final class SeriesCatalog: Sendable {
  private struct State {
    var series: [SeriesState] = []
    var indexByKey: [SeriesKey: Int] = [:]
    var valuesByLabel: [String: Set<String>] = [:]
    var heads = HeadTable()
    var overflows: Int64 = 0
  }

  private let limits: SeriesLimits
  private let state: Mutex<State>
  /// Behind the series by what came since the last reader; readers bring it up to date.
  private let postings = Mutex(SeriesPostings())

  /// Reads all series and their states as of their last compaction. What the journal adds comes by `replay`.
  init(limits: SeriesLimits, from db: Database) throws {
    self.limits = limits
    var loaded = State()
    let sql = """
      SELECT id, kind, name, labels, latest_ms, count, sum, buckets, value
      FROM series LEFT JOIN series_state ON series_id = id ORDER BY id
      """
    let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM series") ?? 0
    loaded.series.reserveCapacity(count)
    loaded.indexByKey.reserveCapacity(count)
    let rows = try Row.fetchCursor(db, sql: sql)
    while let row = try rows.next() {
      let series = try SeriesState(row)
      guard series.id == Int64(loaded.series.count + 1) else { throw StoreError.damaged("series \(series.id): ids have a gap") }
      SeriesCatalog.insert(series, into: &loaded)
    }
    state = Mutex(loaded)
  }

  /// All series, in the order they were created.
  var all: [SeriesState] { state.withLock { $0.series } }

  var count: Int { state.withLock { $0.series.count } }

  /// How often a label value was folded into `__overflow__` since the start.
  var overflows: Int64 { state.withLock { $0.overflows } }

  /// The index of a key's series; nil where it is new.
  func index(of key: SeriesKey) -> Int? {
    state.withLock { $0.indexByKey[key] }
  }

  /// The key under which a series that does not exist yet may be created: the given one, or one with labels folded.
  ///
  /// - Parameter staged: what the same transaction is about to create.
  func boundedKey(_ key: SeriesKey, staged: StagedSeries) -> SeriesKey {
    state.withLock { state in
      let isFull = state.series.count + staged.states.count >= limits.seriesMax
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

  /// Counts a label value that was folded elsewhere.
  func countOverflow() { state.withLock { $0.overflows += 1 } }

  /// Takes over what a transaction wrote, after it has been committed.
  ///
  /// - Parameter receivedMs: when it arrived; nil for what an earlier process wrote.
  func apply(created: [SeriesState], _ entries: JournalEntries, journalID: Int64?, receivedMs: Int64?) {
    state.withLock { state in
      for series in created { SeriesCatalog.insert(series, into: &state) }
      guard let journalID else { return }
      for entry in entries.counts { state.series[entry.series].add(entry.window, receivedMs) }
      for entry in entries.distributions { state.series[entry.series].add(entry.window, receivedMs) }
      for entry in entries.samples { state.series[entry.series].add(entry.sample, receivedMs) }
      state.heads.add(entries, journalID: journalID)
    }
  }

  private static func insert(_ series: SeriesState, into state: inout State) {
    let before = state.indexByKey.updateValue(state.series.count, forKey: series.key)
    precondition(before == nil, "\(series.key.labels) is created twice")
    state.series.append(series)
    for label in series.key.labels.all where label.name != Labels.metricLabel {
      state.valuesByLabel[label.name, default: []].insert(label.value)
    }
  }
}

// What compaction and queries ask.
extension SeriesCatalog {
  /// All series and the heads that go with them, as of one moment.
  func snapshot() -> (series: [SeriesState], heads: HeadTable) {
    state.withLock { ($0.series, $0.heads) }
  }

  /// The postings of series that a snapshot has, and perhaps of more.
  func postings(of series: [SeriesState]) -> SeriesPostings {
    postings.withLock {
      $0.extend(to: series)
      return $0
    }
  }

  /// Freezes the heads: what is to be moved into blocks, the states of their series, and the last journal row that is in
  /// both.
  func freeze() -> (heads: [Int: SeriesHead], states: [Int: SeriesState], journalID: Int64) {
    state.withLock { state in
      state.heads.freeze()
      let heads = state.heads.frozen
      let states = Dictionary(uniqueKeysWithValues: heads.keys.map { ($0, state.series[$0]) })
      return (heads, states, state.heads.journalID)
    }
  }

  func dropFrozen(_ series: [Int]) {
    state.withLock { $0.heads.dropFrozen(series) }
  }

  /// After a start: what is not dated ahead was alive at its own time. Of what is, nobody knows when it came.
  func believe(untilMs nowMs: Int64) {
    state.withLock { state in
      for index in state.series.indices where state.series[index].latestMs <= nowMs {
        state.series[index].freshMs = state.series[index].latestMs
      }
    }
  }

  func thaw() {
    state.withLock { $0.heads.thaw() }
  }

  func state(_ index: Int) -> SeriesState {
    state.withLock { $0.series[index] }
  }
}

extension SeriesState {
  /// From a row of `series` with its `series_state`, whose columns are null before the first compaction.
  init(_ row: Row) throws {
    let id: Int64 = row["id"]
    guard let kind = SeriesKind(rawValue: row["kind"]) else { throw StoreError.damaged("series \(id): unknown kind") }
    let labels = try JSONValue(parsing: row["labels"] as String).members?.map { Label($0.name, $0.value.string ?? "") }
    guard let labels else { throw StoreError.damaged("series \(id): labels are no object") }
    self.init(id: id, key: SeriesKey(kind: kind, labels: Labels(metric: row["name"], labels)))
    guard row["latest_ms"] != nil else { return }
    try readState(row)
  }

  /// Takes over the columns of `series_state`.
  mutating func readState(_ row: Row) throws {
    latestMs = row["latest_ms"]
    count = row["count"]
    value = row["value"]
    guard key.kind == .histogram else { return }
    var total = Histogram()
    total.add(try Histogram.decode(Array(row["buckets"] as Data)), sum: row["sum"])
    histogram = total
  }
}

extension SeriesKey {
  /// The same metric with every label folded.
  var overflowing: SeriesKey {
    let labels = labels.all.map { $0.name == Labels.metricLabel ? $0 : Label($0.name, SeriesLimits.overflowValue) }
    return SeriesKey(kind: kind, labels: Labels(labels))
  }

  /// The labels without the name as a JSON object, ascending by name: what `series.labels` holds.
  var labelsDocument: String {
    let labels = labels.all.filter { $0.name != Labels.metricLabel }
    return JSONValue.object(labels.map { JSONMember(name: $0.name, value: .string($0.value)) }).text
  }
}
