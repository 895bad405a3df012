// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB
internal import Synchronization
internal import TimeSeries

// Users of caches: sketches of the slices of the last hour in memory, and on disk the registers that each transaction
// raised, so that a commit writes no more than it changed. A slice is the union of its rows; those that have become many
// are written anew as one.

/// The sketches of users. Changed by the committer's thread.
final class UserMemory: Sendable {
  /// Rows of a slice; once there are as many they become one.
  private static let rowsMax = 64
  /// Rows of old slices that a transaction deletes, where it writes fewer than half as many.
  private static let deletedMin = 16

  /// The users of one series in one slice.
  fileprivate struct Place: Hashable {
    let series: Int
    let startMs: Int64
  }

  fileprivate struct Slice {
    var sketch = UserSketch()
    /// On disk.
    var rows = 0
  }

  /// What a transaction is about to change.
  struct Change {
    /// Registers that rise above those in memory.
    fileprivate var rising: [Place: UserSketch] = [:]
    /// Series that have nothing in memory yet.
    fileprivate var added: Set<Int> = []
    /// Places whose rows became one.
    fileprivate var joined: Set<Place> = []
    fileprivate var nowMs: Int64 = .min
    /// The oldest slice on disk; nil where that is not known to change.
    fileprivate var oldestMs: Int64?
  }

  fileprivate struct State {
    var slices: [Place: Slice] = [:]
    /// How many slices a series has.
    var sliceCounts: [Int: Int] = [:]
    /// Nothing in memory is older.
    var oldestSliceMs: Int64 = .max
    /// Nothing on disk is older.
    var oldestMs: Int64 = .max
  }

  /// Most series. Each has at most 16 slices (those of 65 minutes, and of the ten that an event may be ahead) of at most
  /// 32 KiB: 256 MiB, if every one of them had thousands of users in every slice.
  private let placesMax: Int
  private let state: Mutex<State>

  /// Reads what still counts.
  init(placesMax: Int, from db: Database, nowMs: Int64) throws {
    self.placesMax = placesMax
    var loaded = State()
    loaded.oldestMs = try Int64.fetchOne(db, sql: "SELECT min(start_ms) FROM user_slice") ?? .max
    let rows = try Row.fetchCursor(
      db, sql: "SELECT id, start_ms, series_id, data FROM user_slice WHERE start_ms >= ?",
      arguments: [UserSlices.oldestStartMs(nowMs: nowMs)])
    while let row = try rows.next() {
      let place = Place(series: Int(row["series_id"] as Int64) - 1, startMs: row["start_ms"])
      do throws(DamagedBytes) {
        loaded.raise(place, try UserSketch.decode(Array(row["data"] as Data)), addedRows: 1)
      } catch {
        throw StoreError.damaged("user_slice \(row["id"] as Int64): \(error)")
      }
    }
    state = Mutex(loaded)
  }

  // MARK: Within a transaction

  /// Whether a series may have users: it has some already, or there are not too many.
  ///
  /// - Parameter series: nil for a new one.
  func hasRoom(for series: Int?, _ change: Change) -> Bool {
    state.withLock { state in
      if let series, state.sliceCounts[series] != nil || change.added.contains(series) { return true }
      return state.sliceCounts.count + change.added.count < placesMax
    }
  }

  /// Adds what rises above memory.
  func raise(_ seen: BatchDelta.Users, series: Int, _ change: inout Change) {
    let place = Place(series: series, startMs: seen.sliceStartMs)
    let words = state.withLock { state in
      if state.sliceCounts[series] == nil { change.added.insert(series) }
      return state.slices[place]?.sketch.rising(seen.registers) ?? seen.registers
    }
    guard !words.isEmpty else { return }
    change.rising[place, default: UserSketch()].raise(words)
  }

  /// Writes what rises, and deletes some of what no longer counts.
  func write(_ change: inout Change, nowMs: Int64, _ db: Database) throws {
    change.nowMs = nowMs
    for (place, sketch) in change.rising { try write(place, sketch, &change, db) }
    let endMs = UserSlices.oldestStartMs(nowMs: nowMs)
    guard state.withLock({ $0.oldestMs }) < endMs else { return }
    // More than come in, so that it ends.
    let count = max(change.rising.count * 2, UserMemory.deletedMin)
    try db.cachedStatement(
      sql: "DELETE FROM user_slice WHERE id IN (SELECT id FROM user_slice WHERE start_ms < ? ORDER BY start_ms LIMIT ?)"
    ).execute(arguments: [endMs, count])
    change.oldestMs = try Int64.fetchOne(try db.cachedStatement(sql: "SELECT min(start_ms) FROM user_slice")) ?? .max
  }

  private func write(_ place: Place, _ sketch: UserSketch, _ change: inout Change, _ db: Database) throws {
    var sketch = sketch
    let slice = state.withLock { $0.slices[place] }
    if let slice, slice.rows >= UserMemory.rowsMax - 1 {
      try db.cachedStatement(
        sql: "DELETE FROM user_slice WHERE start_ms = ? AND series_id = ?"
      ).execute(arguments: [place.startMs, place.series + 1])
      sketch.raise(slice.sketch.words)
      change.joined.insert(place)
    }
    try db.cachedStatement(
      sql: "INSERT INTO user_slice (start_ms, series_id, data) VALUES (?, ?, ?)"
    ).execute(arguments: [place.startMs, place.series + 1, Data(UserSketch.encoded(sketch.words))])
  }

  // MARK: After it

  /// Takes over what was committed, and forgets what no longer counts.
  func apply(_ change: Change) {
    state.withLock { state in
      for (place, sketch) in change.rising {
        if change.joined.contains(place) { state.slices[place]?.rows = 0 }
        state.raise(place, sketch.words, addedRows: 1)
        state.oldestMs = min(state.oldestMs, place.startMs)
      }
      if let oldestMs = change.oldestMs { state.oldestMs = oldestMs }
      state.forget(beforeMs: UserSlices.oldestStartMs(nowMs: change.nowMs))
    }
  }

  // MARK: Reading

  /// By id of the series.
  func estimates(nowMs: Int64) -> [Int64: Double] {
    let slices = state.withLock { $0.slices }
    let counted = slices.filter { $0.key.startMs >= UserSlices.oldestStartMs(nowMs: nowMs) && $0.key.startMs <= nowMs }
    return Dictionary(grouping: counted, by: \.key.series).reduce(into: [:]) { estimates, series in
      let sketches = series.value.map(\.value.sketch)
      estimates[Int64(series.key + 1)] = UserSketch.estimate(ofUnion: sketches).rounded()
    }
  }
}

extension UserMemory.State {
  fileprivate mutating func raise(_ place: UserMemory.Place, _ words: [UInt32], addedRows: Int) {
    if slices[place] == nil { sliceCounts[place.series, default: 0] += 1 }
    slices[place, default: UserMemory.Slice()].sketch.raise(words)
    slices[place]?.rows += addedRows
    oldestSliceMs = min(oldestSliceMs, place.startMs)
  }

  fileprivate mutating func forget(beforeMs endMs: Int64) {
    guard oldestSliceMs < endMs else { return }
    for place in slices.keys.filter({ $0.startMs < endMs }) {
      slices[place] = nil
      sliceCounts[place.series]? -= 1
      if sliceCounts[place.series] == 0 { sliceCounts[place.series] = nil }
    }
    oldestSliceMs = slices.keys.lazy.map(\.startMs).min() ?? .max
  }
}
