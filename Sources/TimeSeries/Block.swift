// SPDX-License-Identifier: Apache-2.0

// Entries of one series over some hours as few bytes: what the store keeps once windows are closed. A block of counters
// or histograms holds windows of one width; docs/store.md says the layout for people who read the file.

/// Encodes and decodes blocks. A block says nothing of its series, its start or its width: its row does.
package enum Block {
  /// How values are written; the first byte of a block.
  private enum Form: UInt8 {
    /// Each value as it is.
    case plain = 1
    /// Each value as its difference from the one before.
    case differences = 2
    /// Doubles that are no small integers, byte by byte against the one before.
    case doubles = 3
    /// A histogram's, bucket by bucket: `HistogramColumns`.
    case columns = 4
  }

  // MARK: Counters

  /// - Parameter windows: starts are multiples of `widthMs` from `startMs` on.
  package static func encoded(_ windows: Timeline<CounterWindow>, startMs: Int64, widthMs: Int64) -> [UInt8] {
    let plain = encoded(windows, startMs, widthMs, .plain)
    let differences = encoded(windows, startMs, widthMs, .differences)
    return differences.count < plain.count ? differences : plain
  }

  package static func counter(
    _ bytes: [UInt8], startMs: Int64, widthMs: Int64
  ) throws(DamagedBytes) -> Timeline<CounterWindow> {
    var reader = PackedReader(bytes)
    let form = try form(&reader)
    guard form == .plain || form == .differences else { throw reader.damage }
    var windows: [CounterWindow] = []
    var previous: Int64 = 0
    var total: Int64 = 0
    try readRuns(&reader, startMs, widthMs) { reader, timeMs throws(DamagedBytes) in
      let value = form == .plain ? Int64(try reader.count(max: Int.max)) : previous &+ (try reader.signed())
      let (sum, overflows) = total.addingReportingOverflow(value)
      guard value >= 0, !overflows else { throw reader.damage }
      total = sum
      windows.append(CounterWindow(startMs: timeMs, increment: value))
      previous = value
    }
    return Timeline(sorted: windows)
  }

  private static func encoded(
    _ windows: Timeline<CounterWindow>, _ startMs: Int64, _ widthMs: Int64, _ form: Form
  ) -> [UInt8] {
    var writer = PackedWriter(capacity: windows.entries.count * 2 + 8)
    writer.byte(form.rawValue)
    var previous: Int64 = 0
    for run in WindowRuns(of: windows.entries, startMs: startMs, widthMs: widthMs).all {
      writer.count(run.skipped)
      writer.count(run.entries.count)
      for window in windows.entries[run.entries] {
        if form == .plain { writer.varint(UInt64(window.increment)) } else { writer.signed(window.increment &- previous) }
        previous = window.increment
      }
    }
    return writer.bytes
  }

  // MARK: Histograms

  /// - Parameter windows: starts are multiples of `widthMs` from `startMs` on.
  package static func encoded(_ windows: Timeline<HistogramWindow>, startMs: Int64, widthMs: Int64) -> [UInt8] {
    HistogramColumns.encoded(windows, startMs: startMs, widthMs: widthMs)
  }

  package static func columns(
    _ bytes: [UInt8], startMs: Int64, widthMs: Int64
  ) throws(DamagedBytes) -> HistogramColumns {
    var reader = PackedReader(bytes)
    switch try form(&reader) {
    case .columns: return try HistogramColumns(bytes, startMs: startMs, widthMs: widthMs)
    case .plain: return HistogramColumns(try plainWindows(&reader, startMs, widthMs))
    case .differences, .doubles: throw reader.damage
    }
  }

  package static func histogram(
    _ bytes: [UInt8], startMs: Int64, widthMs: Int64
  ) throws(DamagedBytes) -> Timeline<HistogramWindow> {
    try columns(bytes, startMs: startMs, widthMs: widthMs).windows()
  }

  /// Window after window, as histograms were written before they were columns.
  private static func plainWindows(
    _ reader: inout PackedReader, _ startMs: Int64, _ widthMs: Int64
  ) throws(DamagedBytes) -> Timeline<HistogramWindow> {
    var windows: [HistogramWindow] = []
    var total: Int64 = 0
    try readRuns(&reader, startMs, widthMs) { reader, timeMs throws(DamagedBytes) in
      let sum = try reader.double()
      let buckets = try Histogram.readCounted(&reader, total: &total)
      windows.append(HistogramWindow(startMs: timeMs, buckets: buckets, sum: sum))
    }
    return Timeline(sorted: windows)
  }

  // MARK: Runs of windows

  private static func readRuns(
    _ reader: inout PackedReader, _ startMs: Int64, _ widthMs: Int64,
    _ read: (inout PackedReader, Int64) throws(DamagedBytes) -> Void
  ) throws(DamagedBytes) {
    var grid = try WindowGrid(startMs: startMs, widthMs: widthMs, reader)
    while !reader.isAtEnd {
      for _ in 0..<(try grid.readRun(&reader)) { try read(&reader, grid.next()) }
    }
  }

  private static func form(_ reader: inout PackedReader) throws(DamagedBytes) -> Form {
    guard let form = Form(rawValue: try reader.byte()) else { throw reader.damage }
    return form
  }
}

