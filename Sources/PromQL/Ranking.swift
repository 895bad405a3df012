// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// The k greatest or least series of each group, step by step.

/// Collects what `topk` and `bottomk` keep while the series go by.
struct Ranking {
  private struct Entry {
    let value: Double
    /// In `heads`.
    let series: Int
  }

  /// Ordered so that the first is the next to go.
  private typealias Heap = [Entry]

  private var groups: Groups<[Heap]>
  /// The series that were among the k at some step, and maybe no longer are.
  private var heads: [RowHead] = []
  private let isTop: Bool
  private let sizes: ScalarValues
  private let stepCount: Int

  init(_ aggregation: Aggregation, steps: Steps, sizes: ScalarValues) {
    groups = Groups(aggregation)
    isTop = aggregation.operation == .topk
    self.sizes = sizes
    stepCount = steps.count
  }

  /// - Returns: how many samples more are kept.
  mutating func add(_ row: Row) throws(QueryError) -> Int {
    guard !row.isEmpty else { return 0 }
    let stepCount = stepCount
    let place = try groups.place(of: row) { () throws(QueryError) in Array(repeating: [], count: stepCount) }
    let series = heads.count
    heads.append(RowHead(labels: row.labels, dropsName: row.dropsName))
    var added = 0
    for step in 0..<stepCount where !isAbsent(row.values[step]) && sizes[step] >= 1 {
      let entry = Entry(value: row.values[step], series: series)
      if Double(groups.list[place].content[step].count) < sizes[step].rounded(.down) {
        push(entry, on: &groups.list[place].content[step])
        added += 1
      } else if outranks(entry.value, groups.list[place].content[step][0].value) {
        replaceFirst(of: &groups.list[place].content[step], with: entry)
      }
    }
    return added
  }

  /// The series that are kept, at the steps where they are; for a single step in the order of their rank.
  var rows: [Row] {
    var places: [Int: Int] = [:]
    var rows: [Row] = []
    for group in groups.list {
      for step in 0..<stepCount {
        for entry in group.content[step].sorted(by: { outranks($0.value, $1.value) }) {
          let place = places[entry.series] ?? rows.count
          if place == rows.count {
            places[entry.series] = place
            let head = heads[entry.series]
            rows.append(
              Row(labels: head.labels, dropsName: head.dropsName, values: Array(repeating: absent, count: stepCount)))
          }
          rows[place].values[step] = entry.value
        }
      }
    }
    return rows
  }

  /// NaN ranks last in both.
  @inline(__always)
  private func outranks(_ left: Double, _ right: Double) -> Bool {
    (isTop ? left > right : left < right) || (right.isNaN && !left.isNaN)
  }

  private func push(_ entry: Entry, on heap: inout Heap) {
    heap.append(entry)
    var child = heap.count - 1
    while child > 0, outranks(heap[(child - 1) / 2].value, heap[child].value) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private func replaceFirst(of heap: inout Heap, with entry: Entry) {
    heap[0] = entry
    var parent = 0
    while true {
      var lowest = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && outranks(heap[lowest].value, heap[child].value) {
        lowest = child
      }
      guard lowest != parent else { return }
      heap.swapAt(parent, lowest)
      parent = lowest
    }
  }
}
