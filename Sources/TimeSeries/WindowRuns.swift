// SPDX-License-Identifier: Apache-2.0

// Where windows lie, as a block says it: those that follow one another are a run, which has one position.

/// The runs of some windows.
struct WindowRuns {
  struct Run {
    /// Widths between the window before, or the block's start, and the first.
    var skipped: Int
    /// Indices of its windows.
    var entries: Range<Int>
  }

  private(set) var all: [Run] = []

  /// - Parameter entries: starts are multiples of `widthMs` from `startMs` on.
  init<Entry: TimelineEntry>(of entries: [Entry], startMs: Int64, widthMs: Int64) {
    var next = startMs
    var index = 0
    while index < entries.count {
      let first = entries[index].timeMs
      precondition(first >= next && (first - startMs) % widthMs == 0, "a window at \(first) is not on the block's grid")
      var end = index + 1
      while end < entries.count, entries[end].timeMs == entries[end - 1].timeMs + widthMs { end += 1 }
      all.append(Run(skipped: Int((first - next) / widthMs), entries: index..<end))
      next = entries[end - 1].timeMs + widthMs
      index = end
    }
  }
}

/// Reads runs, and says at which times their windows start.
struct WindowGrid {
  /// More than a block's width can hold; damaged bytes must not make time overflow.
  static let windowsMax = 1 << 24

  private let startMs: Int64
  private let widthMs: Int64
  /// In widths from the start.
  private var position = 0

  init(startMs: Int64, widthMs: Int64, _ reader: PackedReader) throws(DamagedBytes) {
    let (span, isTooWide) = widthMs.multipliedReportingOverflow(by: Int64(WindowGrid.windowsMax))
    guard widthMs > 0, !isTooWide, !startMs.addingReportingOverflow(span).overflow else { throw reader.damage }
    self.startMs = startMs
    self.widthMs = widthMs
  }

  /// - Returns: how many windows follow, at least one: ask for the start of each.
  mutating func readRun(_ reader: inout PackedReader) throws(DamagedBytes) -> Int {
    position += try reader.count(max: WindowGrid.windowsMax - position)
    let count = try reader.count(max: WindowGrid.windowsMax - position)
    guard count > 0 else { throw reader.damage }
    return count
  }

  /// The start of the next window.
  mutating func next() -> Int64 {
    defer { position += 1 }
    return startMs + Int64(position) * widthMs
  }
}
