// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries
internal import Foundation
internal import GRDB

// Rows of `block`: entries of one series and one width over a span that depends on the width alone, so that an entry's
// block can be told from its time.

/// A row of `block` without its entries.
struct BlockPlace: Hashable {
  /// How many widths a block spans: 10 s windows over not quite three hours, hours over 42 days. A counter's block is then
  /// somewhat more than 1,024 bytes, three to a page of SQLite's; of twice the length a page would hold one and be half
  /// empty.
  static let windowsMax: Int64 = 1_024

  var series: Int
  var startMs: Int64
  var widthMs: Int64

  init(series: Int, timeMs: Int64, widthMs: Int64) {
    self.series = series
    self.widthMs = widthMs
    startMs = floor(timeMs, to: widthMs * BlockPlace.windowsMax)
  }

  init(_ row: Row) {
    series = Int(row["series_id"] as Int64) - 1
    startMs = row["start_ms"]
    widthMs = row["width_ms"]
  }

  var untilMs: Int64 { startMs + widthMs * BlockPlace.windowsMax }
  var seriesID: Int64 { Int64(series + 1) }
}

/// A row of `block`, encoded.
struct EncodedBlock {
  var place: BlockPlace
  var lastMs: Int64
  var entries: Int
  /// Sum of a counter's increments, observations of a histogram, samples of a gauge.
  var count: Int64
  var bytes: [UInt8]

  /// Nil where the head has nothing of the kind.
  init?(_ head: SeriesHead, kind: SeriesKind, at place: BlockPlace) {
    self.place = place
    switch kind {
    case .counter:
      guard let last = head.counter.entries.last else { return nil }
      (lastMs, entries) = (last.timeMs, head.counter.entries.count)
      count = head.counter.entries.reduce(0) { $0 + $1.increment }
      bytes = Block.encoded(head.counter, startMs: place.startMs, widthMs: place.widthMs)
    case .histogram:
      guard let last = head.histogram.entries.last else { return nil }
      (lastMs, entries) = (last.timeMs, head.histogram.entries.count)
      count = head.histogram.entries.reduce(0) { $0 + $1.count }
      bytes = Block.encoded(head.histogram, startMs: place.startMs, widthMs: place.widthMs)
    case .gauge:
      guard let last = head.gauge.entries.last else { return nil }
      (lastMs, entries) = (last.timeMs, head.gauge.entries.count)
      count = Int64(entries)
      bytes = Block.encoded(head.gauge, startMs: place.startMs)
    }
  }

