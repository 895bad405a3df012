// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// The k greatest or least series of each group, step by step.

/// Collects what `topk` and `bottomk` keep while the series go by.
struct Ranking {
  private var groups: Groups<RankedCells>
  /// The series that were among the k at some step, and maybe no longer are.
  private var heads: [RowHead] = []
  private let isTop: Bool
  /// k at each step, at most `sizeMax`.
  private let sizes: [Int]
  private let stepCount: Int

  /// More series than any selection has.
  private static let sizeMax = 1 << 31

  init(_ aggregation: Aggregation, steps: Steps, sizes: ScalarValues) {
    groups = Groups(aggregation)
    isTop = aggregation.operation == .topk
    // Below 1 there is none: a fraction has no first series. NaN occurs only where no k reaches 1.
    self.sizes = (0..<steps.count).map { step in
      sizes[step] >= 1 ? Int(min(sizes[step], Double(Ranking.sizeMax))) : 0
    }
    stepCount = steps.count
  }

  /// - Returns: how many samples more are kept.
  mutating func add(_ row: Row) throws(QueryError) -> Int {
    guard !row.isEmpty else { return 0 }
    let stepCount = stepCount
    let place = try groups.place(of: row) { () throws(QueryError) in RankedCells(stepCount: stepCount) }
    let series = heads.count
    heads.append(RowHead(labels: row.labels, dropsName: row.dropsName))
    return isTop
      ? groups.list[place].content.add(row.values, of: series, sizes: sizes) { $0 > $1 }
      : groups.list[place].content.add(row.values, of: series, sizes: sizes) { $0 < $1 }
  }

  /// The series that are kept, at the steps where they are; for a single step in the order of their rank.
  var rows: [Row] {
    var places = Array(repeating: -1, count: heads.count)
    var rows: [Row] = []
    for group in groups.list {
      var cells = group.content
      if stepCount == 1 { cells.sort(isTop: isTop) }
      for step in 0..<stepCount {
        for entry in cells.entries[cells.places(at: step)] {
          if places[entry.series] < 0 {
            places[entry.series] = rows.count
            let head = heads[entry.series]
            rows.append(
              Row(labels: head.labels, dropsName: head.dropsName, values: Array(repeating: absent, count: stepCount)))
          }
          rows[places[entry.series]].values[step] = entry.value
        }
      }
    }
    return rows
  }
}

/// The best series of one group at each step.
private struct RankedCells {
  struct Entry {
    var value: Double
    /// In `heads`.
    var series: Int
  }

  /// A heap for each step, `width` places apart: a heap with memory of its own for each step took ten times as long.
  /// The first entry of a heap is the next to go.
  private(set) var entries: [Entry]
  private var counts: [Int]
  private var width = 1

  init(stepCount: Int) {
    entries = Array(repeating: Entry(value: absent, series: 0), count: stepCount)
    counts = Array(repeating: 0, count: stepCount)
  }

  /// - Parameter isBetter: what a number has that stays; NaN goes before all others.
  /// - Returns: how many entries more there are.
  @inline(__always)
  mutating func add(
    _ values: [Double], of series: Int, sizes: [Int], _ isBetter: (Double, Double) -> Bool
  ) -> Int {
    var added = 0
    for step in values.indices where !isAbsent(values[step]) {
      let entry = Entry(value: values[step], series: series)
      if counts[step] < sizes[step] {
        if counts[step] == width { widen() }
        push(entry, step, isBetter)
        added += 1
      } else if sizes[step] > 0, RankedCells.outranks(entry.value, entries[step * width].value, isBetter) {
        replaceFirst(with: entry, step, isBetter)
      }
    }
    return added
  }

  private mutating func widen() {
    var wider = Array(repeating: Entry(value: absent, series: 0), count: entries.count * 2)
    for step in counts.indices {
      for index in 0..<counts[step] { wider[step * width * 2 + index] = entries[step * width + index] }
    }
    entries = wider
    width *= 2
  }

  @inline(__always)
  private mutating func push(_ entry: Entry, _ step: Int, _ isBetter: (Double, Double) -> Bool) {
    let first = step * width
    var child = counts[step]
    counts[step] += 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard RankedCells.outranks(entries[first + parent].value, entry.value, isBetter) else { break }
      entries[first + child] = entries[first + parent]
      child = parent
    }
    entries[first + child] = entry
  }

  @inline(__always)
  private mutating func replaceFirst(with entry: Entry, _ step: Int, _ isBetter: (Double, Double) -> Bool) {
    let first = step * width
    let count = counts[step]
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < count else { break }
      if child + 1 < count, RankedCells.outranks(entries[first + child].value, entries[first + child + 1].value, isBetter) {
        child += 1
      }
      guard RankedCells.outranks(entry.value, entries[first + child].value, isBetter) else { break }
      entries[first + parent] = entries[first + child]
      parent = child
    }
    entries[first + parent] = entry
  }

  /// NaN ranks last in both.
  @inline(__always)
  private static func outranks(_ left: Double, _ right: Double, _ isBetter: (Double, Double) -> Bool) -> Bool {
    isBetter(left, right) || (right.isNaN && !left.isNaN)
  }

  func places(at step: Int) -> Range<Int> { (step * width)..<(step * width + counts[step]) }

  /// Orders the only step by rank.
  mutating func sort(isTop: Bool) {
    entries = entries[places(at: 0)].sorted { left, right in
      RankedCells.outranks(left.value, right.value) { isTop ? $0 > $1 : $0 < $1 }
    }
  }
}
