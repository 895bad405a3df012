// SPDX-License-Identifier: Apache-2.0

internal import Platform
internal import PromQL
internal import Storage
internal import TimeSeries

// All samples of a store as OpenMetrics with times, which `promtool tsdb create-blocks-from openmetrics` takes.
// https://prometheus.io/docs/specs/om/open_metrics_spec/

/// Writes the series of a store that no server uses.
package struct StoreExport {
  /// Bytes written at a time.
  private static let chunkBytes = 1 << 20

  private let store: Store
  private let widthMs: Int64

  /// Opens the store.
  ///
  /// - Parameter configuration: for the folder and the width of windows.
  /// - Throws: `StoreError`, `.inUse` while a server has it.
  package init(_ configuration: Configuration) throws {
    var settings = StoreConfiguration(folder: configuration.dataFolder)
    settings.widthMs = configuration.resolutionMs
    store = try Store(settings)
    widthMs = configuration.resolutionMs
  }

  package func close() throws {
    try store.close()
  }

  /// Writes families ascending by name, and each series' samples ascending by time.
  ///
  /// - Parameters:
  ///   - selectors: PromQL selectors, of which a series matches any; none selects every series.
  ///   - fromMs: first time, included.
  ///   - throughMs: last time, included.
  ///   - write: takes the text piece by piece.
  /// - Throws: `ParseError` for a selector, `StoreError`.
  package func write(
    selectors: [String], fromMs: Int64, throughMs: Int64, to write: @escaping ([UInt8]) -> Void
  ) throws {
    let selections = selectors.isEmpty ? [[]] : try selectors.map { try VectorSelector(parsing: $0).matchers }
    try store.reading("export") { snapshot in
      let source = StoreSource(snapshot, asOfMs: Clock.wallMs(), widthMs: widthMs)
      var seen: Set<Labels> = []
      let found = try selections.flatMap { try source.series(matching: $0, fromMs: fromMs, throughMs: throughMs) }
        .filter { seen.insert(source.labels(of: $0)).inserted }
      let families = Dictionary(grouping: found) { ExportWriter.family(of: source.labels(of: $0).metricName) }
      var writer = ExportWriter(write: write, chunkBytes: StoreExport.chunkBytes)
      var samples = SampleBuffer()
      for (family, series) in families.sorted(by: { $0.key < $1.key }) {
        writer.begin(family)
        // In the source's order, in which the buckets of a histogram cost least.
        for series in series {
          samples.removeAll()
          try source.appendSamples(of: series, fromMs: fromMs, throughMs: throughMs, to: &samples)
          writer.samples(source.labels(of: series), samples)
        }
      }
      writer.end()
    }
  }
}

/// Writes families and samples with their times.
private struct ExportWriter {
  let write: ([UInt8]) -> Void
  let chunkBytes: Int
  private var bytes: [UInt8] = []

  init(write: @escaping ([UInt8]) -> Void, chunkBytes: Int) {
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

  mutating func samples(_ labels: Labels, _ samples: SampleBuffer) {
    let name = Array("\(labels) ".utf8)
    for (timeMs, value) in zip(samples.timesMs, samples.values) where !StaleMarker.isStale(value) {
      bytes += name
      PrometheusNumber.append(value, to: &bytes)
      bytes.append(UInt8(ascii: " "))
      PrometheusNumber.append(timeMs: timeMs, to: &bytes)
      bytes.append(UInt8(ascii: "\n"))
      if bytes.count >= chunkBytes { flush() }
    }
  }

  mutating func end() {
    bytes += Array("# EOF\n".utf8)
    flush()
  }

  private mutating func flush() {
    write(bytes)
    bytes.removeAll(keepingCapacity: true)
  }
}