  func write(to db: Database) throws {
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO block (series_id, start_ms, width_ms, last_ms, entries, count, data) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET last_ms = excluded.last_ms, entries = excluded.entries, count = excluded.count,
          data = excluded.data
        """)
    try statement.execute(arguments: [
      place.seriesID, place.startMs, place.widthMs, lastMs, entries, count, Data(bytes),
    ])
  }
}

/// A row of `block` as a reading of some range finds it.
struct FoundBlock {
  var place: BlockPlace
  /// Start of its last window, or time of its last sample.
  var lastMs: Int64
  /// Sum of a counter's increments, observations of a histogram.
  var count: Int64
  /// Its entries; nil where they were not asked for.
  var data: [UInt8]?
}

/// Reads rows of `block`.
enum BlockTable {
  /// The widest windows that are not hours span so much.
  private static let rawSpanMs: Int64 = 60_000 * BlockPlace.windowsMax
  private static let hourSpanMs: Int64 = Hour.widthMs * BlockPlace.windowsMax

  /// The entries of the row at a place; nil where there is none.
  static func head(at place: BlockPlace, kind: SeriesKind, _ db: Database) throws -> SeriesHead? {
    let statement = try db.cachedStatement(
      sql: "SELECT data FROM block WHERE series_id = ? AND start_ms = ? AND width_ms = ?")
    let data = try Data.fetchOne(statement, arguments: [place.seriesID, place.startMs, place.widthMs])
    return try data.map { try decode(Array($0), kind: kind, at: place) }
  }

  /// Whether there are blocks of hours at all.
  static func hasHours(_ db: Database) throws -> Bool {
    try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM block WHERE width_ms >= \(Hour.widthMs))") ?? false
  }

  /// Calls `body` with the blocks of a series that may hold entries with `fromMs <= time < untilMs`, hours first.
  ///
  /// - Parameters:
  ///   - hours: whether there are any.
  ///   - dataFromMs: of blocks that end before it the entries are not read.
  ///   - dataUntilMs: nor of blocks that start at it or later.
  static func forEachBlock(
    ofSeries series: Int, fromMs: Int64, untilMs: Int64, hours: Bool, dataFromMs: Int64, dataUntilMs: Int64,
    _ db: Database, _ body: (FoundBlock) throws -> Void
  ) throws {
    let columns = """
      SELECT series_id, start_ms, width_ms, last_ms, count,
        CASE WHEN last_ms + width_ms >= ? AND start_ms < ? THEN data END AS data FROM block
      """
    // The blocks of a series lie in order of start. Where to begin depends on how much a block spans, and hours span
    // weeks, in which there are hundreds of others: these are asked for one by one.
    if hours {
      let statement = try db.cachedStatement(
        sql: columns + " WHERE series_id = ? AND start_ms = ? AND width_ms = \(Hour.widthMs) AND last_ms >= ?")
      let latest = try Int64.fetchOne(
        db.cachedStatement(sql: "SELECT max(start_ms) FROM block WHERE series_id = ?"), arguments: [series + 1])
      var startMs = floor(fromMs, to: hourSpanMs)
      while startMs < untilMs, startMs <= latest ?? .min {
        try forEachRow(statement, [dataFromMs, dataUntilMs, series + 1, startMs, fromMs], body)
        startMs += hourSpanMs
      }
    }
    let statement = try db.cachedStatement(
      sql: columns + """
         WHERE series_id = ? AND start_ms > ? AND start_ms < ? AND last_ms >= ?
        AND width_ms < \(Hour.widthMs) ORDER BY start_ms, width_ms
        """)
    try forEachRow(statement, [dataFromMs, dataUntilMs, series + 1, fromMs - rawSpanMs, untilMs, fromMs], body)
  }

  private static func forEachRow(
    _ statement: Statement, _ arguments: StatementArguments, _ body: (FoundBlock) throws -> Void
  ) throws {
    let rows = try Row.fetchCursor(statement, arguments: arguments)
    while let row = try rows.next() {
      let data = try row.withUnsafeData(atIndex: 5) { data in data.map { Array($0) } }
      try body(FoundBlock(place: BlockPlace(row), lastMs: row[3], count: row[4], data: data))
    }
  }

  // MARK: Entries; each throws `StoreError.damaged` naming the row

  static func decode(_ bytes: [UInt8], kind: SeriesKind, at place: BlockPlace) throws(StoreError) -> SeriesHead {
    switch kind {
    case .counter:
      return SeriesHead(counter: try counter(bytes, at: place))
    case .histogram:
      let columns = try columns(bytes, at: place)
      return SeriesHead(histogram: try sound(place) { () throws(DamagedBytes) in try columns.windows() })
    case .gauge:
      return SeriesHead(gauge: try gauge(bytes, at: place))
    }
  }

  static func counter(_ bytes: [UInt8], at place: BlockPlace) throws(StoreError) -> Timeline<CounterWindow> {
    try sound(place) { () throws(DamagedBytes) in
      try Block.counter(bytes, startMs: place.startMs, widthMs: place.widthMs)
    }
  }

  static func columns(_ bytes: [UInt8], at place: BlockPlace) throws(StoreError) -> HistogramColumns {
    try sound(place) { () throws(DamagedBytes) in
      try Block.columns(bytes, startMs: place.startMs, widthMs: place.widthMs)
    }
  }

  static func gauge(_ bytes: [UInt8], at place: BlockPlace) throws(StoreError) -> Timeline<GaugeSample> {
    try sound(place) { () throws(DamagedBytes) in try Block.gauge(bytes, startMs: place.startMs) }
  }

  private static func sound<Value>(
    _ place: BlockPlace, _ read: () throws(DamagedBytes) -> Value
  ) throws(StoreError) -> Value {
    do {
      return try read()
    } catch {
      throw .damaged("block of series \(place.seriesID) at \(place.startMs): \(error)")
    }
  }
}

extension SeriesHead {
  /// What lies in each block, by place.
  func split(series: Int, widthMs: Int64) -> [BlockPlace: SeriesHead] {
    var parts: [BlockPlace: SeriesHead] = [:]
    func place(_ timeMs: Int64) -> BlockPlace { BlockPlace(series: series, timeMs: timeMs, widthMs: widthMs) }
    for window in counter.entries { parts[place(window.timeMs), default: SeriesHead()].counter.add(window) }
    for window in histogram.entries { parts[place(window.timeMs), default: SeriesHead()].histogram.add(window) }
    for sample in gauge.entries { parts[place(sample.timeMs), default: SeriesHead()].gauge.add(sample) }
    return parts
  }

  /// These entries as windows of a greater width; of a gauge's samples the last of each window stays.
  func widened(to widthMs: Int64) -> SeriesHead {
    var wide = SeriesHead()
    for window in counter.entries {
      wide.counter.add(CounterWindow(startMs: floor(window.timeMs, to: widthMs), increment: window.increment))
    }
    for window in histogram.entries {
      let startMs = floor(window.timeMs, to: widthMs)
      wide.histogram.add(HistogramWindow(startMs: startMs, buckets: window.buckets, sum: window.sum))
    }
    for (index, sample) in gauge.entries.enumerated() {
      let isLast = index + 1 == gauge.entries.count
        || floor(gauge.entries[index + 1].timeMs, to: widthMs) != floor(sample.timeMs, to: widthMs)
      if isLast { wide.gauge.add(sample) }
    }
    return wide
  }
}