// Gauges: times as differences of differences, values as whole numbers where they are, both with runs of zeros counted.
extension Block {
  /// 2^53; beyond it not every whole number is a double.
  private static let wholeMax = 9_007_199_254_740_992.0

  package static func encoded(_ samples: Timeline<GaugeSample>, startMs: Int64) -> [UInt8] {
    let isWhole = samples.entries.allSatisfy {
      $0.value == $0.value.rounded() && abs($0.value) <= wholeMax && !($0.value == 0 && $0.value.sign == .minus)
    }
    var writer = PackedWriter(capacity: samples.entries.count * 3 + 8)
    writer.byte((isWhole ? Form.differences : Form.doubles).rawValue)
    writer.count(samples.entries.count)
    var times = DifferenceWriter()
    var previousMs = startMs
    var previousStepMs: Int64 = 0
    for sample in samples.entries {
      let stepMs = sample.timeMs - previousMs
      times.add(stepMs - previousStepMs, to: &writer)
      (previousMs, previousStepMs) = (sample.timeMs, stepMs)
    }
    times.end(&writer)
    if isWhole { writeWhole(samples.entries, &writer) } else { writeDoubles(samples.entries, &writer) }
    return writer.bytes
  }

  package static func gauge(_ bytes: [UInt8], startMs: Int64) throws(DamagedBytes) -> Timeline<GaugeSample> {
    var reader = PackedReader(bytes)
    let form = try form(&reader)
    // A run of zeros takes two bytes however long, so only the bound keeps damaged bytes from asking for all memory.
    let count = try reader.count(max: WindowGrid.windowsMax)
    var samples: [GaugeSample] = []
    samples.reserveCapacity(min(count, bytes.count))
    var times = DifferenceReader()
    var timeMs = startMs
    var stepMs: Int64 = 0
    for _ in 0..<count {
      stepMs &+= try times.next(&reader)
      timeMs &+= stepMs
      guard timeMs > samples.last?.timeMs ?? .min else { throw reader.damage }
      samples.append(GaugeSample(timeMs: timeMs, value: 0))
    }
    switch form {
    case .differences: try readWhole(&reader, &samples)
    case .doubles: try readDoubles(&reader, &samples)
    case .plain, .columns: throw reader.damage
    }
    guard reader.isAtEnd else { throw reader.damage }
    return Timeline(sorted: samples)
  }

  private static func writeWhole(_ samples: [GaugeSample], _ writer: inout PackedWriter) {
    var differences = DifferenceWriter()
    var previous: Int64 = 0
    for sample in samples {
      differences.add(Int64(sample.value) - previous, to: &writer)
      previous = Int64(sample.value)
    }
    differences.end(&writer)
  }

  private static func readWhole(_ reader: inout PackedReader, _ samples: inout [GaugeSample]) throws(DamagedBytes) {
    var differences = DifferenceReader()
    var value: Int64 = 0
    for index in samples.indices {
      value &+= try differences.next(&reader)
      samples[index].value = Double(value)
    }
  }

  /// The exclusive or with the value before, without its zero bytes at both ends (Gorilla, VLDB 2015, at byte grain).
  private static func writeDoubles(_ samples: [GaugeSample], _ writer: inout PackedWriter) {
    var previous: UInt64 = 0
    for sample in samples {
      let difference = sample.value.bitPattern ^ previous
      previous = sample.value.bitPattern
      guard difference != 0 else {
        writer.byte(0)
        continue
      }
      let low = difference.trailingZeroBitCount / 8
      let count = 8 - difference.leadingZeroBitCount / 8 - low
      writer.byte(UInt8(low << 4 | count))
      for index in low..<low + count { writer.byte(UInt8(truncatingIfNeeded: difference >> UInt64(index * 8))) }
    }
  }

  private static func readDoubles(_ reader: inout PackedReader, _ samples: inout [GaugeSample]) throws(DamagedBytes) {
    var bits: UInt64 = 0
    for index in samples.indices {
      let head = Int(try reader.byte())
      let low = head >> 4
      let count = head & 15
      guard low + count <= 8 else { throw reader.damage }
      for byte in low..<low + count { bits ^= UInt64(try reader.byte()) << UInt64(byte * 8) }
      samples[index].value = Double(bitPattern: bits)
    }
  }
}

/// Signed numbers most of which are 0: a run of zeros is a 0 and its length.
private struct DifferenceWriter {
  private var zeros = 0

  mutating func add(_ difference: Int64, to writer: inout PackedWriter) {
    guard difference != 0 else {
      zeros += 1
      return
    }
    end(&writer)
    writer.signed(difference)
  }

  mutating func end(_ writer: inout PackedWriter) {
    guard zeros > 0 else { return }
    writer.byte(0)
    writer.count(zeros)
    zeros = 0
  }
}

private struct DifferenceReader {
  private var zeros = 0

  mutating func next(_ reader: inout PackedReader) throws(DamagedBytes) -> Int64 {
    if zeros == 0 {
      let difference = try reader.signed()
      guard difference == 0 else { return difference }
      zeros = try reader.count(max: Int.max)
      guard zeros > 0 else { throw reader.damage }
    }
    zeros -= 1
    return 0
  }
}
