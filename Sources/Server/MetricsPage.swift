// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import Notification
internal import Platform
internal import Storage
internal import TimeSeries

// What `GET /metrics` shows: the series that events became, the flags, and Rampart's own health, ascending by family.

struct MetricsPage: Sendable {
  /// One family with its samples, in the order they are written.
  struct Entry {
    enum Sample {
      case whole(Labels, Int64)
      case number(Labels, Double)
      case histogram(Labels, Histogram, [Int: Exemplar])
    }

    let family: MetricFamily
    var samples: [Sample]

    init(_ family: MetricFamily, _ samples: [Sample]) {
      self.family = family
      self.samples = samples
    }

    /// A family with one sample without labels; none where the value is unknown.
    init(_ name: String, _ type: MetricType, _ help: String, _ value: Double?) {
      self.init(MetricFamily(name, type, help), value.map { [.number(Labels(metric: name), $0)] } ?? [])
    }
  }

  /// Beyond as many histograms a page would have over half a million lines. Each then shows its last bucket alone, which
  /// is legal, and `rampart_metrics_buckets_omitted` is 1; queries see all buckets still.
  static let histogramsMax = 2_000

  let store: Store
  let counters: IngestCounters
  let flags: FlagService
  let rules: RuleService
  let notifier: Notifier
  /// Nil before the server exists.
  let statistics: @Sendable () -> HTTPServer.Statistics?

  func write(_ format: Exposition.Format, nowMs: Int64) -> [UInt8] {
    var exposition = Exposition(format: format)
    let series = store.series
    let isBrief = MetricsPage.omitsBuckets(series)
    let own = allOwnEntries(series, nowMs: nowMs, omitsBuckets: isBrief)
    let entries = (cacheEntries(series, format, nowMs: nowMs) + rules.alertEntries() + own)
      .sorted { $0.family.name < $1.family.name }
    for entry in entries where !entry.samples.isEmpty {
      exposition.begin(entry.family)
      for sample in entry.samples {
        switch sample {
        case .whole(let labels, let value): exposition.sample(labels, value)
        case .number(let labels, let value): exposition.sample(labels, value)
        case .histogram(let labels, let histogram, let exemplars):
          exposition.histogram(labels, histogram, exemplars: exemplars, isBrief: isBrief)
        }
      }
    }
    exposition.end()
    return exposition.bytes
  }

  /// What is no event's: flags, Rampart's health, the process.
  func ownSamples(nowMs: Int64) -> [(Labels, Double)] {
    let series = store.series
    let entries = allOwnEntries(series, nowMs: nowMs, omitsBuckets: MetricsPage.omitsBuckets(series))
    return entries.flatMap(\.samples).compactMap { sample in
      switch sample {
      case .whole(let labels, let value): (labels, Double(value))
      case .number(let labels, let value): (labels, value)
      case .histogram: nil
      }
    }
  }

  /// Names, types and help of the families, for metadata.
  func families(nowMs: Int64) -> [MetricFamily] {
    let series = store.series
    let names = Set(series.map(\.key.labels.metricName))
    let own = allOwnEntries(series, nowMs: nowMs, omitsBuckets: MetricsPage.omitsBuckets(series))
    return names.compactMap { MetricFamily.cache(named: $0) } + own.filter { !$0.samples.isEmpty }.map(\.family)
  }

  private func allOwnEntries(_ series: [SeriesState], nowMs: Int64, omitsBuckets: Bool) -> [Entry] {
    flags.metrics(nowMs: nowMs) + rules.metrics()
      + ownEntries(nowMs: nowMs, seriesCount: series.count, omitsBuckets: omitsBuckets) + httpEntries()
      + notifier.metrics + processEntries()
  }

  private static func omitsBuckets(_ series: [SeriesState]) -> Bool {
    series.lazy.filter { $0.key.kind == .histogram }.count > histogramsMax
  }

  /// Users of caches, to be recorded. Of a cache that nobody uses any more the last sample is 0.
  func userSamples(nowMs: Int64) -> [(Labels, Double)] {
    let users = store.activeUsers(nowMs: nowMs)
    return store.series.compactMap { series in
      guard series.key.labels.metricName == MetricFamily.activeUsers else { return nil }
      let count = users[series.id] ?? 0
      return count > 0 || series.value > 0 ? (series.key.labels, count) : nil
    }
  }

  private func cacheEntries(_ series: [SeriesState], _ format: Exposition.Format, nowMs: Int64) -> [Entry] {
    let exemplars = format == .openMetrics ? store.newestExemplars : [:]
    let byName = Dictionary(grouping: series) { $0.key.labels.metricName }
    return byName.compactMap { name, series in
      guard let family = MetricFamily.cache(named: name) else { return nil }
      let sorted = series.sorted { $0.key.labels < $1.key.labels }
      guard name == MetricFamily.activeUsers else { return Entry(family, sorted.map { MetricsPage.sample(of: $0, exemplars) }) }
      // As of now, where the series has what was recorded last.
      let users = store.activeUsers(nowMs: nowMs)
      return Entry(family, sorted.map { .number($0.key.labels, users[$0.id] ?? 0) })
    }
  }

  private static func sample(of series: SeriesState, _ exemplars: [Int64: [Int: Exemplar]]) -> Entry.Sample {
    switch series.key.kind {
    case .counter: .whole(series.key.labels, series.count)
    case .gauge: .number(series.key.labels, series.value)
    case .histogram: .histogram(series.key.labels, series.histogram ?? Histogram(), exemplars[series.id] ?? [:])
    }
  }

