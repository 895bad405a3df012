// SPDX-License-Identifier: Apache-2.0

internal import Platform
internal import PromQL
internal import Storage
internal import TimeSeries

// All samples of a store as OpenMetrics with times, which `promtool tsdb create-blocks-from openmetrics` takes.
// https://prometheus.io/docs/specs/om/open_metrics_spec/

/// Writes the series of a store, one family after the other, so that no more than the largest is selected at a time.
struct StoreExport: Sendable {
  static let contentType: StaticString = "application/openmetrics-text; version=1.0.0; charset=utf-8"
  /// Bytes written at a time.
  private static let chunkBytes = 256 << 10

  let store: Store
  /// Width of the newest windows.
  let resolutionMs: Int64

  /// What is written.
  struct Extent {
    /// A series must match any; none selects every series.
    let selections: [[Matcher]]
    /// First and last time, both included.
    let fromMs: Int64
    let throughMs: Int64

    /// `match[]`, `start` and `end`; everything until now where they are missing.
    init(_ parameters: PrometheusParameters) throws(PrometheusError) {
      selections = try parameters.selections()
      fromMs = try parameters.timeMs("start") ?? 0
      throughMs = try parameters.timeMs("end") ?? Clock.wallMs()
      guard throughMs >= fromMs else { throw .invalidParameter("end", "end timestamp must not be before start time") }
    }
  }

  /// Writes families ascending by name, and each series' samples ascending by time, of one snapshot.
  ///
  /// - Parameters:
  ///   - isWanted: asked for each series; false ends the export.
  ///   - write: takes the text piece by piece; false ends the export.
  /// - Returns: false where it was ended before its end.
  /// - Throws: `StoreError`.
  func write(
    _ extent: Extent, while isWanted: () -> Bool, to write: @escaping ([UInt8]) -> Bool
  ) throws -> Bool {
    let selections = extent.selections.isEmpty ? [[]] : extent.selections
    return try store.reading("export") { snapshot in
      let source = StoreSource(snapshot, asOfMs: Clock.wallMs(), widthMs: resolutionMs)
      var writer = ExportWriter(write: write, chunkBytes: StoreExport.chunkBytes)
      var samples = SampleBuffer()
      for (family, names) in try StoreExport.families(source, selections, extent) {
        writer.begin(family)
        let matcher = try StoreExport.matcher(ofMetrics: names)
        var seen: Set<Labels> = []
        for selection in selections {
          // In the source's order, in which the buckets of a histogram cost least.
          for series in try source.series(matching: selection + [matcher], fromMs: extent.fromMs, throughMs: extent.throughMs) {
            let labels = source.labels(of: series)
            if selections.count > 1, !seen.insert(labels).inserted { continue }
            guard isWanted() else { return false }
            samples.removeAll()
            try source.appendSamples(of: series, fromMs: extent.fromMs, throughMs: extent.throughMs, to: &samples)
            guard writer.samples(labels, samples) else { return false }
          }
        }
      }
      return writer.end()
    }
  }

  /// The families with the metrics of each, ascending.
  private static func families(
    _ source: StoreSource, _ selections: [[Matcher]], _ extent: Extent
  ) throws -> [(family: String, metrics: Set<String>)] {
    var metrics: [String: Set<String>] = [:]
    for selection in selections {
      for series in try source.representatives(matching: selection, fromMs: extent.fromMs, throughMs: extent.throughMs) {
        let name = source.labels(of: series).metricName
        metrics[ExportWriter.family(of: name), default: []].insert(name)
      }
    }
    return metrics.sorted { $0.key < $1.key }.map { (family: $0.key, metrics: $0.value) }
  }

  private static func matcher(ofMetrics names: Set<String>) throws -> Matcher {
    guard names.count > 1 else { return try Matcher(Labels.metricLabel, .equal, names.first ?? "") }
    // Only histograms have several, and their names are words.
    return try Matcher(Labels.metricLabel, .matches, names.sorted().joined(separator: "|"))
  }
}

/// Writes families and samples with their times.
private struct ExportWriter {
  let write: ([UInt8]) -> Bool
  let chunkBytes: Int
  private var bytes: [UInt8] = []

  init(write: @escaping ([UInt8]) -> Bool, chunkBytes: Int) {
    self.write = write
    self.chunkBytes = chunkBytes
  }

  /// The family that a series belongs to.
  static func family(of metric: String) -> String {
    for suffix in ["_total", "_bucket", "_sum", "_count"] where metric.hasSuffix(suffix) {
      let base = String(metric.dropLast(suffix.count))
      if MetricFamily.cache(named: suffix == "_total" ? metric : base) != nil { return base }
    }
    return metric
  }

  mutating func begin(_ family: String) {
    let known = MetricFamily.cache(named: family) ?? MetricFamily.cache(named: family + "_total")
    bytes += Array("# TYPE \(family) \(known?.type.rawValue ?? "unknown")\n".utf8)
  }

  /// False where no more is wanted.
  mutating func samples(_ labels: Labels, _ samples: SampleBuffer) -> Bool {
    let name = Array("\(labels) ".utf8)
    for (timeMs, value) in zip(samples.timesMs, samples.values) where !StaleMarker.isStale(value) {
      bytes += name
      PrometheusNumber.append(value, to: &bytes)
      bytes.append(UInt8(ascii: " "))
      PrometheusNumber.append(timeMs: timeMs, to: &bytes)
      bytes.append(UInt8(ascii: "\n"))
      if bytes.count >= chunkBytes, !flush() { return false }
    }
    return true
  }

  mutating func end() -> Bool {
    bytes += Array("# EOF\n".utf8)
    return flush()
  }

  private mutating func flush() -> Bool {
    let isTaken = write(bytes)
    // The receiver may keep what it was given, so there is no capacity to keep.
    bytes = []
    bytes.reserveCapacity(chunkBytes + 256)
    return isTaken
  }
}
