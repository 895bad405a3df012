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

/// Reads rows of `block`.
enum BlockTable {
  /// The entries of the row at a place; nil where there is none.
  static func head(at place: BlockPlace, kind: SeriesKind, _ db: Database) throws -> SeriesHead? {
    let statement = try db.cachedStatement(
      sql: "SELECT data FROM block WHERE series_id = ? AND start_ms = ? AND width_ms = ?")
    let data = try Data.fetchOne(statement, arguments: [place.seriesID, place.startMs, place.widthMs])
    return try data.map { try decode($0, kind: kind, at: place) }
  }

  /// The blocks of a series that may hold entries with `fromMs <= time < untilMs`, ascending by start.
  static func blocks(
    ofSeries series: Int, kind: SeriesKind, fromMs: Int64, untilMs: Int64, _ db: Database
  ) throws -> [(place: BlockPlace, head: SeriesHead)] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT series_id, start_ms, width_ms, data FROM block
        WHERE series_id = ? AND start_ms < ? AND last_ms >= ? ORDER BY start_ms, width_ms
        """)
    let rows = try Row.fetchCursor(statement, arguments: [series + 1, untilMs, fromMs])
    var blocks: [(place: BlockPlace, head: SeriesHead)] = []
    while let row = try rows.next() {
      let place = BlockPlace(row)
      blocks.append((place, try decode(row["data"], kind: kind, at: place)))
    }
    return blocks
  }

  /// - Throws: `StoreError.damaged` naming the row.
  private static func decode(_ data: Data, kind: SeriesKind, at place: BlockPlace) throws -> SeriesHead {
    do {
      let bytes = Array(data)
      switch kind {
      case .counter:
        return SeriesHead(counter: try Block.counter(bytes, startMs: place.startMs, widthMs: place.widthMs))
      case .histogram:
        return SeriesHead(histogram: try Block.histogram(bytes, startMs: place.startMs, widthMs: place.widthMs))
      case .gauge:
        return SeriesHead(gauge: try Block.gauge(bytes, startMs: place.startMs))
      }
    } catch {
      throw StoreError.damaged("block of series \(place.seriesID) at \(place.startMs): \(error)")
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