  private func ownEntries(nowMs: Int64, seriesCount: Int, omitsBuckets: Bool) -> [Entry] {
    let commits = store.statistics
    // A store that cannot be read shows less of itself; `/-/ready` says why.
    let letters = try? store.deadLetterTotal()
    let recent = try? store.recentEventTotal()
    let build = Labels(metric: "rampart_build_info", [Label("version", BuildInformation.version)])
    return [
      Entry(MetricFamily("rampart_build_info", .gauge, "1, with the version as a label."), [.number(build, 1)]),
      Entry(
        MetricFamily("rampart_ingest_events_total", .counter, "Events received, by what became of them and by protocol."),
        counters.all.map { entry in
          .whole(
            Labels(
              metric: "rampart_ingest_events_total",
              [Label("outcome", entry.key.outcome), Label("protocol", entry.key.protocol)]), entry.count)
        }),
      Entry(
        MetricFamily("rampart_ingest_source_errors_total", .counter, "What sources could not do, by protocol."),
        counters.allSourceErrors.map { entry in
          .whole(Labels(metric: "rampart_ingest_source_errors_total", [Label("protocol", entry.protocol)]), entry.count)
        }),
      Entry(
        "rampart_ingest_lag_seconds", .gauge, "Age of the newest event stored since the start.",
        counters.newestEventMs.map { Double(max(nowMs - $0, 0)) / 1000 }),
      Entry(
        "rampart_label_overflows_total", .counter, "Label values folded into __overflow__ because a label had too many.",
        Double(store.labelOverflows + counters.overflows)),
      Entry(
        "rampart_metrics_buckets_omitted", .gauge, "1 while histograms on this page show their last bucket alone, being too many.",
        omitsBuckets ? 1 : 0),
      Entry(
        MetricFamily("rampart_deadletters_total", .counter, "Dead letters since the start, by what became of them."),
        [
          ("stored", commits.deadLetters.stored), ("evicted", commits.deadLetters.evicted),
          ("replayed", commits.deadLetters.replayed), ("purged", commits.deadLetters.purged),
        ].map { .whole(Labels(metric: "rampart_deadletters_total", [Label("outcome", $0.0)]), $0.1) }),
      Entry("rampart_deadletters_stored", .gauge, "Dead letters that are kept.", letters.map { Double($0.letters) }),
      Entry("rampart_deadletters_stored_bytes", .gauge, "Bytes of the records they keep.", letters.map { Double($0.bytes) }),
      Entry(
        MetricFamily("rampart_recent_events_total", .counter, "Events since the start, by what the log of recent events did with them."),
        [
          ("stored", commits.recentEvents.stored), ("evicted", commits.recentEvents.evicted),
          ("sampled_out", commits.recentEvents.sampledOut),
        ].map { .whole(Labels(metric: "rampart_recent_events_total", [Label("outcome", $0.0)]), $0.1) }),
      Entry("rampart_recent_events_stored", .gauge, "Events in the log of recent events.", recent.map { Double($0.events) }),
      Entry("rampart_recent_events_stored_bytes", .gauge, "Bytes of the log of recent events.", recent.map { Double($0.bytes) }),
      Entry("rampart_store_series", .gauge, "Series in the store.", Double(seriesCount)),
      Entry("rampart_store_size_bytes", .gauge, "Size of the database file.", (try? store.sizeBytes()).map(Double.init)),
      Entry("rampart_store_commits_total", .counter, "Transactions of telemetry committed.", Double(commits.commits)),
      Entry("rampart_store_commit_failures_total", .counter, "Transactions of telemetry that failed.", Double(commits.commitFailures)),
      Entry("rampart_store_refusals_total", .counter, "Bodies refused because too many waited.", Double(commits.refusals)),
      Entry(
        "rampart_store_compaction_hold_seconds_max", .gauge, "Longest that a compaction kept commits waiting since the start.",
        commits.longestCompactionHoldSeconds),
      Entry("rampart_store_waiting_bodies", .gauge, "Bodies that wait for a commit.", Double(commits.waitingSubmissions)),
    ]
  }

  private func httpEntries() -> [Entry] {
    guard let http = statistics() else { return [] }
    return [
      Entry("rampart_http_open_connections", .gauge, "Open connections.", Double(http.connections)),
      Entry("rampart_http_connections_total", .counter, "Connections accepted.", Double(http.connectionsTotal)),
      Entry(
        "rampart_http_connections_refused_total", .counter, "Connections closed because of a limit.",
        Double(http.connectionsRefusedTotal)),
      Entry("rampart_http_requests_total", .counter, "Requests received.", Double(http.requestsTotal)),
      Entry(
        "rampart_http_deadline_cuts_total", .counter, "Connections cut because a request took too long to arrive or be read.",
        Double(http.deadlineCutsTotal)),
      Entry("rampart_http_event_listeners", .gauge, "Clients of event streams.", Double(http.eventListeners)),
      Entry(
        "rampart_http_event_listeners_dropped_total", .counter, "Clients of event streams cut because they did not read.",
        Double(http.eventListenersDroppedTotal)),
    ]
  }

  private func processEntries() -> [Entry] {
    let process = ProcessStatistics.read()
    return [
      Entry("process_cpu_seconds_total", .counter, "User and system CPU time spent.", process.cpuSeconds),
      Entry("process_resident_memory_bytes", .gauge, "Resident memory.", process.residentBytes),
      Entry("process_virtual_memory_bytes", .gauge, "Virtual memory.", process.virtualBytes),
      Entry("process_start_time_seconds", .gauge, "Start time since 1970-01-01 UTC.", process.startTimeSeconds),
      Entry("process_open_fds", .gauge, "Open file descriptors.", process.openDescriptors),
      Entry("process_max_fds", .gauge, "Most file descriptors that may be open.", process.maxDescriptors),
      Entry("process_threads", .gauge, "Threads.", process.threads),
    ]
  }
}
